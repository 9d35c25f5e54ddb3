"""How good an artefact is on labelled turns, as it serves: int8, calibrated, thresholds applied. Needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.serving import IntentModel, Utterance
from models.training.calibration import expected_calibration_error
from models.training.turns import LabelledTurn
from schemas.conversation import Speaker
from schemas.intent import Scores


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label's result; precision and recall are 0 where nothing fired or nothing was there to be found."""

    name: str
    support: int
    fired: int
    right: int

    @property
    def precision(self) -> float:
        return self.right / self.fired if self.fired else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.support if self.support else 0.0

    @property
    def f1(self) -> float:
        return 2 * self.right / (self.fired + self.support) if self.fired + self.support else 0.0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All shares are in [0, 1]; None means that the model has no such head or the turns no such annotation."""

    turns: int
    labels: tuple[LabelScore, ...]
    idle_turns: int
    idle_fired: int
    """Turns that want nothing, and on how many of them something fired all the same."""
    calibration_error: float | None
    sentiment_accuracy: float | None
    churn_auc: float | None
    """Probability that a turn of some or high churn risk is rated above one of none."""

    @property
    def macro_f1(self) -> float:
        supported = [label.f1 for label in self.labels if label.support]
        return float(np.mean(supported)) if supported else 0.0

    def summary(self) -> dict[str, float]:
        """What goes into the manifest, 4 decimals."""
        scores = {
            "turns": float(self.turns),
            "macro_f1": self.macro_f1,
            "idle_fired": self.idle_fired / self.idle_turns if self.idle_turns else None,
            "calibration_error": self.calibration_error,
            "sentiment_accuracy": self.sentiment_accuracy,
            "churn_auc": self.churn_auc,
            **{f"f1.{label.name}": label.f1 for label in self.labels if label.support},
        }
        return {name: round(score, 4) for name, score in scores.items() if score is not None}


def evaluate(model: IntentModel, turns: Sequence[LabelledTurn]) -> Evaluation:
    """Score ``turns``, whose labels are all annotated, and compare."""
    scores = model.score([Utterance(Speaker(turn.speaker), turn.text) for turn in turns])
    pairs = list(zip(turns, scores, strict=True))
    names = [label.name for label in model.manifest.intents.labels] if model.manifest.intents else []
    said = np.array([score.intents[name] for _, score in pairs for name in sorted(score.intents)])
    held = np.array([name in turn.labels for turn, score in pairs for name in sorted(score.intents)])
    felt = [
        max(score.sentiment, key=score.sentiment.__getitem__) == turn.sentiment
        for turn, score in pairs
        if turn.sentiment is not None and score.sentiment is not None
    ]
    return Evaluation(
        turns=len(turns),
        labels=tuple(_label_score(name, pairs) for name in names),
        idle_turns=sum(not turn.labels for turn in turns),
        idle_fired=sum(bool(score.fired) for turn, score in pairs if not turn.labels),
        calibration_error=expected_calibration_error(said, held) if names else None,
        sentiment_accuracy=float(np.mean(felt)) if felt else None,
        churn_auc=_churn_auc(pairs),
    )


def _label_score(name: str, pairs: Sequence[tuple[LabelledTurn, Scores]]) -> LabelScore:
    return LabelScore(
        name=name,
        support=sum(name in turn.labels for turn, _ in pairs),
        fired=sum(name in score.fired for _, score in pairs),
        right=sum(name in turn.labels and name in score.fired for turn, score in pairs),
    )


def _churn_auc(pairs: Sequence[tuple[LabelledTurn, Scores]]) -> float | None:
    rated = [
        (score.churn_risk, turn.churn_risk)
        for turn, score in pairs
        if turn.churn_risk is not None and score.churn_risk is not None
    ]
    leaning = np.array([risk for risk, level in rated if level > 0])
    staying = np.array([risk for risk, level in rated if level == 0])
    return _share_ordered(leaning, staying) if leaning.size and staying.size else None


def _share_ordered(upper: NDArray[np.float64], lower: NDArray[np.float64]) -> float:
    above = (upper[:, None] > lower[None, :]).mean()
    level = (upper[:, None] == lower[None, :]).mean()
    return float(above + level / 2)
