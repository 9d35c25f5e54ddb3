"""From a turn's calibrated logits to its `Scores`: probabilities, thresholds, rounding. Pure but for numpy."""

import base64
from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.artifact import IntentsHead, Manifest
from models.serving.graph import Logits
from models.serving.utterance import Utterance
from schemas.conversation import Speaker
from schemas.intent import Scores

Probabilities = NDArray[np.float64]
_DECIMALS = 4
_SPEAKERS = tuple(Speaker)


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


def scores_of(
    manifest: Manifest,
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
    if manifest.intents is not None:
        intents = _intents(manifest.intents, utterance.speaker, logits["intents"])
        fired = _fired(manifest.intents, intents, is_final=utterance.is_final)
    sentiment = None
    if manifest.sentiment is not None:
        sentiment = dict(zip(manifest.sentiment.labels, _rounded(_softmax(logits["sentiment"])), strict=True))
    churn_risk = None
    if manifest.churn_risk and utterance.speaker is Speaker.CUSTOMER:
        churn_risk = round(float(sigmoid(logits["churn_risk"]).sum()), _DECIMALS)
    return Scores(
        model_revision=manifest.revision,
        intents=intents,
        fired=fired,
        sentiment=sentiment,
        churn_risk=churn_risk,
        embedding=None if embedding is None else base64.b64encode(embedding).decode("ascii"),
        stage=stage,
    )


def is_sure(logits: Mapping[str, Logits], speaker: Speaker, sure_at: float) -> bool:
    """Whether the first stage, which said this of a turn, is sure enough to answer it."""
    return bool(sigmoid(logits["sure"])[_SPEAKERS.index(speaker)] >= sure_at)


def silence(manifest: Manifest, speaker: Speaker) -> Scores:
    """The scores of a text that says nothing: every label at 0, all else unknown."""
    labels = manifest.intents.labels if manifest.intents else ()
    intents = {label.name: 0.0 for label in labels if speaker in label.speakers}
    return Scores(model_revision=manifest.revision, intents=intents, fired=())


def embedding_of(logits: Mapping[str, Logits]) -> bytes:
    """The first stage's embedding as int8, round(127·x) of each number of a unit vector."""
    scaled: NDArray[np.int8] = np.rint(logits["embedding"] * 127.0).clip(-127, 127).astype(np.int8)
    return scaled.tobytes()


def sigmoid(logits: Logits) -> Probabilities:
    # By tanh, which overflows nowhere.
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * logits.astype(np.float64)))


def _softmax(logits: Logits) -> Probabilities:
    shares = np.exp(logits.astype(np.float64) - logits.max())
    return np.asarray(shares / shares.sum())


def _rounded(probabilities: Probabilities) -> list[float]:
    rounded: list[float] = probabilities.round(_DECIMALS).tolist()
    return rounded


def _intents(head: IntentsHead, speaker: Speaker, logits: Logits) -> dict[str, float]:
    """Probability by label of this speaker; an exclusive head's are shared out among all labels all the same."""
    probabilities = _rounded(_softmax(logits) if head.exclusive else sigmoid(logits))
    pairs = zip(head.labels, probabilities, strict=True)
    return {label.name: probability for label, probability in pairs if speaker in label.speakers}


def _fired(head: IntentsHead, intents: Mapping[str, float], *, is_final: bool) -> tuple[str, ...]:
    """The labels over their threshold, most probable first; of an exclusive head none but the likeliest."""
    by_probability = sorted(intents, key=lambda name: (-intents[name], name))
    thresholds = {label.name: label.threshold if is_final else label.partial_threshold for label in head.labels}
    asked = by_probability[:1] if head.exclusive else by_probability
    return tuple(name for name in asked if (at := thresholds[name]) is not None and intents[name] >= at)
