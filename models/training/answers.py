"""What each stage of an artefact says of turns, as arrays of probabilities: what every measurement begins with.

Serving asks the encoder only where the first stage is not sure. Here both are asked about every turn, so that one
reading gives the encoder alone, and the cascade as it serves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.artifact import Manifest, read_artifact
from models.training.calibration import sigmoid, softmax
from models.training.measures import Mask, Matrix
from schemas.conversation import Speaker

Said = tuple[str, str]
"""Who speaks, and the text."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Probabilities, one row a turn. A head that the model lacks is None."""

    intents: Matrix
    """(n, labels); 0 where the turn's speaker cannot carry the label, or the turn has no letter and no digit."""
    sentiment: Matrix | None
    """(n, classes), each row summing to 1."""
    churn_risk: Matrix | None
    """(n, 2): P(at least some) and P(high); the expected risk is their sum. They mean nothing on agents' turns."""

    def but_where(self, mask: Mask, other: "Answers") -> "Answers":
        """These answers, and the other's on the turns of ``mask`` (n,)."""

        def choose(mine: Matrix | None, others: Matrix | None) -> Matrix | None:
            return None if mine is None or others is None else np.where(mask[:, None], others, mine)

        return Answers(
            intents=np.where(mask[:, None], other.intents, self.intents),
            sentiment=choose(self.sentiment, other.sentiment),
            churn_risk=choose(self.churn_risk, other.churn_risk),
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What the stages say of the same turns."""

    encoder: Answers
    first: Answers | None
    """None: the artefact has no first stage."""
    by_first: Mask
    """(n,), where the first stage is sure enough to answer."""

    @property
    def cascade(self) -> Answers:
        """As it serves: the first stage where it is sure, the encoder elsewhere."""
        return self.encoder if self.first is None else self.encoder.but_where(self.by_first, self.first)


class Stages:
    """An artefact of which each stage can be asked by itself; one thread, no spinning, as it serves."""

    def __init__(self, manifest: Manifest, tokenizer: Tokenizer, encoder: "Graph", first: "Graph | None") -> None:
        self.manifest = manifest
        self.tokenizer = tokenizer
        self.encoder = encoder
        self.first = first
        """None: the artefact has no first stage."""
        self.names = tuple(label.name for label in manifest.intents.labels) if manifest.intents else ()

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load the artefact in ``folder``.

        Raises:
            ArtifactError: as `models.artifact.read_artifact`.
        """
        manifest, content = read_artifact(folder)
        tokenizer = Tokenizer.from_str(content["tokenizer.json"].decode())
        tokenizer.no_padding()
        tokenizer.enable_truncation(manifest.max_tokens)
        first = Graph(content["first_stage.onnx"]) if manifest.first_stage else None
        return cls(manifest, tokenizer, Graph(content["model.onnx"]), first)

    def read(self, turns: Sequence[Said]) -> Reading:
        """Ask both stages about every turn, each run by itself."""
        ids = [self.ids_of(text) for _, text in turns]
        encoder = self._answers(turns, [self.encoder.run(row) for row in ids])
        if self.first is None:
            return Reading(encoder, None, np.zeros(len(turns), dtype=bool))
        said = [self.first.run(row) for row in ids]
        return Reading(encoder, self._answers(turns, said), np.array([self.is_sure(each) for each in said]))

    def ids_of(self, text: str) -> list[int]:
        """Token ids, [CLS] and [SEP] included, cut at the manifest's ``max_tokens``."""
        return list(self.tokenizer.encode(text.encode("utf-8", "replace").decode()).ids)

    def is_sure(self, said: Mapping[str, Matrix]) -> bool:
        """Whether the first stage, which said this of one turn, is sure enough to answer it."""
        head = self.manifest.first_stage
        return head is not None and float(sigmoid(said["sure"][0, 0].astype(np.float64))) >= head.sure_at

    def fires(self, intents: Matrix, *, partial: bool = False) -> Mask:
        """Which labels fire at probabilities (n, labels); of an exclusive head at most the likeliest."""
        head = self.manifest.intents
        if head is None:
            return np.zeros_like(intents, dtype=bool)
        at = np.array([label.partial_threshold if partial else label.threshold for label in head.labels])
        fires = (intents >= at) & (intents > 0)
        if head.exclusive:
            fires &= intents == intents.max(axis=1, keepdims=True)
        return np.asarray(fires)

    def can_carry(self, turns: Sequence[Said]) -> Mask:
        """(n, labels), true where the turn's speaker can carry the label."""
        labels = self.manifest.intents.labels if self.manifest.intents else ()
        return np.array([[Speaker(who) in label.speakers for label in labels] for who, _ in turns], dtype=bool)

    def _answers(self, turns: Sequence[Said], logits: Sequence[Mapping[str, Matrix]]) -> Answers:
        def stacked(name: str) -> Matrix:
            return np.concatenate([row[name] for row in logits]).astype(np.float64)

        manifest = self.manifest
        intents = np.zeros((len(turns), 0))
        if manifest.intents is not None:
            raw = stacked("intents")
            says_something = np.array([any(map(str.isalnum, text)) for _, text in turns])
            asked = self.can_carry(turns) & says_something[:, None]
            intents = np.where(asked, softmax(raw) if manifest.intents.exclusive else sigmoid(raw), 0.0)
        return Answers(
            intents=intents,
            sentiment=softmax(stacked("sentiment")) if manifest.sentiment else None,
            churn_risk=sigmoid(stacked("churn_risk")) if manifest.churn_risk else None,
        )


class Graph:
    """An ONNX graph in onnxruntime, on one thread that never spins."""

    def __init__(self, model: bytes) -> None:
        """``model``: the graph, serialized."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session: Any = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._outputs = [output.name for output in self._session.get_outputs()]

    def run(self, ids: Sequence[int]) -> dict[str, Matrix]:
        """All outputs for one turn's token ids, by name, each (1, columns)."""
        return self.feed(input_ids=np.array([ids], dtype=np.int64))

    def feed(self, **inputs: NDArray[np.generic]) -> dict[str, Matrix]:
        """All outputs for inputs given by name."""
        return dict(zip(self._outputs, self._session.run(self._outputs, inputs), strict=True))
