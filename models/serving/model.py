"""The intent model, loaded: a cascade of two stages, warmed up."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from tokenizers import Tokenizer

from models.artifact import Artifact, ArtifactError, FileName, FirstStage, Manifest, read_artifact
from models.serving.graph import Graph, GraphRefused
from models.serving.heads import Heads, embedding_of, encoder_widths, first_stage_widths, is_sure
from models.serving.tokens import TurnTokenizer
from models.serving.utterance import Utterance
from schemas.intent import Scores

_CHARACTERS_A_TOKEN = 16
"""Text beyond ``max_tokens`` times this is not even tokenized: English has about 4 characters a token."""
_MEND = "they are of two trainings: make them anew with `livecue model train`"


class _FirstStage(NamedTuple):
    graph: Graph
    settings: FirstStage


class IntentModel:
    """Scores turns. Safe to call from any thread; each call keeps one core busy until it returns.

    The first stage answers what it is sure of, within a tenth of a millisecond or two; the encoder answers the rest.
    """

    def __init__(self, manifest: Manifest, tokenizer: TurnTokenizer, encoder: Graph, first: _FirstStage | None) -> None:
        self.manifest = manifest
        self._tokenizer = tokenizer
        self._encoder = encoder
        self._first = first
        self._heads = Heads(manifest)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load the artefact in ``folder``, check it against its manifest and warm it up.

        Raises:
            ArtifactError: as `models.artifact.read_artifact`; or onnxruntime or tokenizers cannot read a file; or a
                graph's input or outputs are not what the manifest's heads need; or a graph does not run on every token
                of the tokenizer, or on a turn of the greatest length.
        """
        artifact = read_artifact(folder)
        manifest, settings = artifact.manifest, artifact.manifest.first_stage
        tokenizer = _open_tokenizer(folder, artifact)
        encoder = _open_graph(folder, artifact, "model.onnx", encoder_widths(manifest), tokenizer)
        first = None
        if settings is not None:
            widths = first_stage_widths(manifest, settings.embedding_width)
            first = _FirstStage(_open_graph(folder, artifact, "first_stage.onnx", widths, tokenizer), settings)
        return cls(manifest, tokenizer, encoder, first)

    def score(self, turns: Sequence[Utterance]) -> list[Scores]:
        """Score ``turns``; their scores come in the same order, and none depends on another turn.

        A text without a letter or digit says nothing: each of its labels has probability 0, and the rest is None. One
        beyond the manifest's ``max_tokens`` is scored by its beginning.
        """
        return [self._score(turn) for turn in turns]

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """The similarity embedding of each text, as in `Scores.embedding` but not in base64: int8, round(127·x).

        All zeros for a text without a letter or digit: it is like nothing.

        Raises:
            ArtifactError: the artefact has no first stage, or this is the model without its cascade.
        """
        if self._first is None:
            raise ArtifactError(f"model {self.manifest.revision} runs without a first stage, which embeds")
        graph, settings = self._first
        nothing = bytes(settings.embedding_width)
        readable = map(self._readable, texts)
        return [embedding_of(graph.run(self._tokenizer.ids(text))) if text else nothing for text in readable]

    def without_cascade(self) -> Self:
        """The same model, its encoder answering every turn."""
        return type(self)(self.manifest, self._tokenizer, self._encoder, None)

    @property
    def encoder(self) -> Graph:
        """The second stage, to be asked by itself (see `token_ids`)."""
        return self._encoder

    @property
    def first_stage(self) -> Graph | None:
        """The first stage likewise; None where the model runs without."""
        return None if self._first is None else self._first.graph

    def token_ids(self, text: str) -> list[int]:
        """What the stages are fed of ``text``: [CLS] and [SEP] alone where it has no letter or digit."""
        return self._tokenizer.ids(self._readable(text))

    def _score(self, turn: Utterance) -> Scores:
        text = self._readable(turn.text)
        if not text:
            return self._heads.silence(turn.speaker)
        tokens = self._tokenizer.ids(text)
        embedding = None
        if self._first is not None:
            answer = self._first.graph.run(tokens)
            embedding = embedding_of(answer)
            if is_sure(answer, turn.speaker, self._first.settings.sure_at):
                return self._heads.scores_of(turn, answer, stage="first_stage", embedding=embedding)
        answer = self._encoder.run(tokens)
        return self._heads.scores_of(turn, answer, stage="encoder", embedding=embedding)

    def _readable(self, text: str) -> str:
        """The beginning of ``text`` that is tokenized; empty where it has no letter or digit."""
        beginning = text[: self.manifest.max_tokens * _CHARACTERS_A_TOKEN]
        if not any(map(str.isalnum, beginning)):
            return ""
        # Lone surrogates, which JSON can carry, have no UTF-8 form; the tokenizer would refuse them.
        return beginning.encode("utf-8", "replace").decode("utf-8")


def _open_tokenizer(folder: Path, artifact: Artifact) -> TurnTokenizer:
    try:
        tokenizer = Tokenizer.from_buffer(artifact.content["tokenizer.json"])
        return TurnTokenizer(tokenizer, artifact.manifest.max_tokens)
    except Exception as error:  # tokenizers raises nothing narrower
        raise _does_not_load(folder / "tokenizer.json", error) from error


def _open_graph(
    folder: Path, artifact: Artifact, name: FileName, widths: dict[str, int], tokenizer: TurnTokenizer
) -> Graph:
    try:
        graph = Graph(artifact.content[name], widths)
    except GraphRefused as error:
        raise ArtifactError(f"{folder / name} {error}; {_MEND}") from error
    except Exception as error:  # onnxruntime raises nothing narrower
        raise _does_not_load(folder / name, error) from error
    _warm_up(folder / name, graph, tokenizer.last_id, artifact.manifest.max_tokens)
    return graph


def _does_not_load(path: Path, error: Exception) -> ArtifactError:
    return ArtifactError(f"{path} does not load: {_in_a_line(error)}; `livecue doctor` checks versions")


def _warm_up(path: Path, graph: Graph, last_id: int, max_tokens: int) -> None:
    """Run the shortest and the longest turn that can come, with the tokenizer's last token all through."""
    allowed = f"{max_tokens} tokens with ids up to {last_id}, which manifest and tokenizer allow"
    for length in (2, max_tokens):
        try:
            outputs = graph.run([last_id] * length)
        except Exception as error:  # onnxruntime raises nothing narrower
            raise ArtifactError(f"{path} does not run on {allowed} ({_in_a_line(error)}); {_MEND}") from error
        if not all(np.isfinite(values).all() for values in outputs.values()):
            raise ArtifactError(f"{path} gives what is no number on {allowed}; make it anew with `livecue model train`")


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())
