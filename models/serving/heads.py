"""From a turn's logits to its `Scores`: calibration, thresholds, rounding. Pure but for numpy."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.artifact import Manifest
from schemas.conversation import Speaker
from schemas.intent import Scores

Logits = NDArray[np.float32]
_DECIMALS = 4


def output_widths(manifest: Manifest) -> dict[str, int]:
    """The outputs that the manifest's heads need of the model, and each one's number of columns."""
    widths = {}
    if manifest.intents is not None:
        widths["intents"] = len(manifest.intents.labels)
    if manifest.sentiment is not None:
        widths["sentiment"] = len(manifest.sentiment.labels)
    if manifest.churn_risk is not None:
        widths["churn_risk"] = 2
    return widths


def scores_of(manifest: Manifest, speaker: Speaker, logits: Mapping[str, Logits], *, says_something: bool) -> Scores:
    """Calibrate one turn's logits.

    Args:
        logits: by output name (see `output_widths`), one row each, shape ``(columns,)``.
        says_something: False for a text without a letter or digit: its intents are all 0 and none fires.
    """
    intents: dict[str, float] = {}
    fired: list[str] = []
    if manifest.intents is not None:
        probabilities = _sigmoid(logits["intents"] / manifest.intents.temperature)
        for label, probability in zip(manifest.intents.labels, probabilities, strict=True):
            if speaker in label.speakers:
                intents[label.name] = round(float(probability), _DECIMALS) if says_something else 0.0
                if says_something and intents[label.name] >= label.threshold:
                    fired.append(label.name)
    sentiment = None
    if manifest.sentiment is not None:
        shares = _softmax(logits["sentiment"] / manifest.sentiment.temperature)
        sentiment = {
            name: round(float(share), _DECIMALS) for name, share in zip(manifest.sentiment.labels, shares, strict=True)
        }
    churn_risk = None
    if manifest.churn_risk is not None and speaker is Speaker.CUSTOMER:
        churn_risk = round(float(_sigmoid(logits["churn_risk"] / manifest.churn_risk.temperature).sum()), _DECIMALS)
    return Scores(
        model_revision=manifest.revision,
        intents=intents,
        fired=tuple(sorted(fired, key=lambda name: (-intents[name], name))),
        sentiment=sentiment,
        churn_risk=churn_risk,
    )


def _sigmoid(logits: Logits) -> NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits.astype(np.float64), -60.0, 60.0))))


def _softmax(logits: Logits) -> NDArray[np.float64]:
    shares = np.exp(logits.astype(np.float64) - logits.max())
    return np.asarray(shares / shares.sum())
