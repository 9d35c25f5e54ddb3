"""How well a run did, without noise: by the true chances of acceptance, not by what happened to be accepted."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deploy.sim.play import BATCH, play
from deploy.sim.world import World

Vector = NDArray[np.float64]
LAST = 2_000
"""Decisions over which the share at the end is taken."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One world played through, without the control group. Each array: (n,), the true chance that what a policy chose
    is accepted, in the order of the decisions."""

    seed: int
    learned: Vector
    """What was decided."""
    oracle: Vector
    """The best that could have been, knowing the truth."""
    random: Vector
    """Any of the offers, on average."""
    fixed: Vector
    """By the catalogue's priors."""
    in_control: int
    """Decisions left out, because chance made them for the control group."""

    def share(self, policy: Vector, last: int = LAST) -> float:
        """Share of oracle acceptance: what `policy` chose over the last decisions was, in expectation, accepted so many
        times as often as what the oracle would have chosen for the same customers."""
        return float(policy[-last:].sum() / self.oracle[-last:].sum())

    def regret(self, policy: Vector) -> Vector:
        """(n,) acceptances that the oracle would have had more until then, in expectation."""
        total: Vector = np.cumsum(self.oracle - policy)
        return total


def run(
    seed: int, decisions: int, *, offers: int = 12, batch: int = BATCH, each: Callable[[], None] = lambda: None
) -> Trial:
    """Play `World(seed)` through. `each` is called after every decision."""
    world = World(seed, offers)
    rows: list[tuple[float, float, float, float]] = []
    in_control = 0
    for step in play(world, decisions, batch=batch):
        each()
        if step.decision.group == "control":
            in_control += 1
            continue
        truth = step.acceptance
        rows.append((truth[step.chosen], truth.max(), truth.mean(), truth[step.by_fixed_rule]))
    learned, oracle, random, fixed = np.array(rows).reshape(-1, 4).T
    return Trial(seed, learned, oracle, random, fixed, in_control)
