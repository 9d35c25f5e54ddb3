"""An estimate and how far it can be trusted."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

CONFIDENCE = 0.95
_DEVIATIONS = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2.0)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, its standard error, and how many independent customers it rests on."""

    value: float
    error: float
    """Standard error. Infinite where there are fewer than two customers."""
    customers: int

    @property
    def low(self) -> float:
        """The lower end of the 95 % interval, which is normal about the figure."""
        return self.value - _DEVIATIONS * self.error

    @property
    def high(self) -> float:
        """The upper end."""
        return self.value + _DEVIATIONS * self.error

    def covers(self, truth: float) -> bool:
        """Whether `truth` is within the interval."""
        return self.low <= truth <= self.high


def by_influence(value: float, influence: Vector, customer: Indices) -> Estimate:
    """An estimate from its influence function.

    Args:
        influence: (n,), what each decision adds to value's error, to first order: value − truth ≈ their mean.
        customer: (n,), from 0. Decisions on one customer hang together, so their influences are added before squaring
            (cluster-robust; Liang & Zeger, Biometrika 73, 1986).
    """
    by_customer = np.bincount(customer, weights=influence)[np.bincount(customer) > 0]
    count = len(by_customer)
    if count < 2:
        return Estimate(value, float("inf"), count)
    error = sqrt(float(by_customer @ by_customer) * count / (count - 1)) / len(influence)
    return Estimate(value, error, count)


def ratio(above: Vector, below: Vector, customer: Indices) -> Estimate:
    """Σ above / Σ below, by the delta method: accepted prompts of all prompts, where customers have several.

    Args:
        above, below: (n,), Σ below is not 0.
        customer: (n,), from 0.
    """
    value = float(above.sum() / below.sum())
    return by_influence(value, (above - value * below) / below.mean(), customer)
