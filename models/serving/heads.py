"""From a turn's calibrated logits to its `Scores`: probabilities, thresholds, rounding. Pure.

Where the first stage answers, this costs as much as its graph: what is the same for every turn is worked out once, and
a few dozen numbers are not given to numpy, each call of which costs more than they do once the encoder has filled the
processor's cache.
"""

import base64
import math
from collections.abc import Mapping
from typing import Literal

from models.artifact import IntentsHead, Manifest
from models.serving.graph import Logits
from models.serving.utterance import Utterance
from schemas.conversation import Speaker
from schemas.intent import Scores

_STEPS = 10_000
"""Of a probability: it is told to four decimals."""
_PLACE = {speaker: index for index, speaker in enumerate(Speaker)}
_NEVER = math.inf
_NONE = 0.0
"""The logit of that it is none of the labels, where they exclude each other."""


def encoder_widths(manifest: Manifest) -> dict[str, int]:
    """The outputs that the manifest's heads need of a graph, and each one's number of columns."""
    widths = {}
    if manifest.intents is not None:
        widths["intents"] = len(manifest.intents.labels)
    if manifest.sentiment is not None:
        widths["sentiment"] = len(manifest.sentiment.labels)
    if manifest.churn_risk:
        widths["churn_risk"] = 2
    return widths


def first_stage_widths(manifest: Manifest, embedding_width: int) -> dict[str, int]:
    """The same of the first stage's graph, which has every head of the encoder's and two outputs of its own."""
    return {**encoder_widths(manifest), "sure": len(Speaker), "embedding": embedding_width}


class Heads:
    """What the heads of one manifest make of logits."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._intents = {} if manifest.intents is None else {who: _Intents(manifest.intents, who) for who in Speaker}
        self._sentiments = () if manifest.sentiment is None else manifest.sentiment.labels

    def scores_of(
        self,
        utterance: Utterance,
        logits: Mapping[str, Logits],
        *,
        stage: Literal["first_stage", "encoder"],
        embedding: bytes | None,
    ) -> Scores:
        """What one turn's logits say of it.

        Args:
            logits: of the stage that answers, by output name (see `encoder_widths`), each of shape ``(columns,)``.
            embedding: int8, as `embedding_of` gives it; None where there is no first stage.
        """
        intents: dict[str, float] = {}
        fired: tuple[str, ...] = ()
        if self._intents:
            intents, fired = self._intents[utterance.speaker].read(logits["intents"], is_final=utterance.is_final)
        sentiment = None
        if self._sentiments:
            sentiment = dict(zip(self._sentiments, _shares(logits["sentiment"].tolist()), strict=True))
        churn_risk = None
        if self._manifest.churn_risk and utterance.speaker is Speaker.CUSTOMER:
            churn_risk = _rounded(sum(map(_probability, logits["churn_risk"].tolist())))
        return Scores(
            model_revision=self._manifest.revision,
            intents=intents,
            fired=fired,
            sentiment=sentiment,
            churn_risk=churn_risk,
            embedding=None if embedding is None else base64.b64encode(embedding).decode("ascii"),
            stage=stage,
        )

    def silence(self, speaker: Speaker) -> Scores:
        """The scores of a text that says nothing: every label at 0, all else unknown."""
        names = self._intents[speaker].names if self._intents else ()
        return Scores(model_revision=self._manifest.revision, intents=dict.fromkeys(names, 0.0), fired=())


def is_sure(logits: Mapping[str, Logits], speaker: Speaker, sure_at: float) -> bool:
    """Whether the first stage, which said this of a turn, is sure enough to answer it."""
    return _probability(float(logits["sure"][_PLACE[speaker]])) >= sure_at


def embedding_of(logits: Mapping[str, Logits]) -> bytes:
    """The first stage's embedding as int8, round(127·x) of each number of a unit vector."""
    return bytes([round(127.0 * each) & 0xFF for each in logits["embedding"].tolist()])


class _Intents:
    """The labels that one speaker's turns can carry."""

    def __init__(self, head: IntentsHead, speaker: Speaker) -> None:
        carried = [(column, label) for column, label in enumerate(head.labels) if speaker in label.speakers]
        self.names = tuple(label.name for _, label in carried)
        self._exclusive = head.exclusive
        self._columns = [column for column, _ in carried]
        self._whole = [label.threshold for _, label in carried]
        self._partial = [_NEVER if label.partial_threshold is None else label.partial_threshold for _, label in carried]

    def read(self, logits: Logits, *, is_final: bool) -> tuple[dict[str, float], tuple[str, ...]]:
        """The labels' probabilities, and those that fire, most probable first.

        An exclusive head's are shared out among all labels, whoever can carry them, and none of them, and only the
        likeliest fires.
        """
        of_all: list[float] = logits.tolist()
        if self._exclusive:
            of_all = _shares([*of_all, _NONE])
            rounded = [of_all[column] for column in self._columns]
        else:
            rounded = [_rounded(_probability(of_all[column])) for column in self._columns]
        fires_at = self._whole if is_final else self._partial
        labels = list(zip(rounded, self.names, fires_at, strict=True))
        can_fire = [min(labels, key=_likeliest_first)] if self._exclusive and labels else labels
        fired = sorted((label for label in can_fire if label[0] >= label[2]), key=_likeliest_first)
        return dict(zip(self.names, rounded, strict=True)), tuple(name for _, name, _ in fired)


def _likeliest_first(label: tuple[float, str, float]) -> tuple[float, str]:
    return -label[0], label[1]


def _probability(logit: float) -> float:
    # By tanh, which overflows nowhere.
    return 0.5 + 0.5 * math.tanh(0.5 * logit)


def _shares(logits: list[float]) -> list[float]:
    most = max(logits)
    shares = [math.exp(each - most) for each in logits]
    total = sum(shares)
    return [_rounded(each / total) for each in shares]


def _rounded(probability: float) -> float:
    return int(probability * _STEPS + 0.5) / _STEPS
