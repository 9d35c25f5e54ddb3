"""At which probability a label fires on a turn that is still being said: where it names what the whole turn is about.

How often a label that leads the first words also leads the whole turn differs by label: thanks seldom do, a disclosure
nearly always does. A label of which that was seldom seen is judged by all labels together, and one that does
not earn a threshold has none: it never fires on a partial turn.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.calibration import Matrix, Vector, sigmoid

AGREEMENT = 0.94
"""Of the partial turns that fire, how many must name the whole turn's likeliest label, told by those left out of the
choice. 0.9 is wanted; the rest is for chance, since few fire."""
NEVER = float("inf")
"""The threshold of a label that fires on no partial turn."""
_STEPS = sigmoid(np.arange(-0.8, 7.6, 0.2))
_STAKES = np.round(np.arange(0.5, 0.99, 0.02), 2)
_DOUBT = 4.0
"""So many beginnings, right as often as all labels' at the same probability, are added to each label's own."""
_FOLDS = 5

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Beginnings:
    """The first words of turns that are longer, each by the label that leads them."""

    leading: NDArray[np.intp]
    """(n,), the likeliest label of the first words."""
    probability: Vector
    """(n,), of that label."""
    right: Mask
    """(n,), whether it is the likeliest of the whole turn."""

    @classmethod
    def of(cls, begun: Matrix, whole: Matrix) -> "Beginnings":
        """Of the probabilities of first words and of their whole turns, (n, labels), 0 for what nobody can mean."""
        leading = begun.argmax(axis=1)
        return cls(leading, begun.max(axis=1), whole.argmax(axis=1) == leading)

    def __getitem__(self, rows: Mask) -> "Beginnings":
        return Beginnings(self.leading[rows], self.probability[rows], self.right[rows])


def choose_partial(seen: Beginnings, whole: Vector) -> tuple[Vector, dict[str, float]]:
    """A threshold a label, none under its ``whole`` one (labels,), NEVER where it is not to fire; what it comes to.

    The more an error costs, the fewer fire, and the more of those are right. The cost is the least at which
    AGREEMENT is reached by beginnings that had no part in the choice.
    """
    if not len(seen.right):
        return np.full(len(whole), NEVER), {"validation.partial_fires": 0.0}
    folds = np.arange(len(seen.right)) % _FOLDS

    def left_out(stake: float) -> tuple[float, float]:
        fires = np.zeros(len(seen.right), dtype=bool)
        for fold in range(_FOLDS):
            at = _at_stake(stake, seen[folds != fold], whole)
            fires |= (folds == fold) & (seen.probability >= at[seen.leading])
        return (float(seen.right[fires].mean()) if fires.any() else 0.0), float(fires.mean())

    stake, (agreement, share) = _least(left_out)
    return _at_stake(stake, seen, whole), {
        "validation.partial_agreement": agreement,
        "validation.partial_fires": share,
    }


def _least(tried: Callable[[float], tuple[float, float]]) -> tuple[float, tuple[float, float]]:
    """The least stake that reaches AGREEMENT; else the one that comes nearest."""
    found = []
    for stake in _STAKES:
        agreement, share = tried(float(stake))
        if agreement >= AGREEMENT:
            return float(stake), (agreement, share)
        found.append((agreement, float(stake), share))
    agreement, stake, share = max(found)
    return stake, (agreement, share)


def _at_stake(stake: float, seen: Beginnings, whole: Vector) -> Vector:
    """For each label the threshold at which most is gained, if one right answer gains 1 - stake and a wrong one costs
    stake."""
    overall = [_share_right(seen.right[seen.probability >= step], 2.0, 0.7) for step in _STEPS]
    chosen = np.full(len(whole), NEVER)
    for label, lowest in enumerate(whole):
        mine = seen.leading == label
        probability, right = seen.probability[mine], seen.right[mine]
        gains = []
        for step, usual in zip(_STEPS, overall, strict=True):
            fired = right[probability >= max(step, lowest)]
            gains.append(len(fired) * (_share_right(fired, _DOUBT, usual) - stake))
        best = int(np.argmax(gains))
        if gains[best] > 0:
            chosen[label] = max(float(_STEPS[best]), float(lowest))
    return chosen


def _share_right(right: Mask, doubt: float, usual: float) -> float:
    return float((right.sum() + doubt * usual) / (len(right) + doubt))
