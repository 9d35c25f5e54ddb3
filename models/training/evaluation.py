"""How good an artefact is on labelled turns, as it serves: quantized, cascaded, thresholds applied. Needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.serving import IntentModel
from models.training.answers import Answers, Said, Stages
from models.training.calibration import expected_calibration_error
from models.training.measures import (
    LabelScore,
    Mask,
    Vector,
    error_by_chance,
    label_scores,
    macro_f1,
    share_ordered,
    worst_label_error,
)
from models.training.taxonomy import ACTIONABLE, LABELS
from models.training.turns import LabelledTurn

Claimed = tuple[Vector, NDArray[np.bool_]]
"""Probabilities, and what came true; flat."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All shares are in [0, 1]; None means that the model has no such head or the turns no such annotation."""

    turns: int
    labels: tuple[LabelScore, ...]
    idle_turns: int
    """Turns that want nothing: at most thanks or a goodbye holds."""
    idle_fired: int
    """On how many of them something fired that calls for action."""
    worst_label: tuple[str, float] | None
    """The label of the largest calibration error, and that error."""
    calibration_errors: dict[str, float]
    """By head: ``intents`` (all labels together), ``sentiment`` (its top class), ``churn_some`` and ``churn_high`` (the
    probabilities of at least some, and of high risk)."""
    errors_by_chance: dict[str, float]
    """By head: what a perfectly calibrated model would show on these turns (see `measures.error_by_chance`)."""
    sentiment_accuracy: float | None
    churn_auc: float | None
    """Probability that a turn of some or high churn risk is rated above one of none."""

    @property
    def macro_f1(self) -> float:
        return macro_f1(self.labels)

    @property
    def idle_share(self) -> float | None:
        return self.idle_fired / self.idle_turns if self.idle_turns else None

    def summary(self) -> dict[str, float]:
        """What goes into the manifest, 4 decimals."""
        scores = {
            "turns": float(self.turns),
            "macro_f1": self.macro_f1,
            "idle_turns": float(self.idle_turns),
            "idle_fired": self.idle_share,
            **{f"ece.{head}": error for head, error in self.calibration_errors.items()},
            **{f"ece_by_chance.{head}": error for head, error in self.errors_by_chance.items()},
            "ece.worst_label": self.worst_label[1] if self.worst_label else None,
            "sentiment_accuracy": self.sentiment_accuracy,
            "churn_auc": self.churn_auc,
            **{f"f1.{label.name}": label.f1 for label in self.labels if label.support},
        }
        return {name: round(score, 4) for name, score in scores.items() if score is not None}


def evaluate(model: IntentModel, turns: Sequence[LabelledTurn]) -> Evaluation:
    """Score ``turns``, whose labels are all annotated, as ``model`` serves, and compare."""
    stages = Stages(model)
    return compare(stages, stages.read(said_in(turns)).cascade, turns)


def compare(stages: Stages, answers: Answers, turns: Sequence[LabelledTurn]) -> Evaluation:
    """Compare ``answers``, one row a turn, with what the turns are labelled."""
    names = stages.names
    fires, holds = stages.fires(answers.intents), holds_in(turns, names)
    idle = np.array([wants_nothing(turn) for turn in turns])
    acts = np.array([name in ACTIONABLE or name not in LABELS for name in names], dtype=bool)
    asked = stages.can_carry(said_in(turns))
    said = _churn(answers, turns)
    if names:
        said["intents"] = (answers.intents[asked], holds[asked])
    sentiment = _sentiment(stages, answers, turns)
    if sentiment is not None:
        said["sentiment"] = sentiment
    return Evaluation(
        turns=len(turns),
        labels=label_scores(names, fires, holds),
        idle_turns=int(idle.sum()),
        idle_fired=int(fires[idle][:, acts].any(axis=1).sum()),
        worst_label=worst_label_error(names, answers.intents, holds, asked) if names else None,
        calibration_errors={head: expected_calibration_error(*pair) for head, pair in said.items()},
        errors_by_chance={head: error_by_chance(probabilities) for head, (probabilities, _) in said.items()},
        sentiment_accuracy=None if sentiment is None else float(sentiment[1].mean()),
        churn_auc=_churn_auc(answers, turns),
    )


def said_in(turns: Sequence[LabelledTurn]) -> list[Said]:
    """Speakers and texts."""
    return [(turn.speaker, turn.text) for turn in turns]


def holds_in(turns: Sequence[LabelledTurn], names: Sequence[str]) -> Mask:
    """(n, labels), true where the label holds."""
    return np.array([[name in turn.labels for name in names] for turn in turns], dtype=bool)


def wants_nothing(turn: LabelledTurn) -> bool:
    """Whether no label holds but those that call for nothing: thanks and goodbyes."""
    return all(label in LABELS and label not in ACTIONABLE for label in turn.labels)


def _sentiment(stages: Stages, answers: Answers, turns: Sequence[LabelledTurn]) -> Claimed | None:
    """Of the turns' likeliest class: how likely it was said to be, and whether it is right."""
    head = stages.manifest.sentiment
    if head is None or answers.sentiment is None:
        return None
    felt = [row for row, turn in enumerate(turns) if turn.sentiment in head.labels]
    if not felt:
        return None
    classes = np.array([head.labels.index(turns[row].sentiment or "") for row in felt])
    shares = answers.sentiment[felt]
    return shares.max(axis=1), shares.argmax(axis=1) == classes


def _churn(answers: Answers, turns: Sequence[LabelledTurn]) -> dict[str, Claimed]:
    rows, levels = _rated(turns)
    if answers.churn_risk is None or not rows:
        return {}
    some, high = answers.churn_risk[rows].T
    return {"churn_some": (some, levels >= 1), "churn_high": (high, levels >= 2)}


def _churn_auc(answers: Answers, turns: Sequence[LabelledTurn]) -> float | None:
    rows, levels = _rated(turns)
    if answers.churn_risk is None or not rows:
        return None
    expected = answers.churn_risk[rows].sum(axis=1)
    return share_ordered(expected[levels > 0], expected[levels == 0])


def _rated(turns: Sequence[LabelledTurn]) -> tuple[list[int], NDArray[np.int64]]:
    """Customers' turns whose churn risk is annotated, and the risks."""
    rows = [row for row, turn in enumerate(turns) if turn.churn_risk is not None and turn.speaker == "customer"]
    return rows, np.array([turns[row].churn_risk for row in rows])
