"""A smaller vocabulary for the same encoder: the words we meet and the commonest others, nothing an agent never hears.

Embeddings are half of MiniLM's weights, most of them of words that no contact centre says. A word that is left out is
spelled from the pieces that stay.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from tokenizers import Tokenizer

from models.training.network import pretrained_folder

SIZE = 12_000
"""Tokens kept. 30,522 are the encoder's own."""

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_APOSTROPHES = "['’]"
_NOT_SAID = r"[^\w\s]+"
"""What is no word. Speech recognition may write none of it, so that nothing may depend on it: turns read the same typed
and spoken. Apostrophes go without a trace, as where "im" is written for "I'm"; all else leaves a space."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A tokenizer and the rows of the pretrained embeddings that its tokens are."""

    tokenizer_json: str
    rows: tuple[int, ...]
    """For each token id, its id in the pretrained vocabulary."""

    def tokenizer(self, max_tokens: int) -> Tokenizer:
        """The tokenizer, cutting at ``max_tokens`` and padding nothing."""
        tokenizer = Tokenizer.from_str(self.tokenizer_json)
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_tokens)
        return tokenizer


def unheard(normalizer: object) -> dict[str, object]:
    """A tokenizer's ``normalizer`` after one that leaves out what is no word."""
    apostrophes = {"type": "Replace", "pattern": {"Regex": _APOSTROPHES}, "content": ""}
    not_said = {"type": "Replace", "pattern": {"Regex": _NOT_SAID}, "content": " "}
    return {"type": "Sequence", "normalizers": [apostrophes, not_said, normalizer]}


def vocabulary_for(texts: Iterable[str], size: int = SIZE) -> Vocabulary:
    """The encoder's vocabulary cut to ``size``: every single character and every token of ``texts`` first.

    The rest is filled in the pretrained order, which goes from frequent to rare.
    """
    whole = json.loads((pretrained_folder() / "tokenizer.json").read_text(encoding="utf-8"))
    whole["normalizer"] = unheard(whole["normalizer"])
    old: dict[str, int] = whole["model"]["vocab"]
    uncut = Tokenizer.from_str(json.dumps(whole))
    uncut.no_padding()
    uncut.no_truncation()
    met = {token for encoding in uncut.encode_batch(list(texts)) for token in encoding.tokens}
    first = [t for t in old if t in _SPECIAL or (len(t.removeprefix("##")) == 1 and t.isascii()) or t in met]
    rest = [t for t in old if t not in set(first) and not t.startswith("[unused") and t.isascii()]
    kept = sorted([*first, *rest[: max(0, size - len(first))]], key=old.__getitem__)
    new = {token: index for index, token in enumerate(kept)}
    whole["model"]["vocab"] = new
    whole["truncation"] = whole["padding"] = None
    for added in whole["added_tokens"]:
        added["id"] = new[added["content"]]
    for name, special in whole["post_processor"]["special_tokens"].items():
        special["ids"] = [new[name]]
    return Vocabulary(json.dumps(whole, ensure_ascii=False), tuple(old[token] for token in kept))
