"""How likely each bid was to be chosen, before anything was drawn. It is logged with every decision, so that from the
log alone it can be estimated what another policy would have brought (off-policy).

A bid's priority is σ(z)·w with z normal and w = C × V × L fixed. P(i wins) = ∫ Π_{j≠i} F_j dF_i over priorities that
beat the standing prompt, F_j the distribution of j's priority. Learned bids may be a hundred times narrower than new
ones, which defeats fixed nodes (Gauss–Hermite); so the axis is cut where any of them has a whole deviation, and each
cell is integrated by Simpson's rule with F and the product taken as parabolas: within 2e-4 of a fine grid.
"""

from collections.abc import Sequence
from math import erf, sqrt
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from guidance.decision.features import MOST, log_odds
from guidance.decision.posterior import sigmoid
from guidance.decision.propensity import Belief

_CUTS = np.linspace(-4.0, 4.0, 9)
"""Where each bid's own axis is cut, in standard deviations."""
_DIGITS = 6
_SURE = log_odds(MOST)
_NEVER = 1e-12


class Contender(Protocol):
    """What is needed of a bid."""

    @property
    def belief(self) -> Belief: ...
    @property
    def worth(self) -> float:
        """What its propensity is multiplied by: C × V × L, above 0."""


def selection_probabilities(bids: Sequence[Contender], must_beat: float) -> tuple[float, ...]:
    """By bid, the probability that its priority will be the highest of all and higher than `must_beat`.

    They sum to at most 1; the rest is the probability that none is chosen. Where nothing is drawn they are 0 or 1, and
    ties go to the first.
    """
    if not bids:
        return ()
    if not any(bid.belief.deviation for bid in bids):
        best = max(range(len(bids)), key=lambda place: (_priority(bids[place], 0.0), -place))
        return tuple(float(place == best and _priority(bid, 0.0) > must_beat) for place, bid in enumerate(bids))
    lows = [_priority(bid, -4.0) for bid in bids]
    start = max(must_beat, max(lows))
    alive = [place for place, bid in enumerate(bids) if _priority(bid, 4.0) > start]
    chances = [0.0] * len(bids)
    if len(alive) == 1 and must_beat <= max(lows):
        chances[alive[0]] = 1.0
    elif len(alive) == 1:
        chances[alive[0]] = round(1.0 - _below(bids[alive[0]], must_beat), _DIGITS)
    elif alive:
        found = _integrate([bids[place] for place in alive], start, must_beat)
        for place, chance in zip(alive, found, strict=True):
            chances[place] = round(chance, _DIGITS)
    return tuple(chances)


def _priority(bid: Contender, deviations: float) -> float:
    log_odds_ = bid.belief.mean + deviations * bid.belief.deviation
    return bid.worth * sigmoid(min(_SURE, max(-_SURE, log_odds_)))


def _below(bid: Contender, priority: float) -> float:
    """P(the bid's priority is at most `priority`)."""
    share = priority / bid.worth
    if share <= 0.0:
        return 0.0
    if share >= 1.0:
        return 1.0
    at = float(np.log(share / (1.0 - share)))
    return 0.5 + 0.5 * erf((at - bid.belief.mean) / (bid.belief.deviation * sqrt(2.0)))


def _integrate(bids: Sequence[Contender], start: float, must_beat: float) -> list[float]:
    mean = np.array([[bid.belief.mean] for bid in bids])
    spread = np.array([[max(1e-9, bid.belief.deviation)] for bid in bids])
    worth = np.array([[bid.worth] for bid in bids])
    cuts = (worth / (1.0 + np.exp(-(mean + spread * _CUTS)))).ravel()
    ends = np.concatenate(([start], np.sort(cuts[cuts > start])))
    cuts = np.empty(2 * len(ends) - 1)
    cuts[::2], cuts[1::2] = ends, (ends[1:] + ends[:-1]) / 2.0
    share = np.minimum(cuts / worth, 1.0 - 1e-12)
    below = np.maximum(_normal_cdf((np.log(share / (1.0 - share)) - mean) / spread), _NEVER)
    others = np.multiply.reduce(below) / below
    left, middle, right = below[:, :-1:2], below[:, 1::2], below[:, 2::2]
    rise = others[:, :-1:2] * (4.0 * middle - 3.0 * left - right)
    rise += others[:, 2::2] * (left - 4.0 * middle + 3.0 * right)
    rise += 4.0 * others[:, 1::2] * (right - left)
    chances = np.maximum(0.0, np.add.reduce(rise, axis=1) / 6.0)
    none = float(np.multiply.reduce(below[:, 0])) if start <= must_beat else 0.0
    total = float(np.add.reduce(chances))
    return [float(chance) * (1.0 - none) / total if total > 0.0 else 0.0 for chance in chances]


def _normal_cdf(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Φ, by Abramowitz & Stegun 7.1.26: within 1e-7."""
    z = np.abs(x) * 0.7071067811865476
    t = 1.0 / (1.0 + 0.3275911 * z)
    tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    half = 0.5 * tail * np.exp(-z * z)
    return np.where(x < 0.0, half, 1.0 - half)
