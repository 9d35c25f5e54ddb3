"""The intent model, loaded: one thread, no spinning, warmed up."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from models.artifact import ArtifactError, Manifest, load_manifest
from models.serving.heads import Logits, output_widths, scores_of
from schemas.conversation import Speaker
from schemas.intent import Scores

_CHARACTERS_A_TOKEN = 16
"""Text beyond ``max_tokens`` times this is not even tokenized: English has about 4 characters a token."""
_WARM_UP = ((Speaker.CUSTOMER, "hello"), (Speaker.AGENT, "could you tell me a little more about what happened there?"))


class IntentModel:
    """Scores turns. Safe to call from any thread; each call keeps one core busy until it returns."""

    def __init__(self, manifest: Manifest, tokenizer: Tokenizer, session: Any) -> None:
        self.manifest = manifest
        self._tokenizer = tokenizer
        self._session = session
        self._outputs = list(output_widths(manifest))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load the artefact in ``folder``, check it against its manifest and warm it up.

        Raises:
            ArtifactError: as `models.artifact.load_manifest`; or onnxruntime or tokenizers cannot read a file; or the
                model's outputs are not what the manifest's heads need.
        """
        manifest = load_manifest(folder)
        try:
            session = _open_session(folder / "model.onnx")
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # neither library has an exception class of its own for this
            raise ArtifactError(f"{folder} does not load: {error}; mend: `livecue doctor` checks versions") from error
        _check_outputs(folder, manifest, session)
        tokenizer.no_padding()
        tokenizer.enable_truncation(manifest.max_tokens)
        model = cls(manifest, tokenizer, session)
        model.score(_WARM_UP)
        return model

    def score(self, turns: Sequence[tuple[Speaker, str]]) -> list[Scores]:
        """Score ``turns``, each a speaker and a text; their scores come in the same order.

        A text without a letter or digit fires nothing; one beyond the manifest's ``max_tokens`` is scored by its
        beginning. A text's scores do not depend on the others: each is run by itself, because int8 activations are
        scaled by the largest value in their run, and on one core a batch of short turns gains little.
        """
        return [
            scores_of(self.manifest, speaker, self._run(text), says_something=any(map(str.isalnum, text)))
            for speaker, text in turns
        ]

    def _run(self, text: str) -> dict[str, Logits]:
        # Lone surrogates, which JSON can carry, have no UTF-8 form; the tokenizer would refuse them.
        readable = text[: self.manifest.max_tokens * _CHARACTERS_A_TOKEN].encode("utf-8", "replace").decode("utf-8")
        encoding = self._tokenizer.encode(readable)
        rows = self._session.run(self._outputs, {"input_ids": np.array([encoding.ids], dtype=np.int64)})
        return {name: row[0] for name, row in zip(self._outputs, rows, strict=True)}


def _open_session(path: Path) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors only: its warnings about graph clean-up are not for operators
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _check_outputs(folder: Path, manifest: Manifest, session: Any) -> None:
    actual = {output.name: output.shape[-1] for output in session.get_outputs()}
    for name, width in output_widths(manifest).items():
        if actual.get(name) != width:
            raise ArtifactError(
                f"{folder / 'model.onnx'} gives {actual.get(name, 'no')} {name} logits where the manifest has {width} "
                "labels: model and manifest are of two trainings; make them anew with `livecue model train`"
            )
