"""Guided against control: what guidance brings, by experiment. Chance decides who is in which, so nothing else differs."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from guidance.lift.estimate import Estimate, Indices, Mask, Vector, ratio

LEAST_PROMPTS = 100
"""Prompts with a known outcome that each group must have before a difference is called one."""
LEAST_ACCEPTED = 10
"""So, too, of those accepted: the normal interval of a share needs about as many."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two groups."""

    count: int
    """What was averaged over: prompts, or conversations."""
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure in both groups."""

    guided: Side
    control: Side

    @property
    def difference(self) -> Estimate:
        """Guided less control."""
        guided, control = self.guided.estimate, self.control.estimate
        return Estimate(
            guided.value - control.value,
            sqrt(guided.error**2 + control.error**2),
            guided.customers + control.customers,
        )

    @property
    def relative(self) -> Estimate | None:
        """The difference as a share of control, by the delta method. None: control's interval reaches 0, so that
        anything might be said."""
        guided, control = self.guided.estimate, self.control.estimate
        if not control.low > 0.0:
            return None
        error = sqrt(guided.error**2 + (guided.value / control.value * control.error) ** 2) / control.value
        return Estimate(guided.value / control.value - 1.0, error, guided.customers + control.customers)


def compare(above: Vector, below: Vector, customer: Indices, control: Mask) -> Comparison | None:
    """Σ above / Σ below in both groups; all (n,). None: one of them is empty."""
    if control.all() or not control.any():
        return None
    guided = ~control
    return Comparison(
        guided=Side(_count(below[guided]), ratio(above[guided], below[guided], customer[guided])),
        control=Side(_count(below[control]), ratio(above[control], below[control], customer[control])),
    )


def _count(below: Vector) -> int:
    return round(float(np.sum(below)))
