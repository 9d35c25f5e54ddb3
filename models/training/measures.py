"""How far probabilities and the truth agree: the model card's figures, over plain arrays and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.calibration import expected_calibration_error

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label's result; precision and recall are 0 where nothing fired or nothing was there to be found."""

    name: str
    support: int
    """Turns on which it holds."""
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


def label_scores(names: Sequence[str], fires: Mask, holds: Mask) -> tuple[LabelScore, ...]:
    """One score a label; ``fires`` and ``holds`` are (n, labels)."""
    counts = zip(names, holds.sum(axis=0), fires.sum(axis=0), (fires & holds).sum(axis=0), strict=True)
    return tuple(LabelScore(name, int(support), int(fired), int(right)) for name, support, fired, right in counts)


def macro_f1(labels: Sequence[LabelScore]) -> float:
    """Mean F1 of the labels that hold on some turn; 0 where none does."""
    supported = [label.f1 for label in labels if label.support]
    return float(np.mean(supported)) if supported else 0.0


def share_ordered(upper: Vector, lower: Vector) -> float | None:
    """Probability that one of ``upper`` is above one of ``lower``, ties counting half: the area under the ROC curve.

    None where either is empty.
    """
    if not (upper.size and lower.size):
        return None
    above = (upper[:, None] > lower[None, :]).mean()
    level = (upper[:, None] == lower[None, :]).mean()
    return float(above + level / 2)


def error_by_chance(probabilities: Vector, draws: int = 200) -> float:
    """The calibration error that a perfectly calibrated model would show on as many turns, by chance alone.

    Whether each holds is drawn with the probability that was said of it: the mean error of ``draws`` such worlds.
    """
    rng = np.random.default_rng(0)
    worlds = (rng.random(len(probabilities)) < probabilities for _ in range(draws))
    return float(np.mean([expected_calibration_error(probabilities, holds) for holds in worlds]))


def worst_label_error(names: Sequence[str], probabilities: Matrix, holds: Mask, asked: Mask) -> tuple[str, float]:
    """The label whose own probabilities are furthest from the truth, and how far; all matrices (n, labels).

    ``asked`` is true where the turn's speaker can carry the label. A label of few turns looks worse than it is: its
    bins hold a handful each.
    """
    errors = [
        expected_calibration_error(probabilities[rows, column], holds[rows, column]) if rows.any() else 0.0
        for column, rows in enumerate(asked.T)
    ]
    worst = int(np.argmax(errors))
    return names[worst], errors[worst]


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the first words of a turn say, against the whole of it."""

    turns: int
    """Turns longer than their first words."""
    fired: int
    """Of these, how many fire on their first words already."""
    among_fired: int
    """Of those that fire, on how many what came first is among what the whole turn fires."""
    same_top: int
    """Of those that fire, on how many it is the whole turn's most probable label."""


def agreement(early: Matrix, early_fires: Mask, whole: Matrix, whole_fires: Mask) -> Agreement:
    """Compare the first words' probabilities (n, labels) and what fires on them with those of the whole turns."""
    rows = np.flatnonzero(early_fires.any(axis=1))
    first = np.where(early_fires, early, -1.0)[rows].argmax(axis=1)
    return Agreement(
        turns=len(early),
        fired=len(rows),
        among_fired=int(whole_fires[rows, first].sum()),
        same_top=int((whole[rows].argmax(axis=1) == first).sum()),
    )
