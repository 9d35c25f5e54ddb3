"""A turn's token ids, word by word: what was spelled once is remembered.

People use few words. Tokenizing whole turns took a third of what a turn costs that the first stage answers.
"""

from functools import lru_cache

from tokenizers import Tokenizer

_REMEMBERED = 32_768
_LONGEST_REMEMBERED = 32
"""Characters. What is longer is hardly a word, and would only fill the memory."""


class TurnTokenizer:
    """The tokenizer's ids of whole texts, for a tokenizer that reads no further than a space. Safe to call from any
    thread."""

    def __init__(self, tokenizer: Tokenizer, max_tokens: int) -> None:
        """``max_tokens``: longer turns are cut to so many, [CLS] and [SEP] included."""
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self._cls, self._sep = tokenizer.encode("").ids
        self._most = max_tokens - 1
        self._remembered = lru_cache(_REMEMBERED)(self._spelled)

    @property
    def last_id(self) -> int:
        """The greatest id that a token has."""
        return max(self._tokenizer.get_vocab().values())

    def ids(self, text: str) -> list[int]:
        """[CLS], the tokens of ``text``, [SEP]."""
        ids = [self._cls]
        for word in text.split(" "):  # at nothing else: what other characters part words is the tokenizer's to say
            ids += self._remembered(word) if len(word) <= _LONGEST_REMEMBERED else self._spelled(word)
        del ids[self._most :]
        ids.append(self._sep)
        return ids

    def _spelled(self, word: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(word, add_special_tokens=False).ids)
