"""Accuracy on Banking77, and in-scope accuracy and out-of-scope recall on CLINC150, as the published tables have them.

Both take what any classifier says: for every row a confidence per class, the highest of which is its answer. Ours and
the baselines' go through the same functions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.training.measures import Mask, Matrix, Vector

IN_SCOPE_FLOOR = 0.96
"""The in-scope accuracy that must be kept while as much as possible that is out of scope is turned away."""
_ONE_IN_TWENTY = 1.645
"""So many standard deviations a normal variable exceeds with a probability of 0.05."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A classifier's answers to rows whose class is among its own, or to rows out of scope (``right`` all false)."""

    confidence: Vector
    """(n,), of the most confident class; probabilities or margins."""
    right: Mask
    """(n,), whether that class is the row's."""

    @property
    def accuracy(self) -> float:
        """Share of right answers where every row is answered."""
        return float(self.right.mean())


def answered(confidences: Matrix, classes: Sequence[str], expected: Sequence[str]) -> Answered:
    """The answers of ``confidences`` (n, classes) to rows of the classes ``expected``.

    Rows of a class that the classifier does not know count as wrong; those out of scope are given as such.
    """
    best = confidences.argmax(axis=1)
    right = np.array([classes[column] == name for column, name in zip(best, expected, strict=True)], dtype=bool)
    return Answered(confidences.max(axis=1), right)


@dataclass(frozen=True, slots=True)
class InAndOut:
    """What a threshold on confidence gives; rows under it are called out of scope."""

    threshold: float
    in_scope: float
    """Share of the in-scope rows answered and answered right."""
    oos_recall: float
    """Share of the out-of-scope rows called so."""


def at_threshold(threshold: float, scope: Answered, outside: Answered) -> InAndOut:
    """In-scope accuracy and out-of-scope recall when only answers at or over ``threshold`` are given."""
    return InAndOut(
        threshold=threshold,
        in_scope=float((scope.right & (scope.confidence >= threshold)).mean()),
        oos_recall=float((outside.confidence < threshold).mean()),
    )


def paper_threshold(scope: Answered, outside: Answered) -> float:
    """The threshold of the best accuracy over all validation rows, those out of scope included.

    Larson et al. 2019, section 3, "oos-threshold". Of equal ones the lowest.
    """
    candidates = _candidates(scope, outside)
    return max(candidates, key=lambda threshold: (_accuracy(threshold, scope, outside), -threshold))


def strictest_threshold(scope: Answered, outside: Answered, floor: float = IN_SCOPE_FLOOR) -> float:
    """The highest threshold that keeps the in-scope accuracy at ``floor``, lowest if none does.

    Of the validation rows so many more must be right that, were the true accuracy no more than ``floor``, so many would
    be in one of twenty sets of their size (one-sided, normal approximation of a binomial).
    """
    candidates = _candidates(scope, outside)
    margin = _ONE_IN_TWENTY * math.sqrt(floor * (1 - floor) / len(scope.right))
    keeping = [each for each in candidates if at_threshold(each, scope, outside).in_scope >= floor + margin]
    return max(keeping, default=candidates[0])


def _accuracy(threshold: float, scope: Answered, outside: Answered) -> float:
    right = (scope.right & (scope.confidence >= threshold)).sum() + (outside.confidence < threshold).sum()
    return float(right) / (len(scope.right) + len(outside.right))


def _candidates(scope: Answered, outside: Answered) -> list[float]:
    """Every confidence that parts the rows otherwise than its neighbours, ascending."""
    return [float(each) for each in np.unique(np.concatenate([scope.confidence, outside.confidence]))]
