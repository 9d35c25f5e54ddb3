"""At which probability a label fires on a whole turn: as good as can be on what is meant, quiet on talk that wants
nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.calibration import (
    Matrix,
    Vector,
    choose_threshold,
    f1_by_step,
    sigmoid,
    softmax_beside_none,
    threshold_steps,
)
from models.training.task import Task
from models.training.taxonomy import ACTIONABLE, LABELS, PROTECTIVE

MOST_IDLE_FIRED = 0.03
"""Of the validation turns that want nothing, on how many an actionable label may fire: three idle turns in a
hundred are what agents may have to bear."""
_EXCLUSIVE_LOWEST = 0.5

Arrays = Mapping[str, Matrix]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """One probability a label, in the task's order; ``whole`` may be (n, labels), each turn with its own."""

    whole: Vector
    partial: Vector
    """`partials.NEVER` for a label that never fires on a partial turn."""

    def fires(self, task: Task, intents: Matrix) -> Mask:
        """Which labels fire on whole turns; ``intents`` are logits (n, labels)."""
        probabilities = probabilities_of(task, intents)
        fires = probabilities >= self.whole
        if task.exclusive:
            fires &= probabilities == probabilities.max(axis=1, keepdims=True)
        return np.asarray(fires)

    def edges(self, task: Task) -> Vector:
        """As logits, (labels,); zeros where labels exclude each other, for then no logit means anything alone."""
        return np.zeros_like(self.whole) if task.exclusive else np.log(self.whole / (1 - self.whole))


def probabilities_of(task: Task, intents: Matrix) -> Matrix:
    """Calibrated logits (n, labels) as probabilities."""
    return softmax_beside_none(intents) if task.exclusive else sigmoid(intents)


def choose_thresholds(task: Task, intents: Matrix, holds: Mask, known: Mask) -> Vector:
    """Thresholds (labels,) for calibrated logits (n, labels) of validation turns.

    Args:
        holds: (n, labels), which labels hold.
        known: (n, labels), of which labels it is known whether they hold: those that the turn's speaker can carry.
    """
    probabilities = probabilities_of(task, intents)
    if task.exclusive:
        right = holds[np.arange(len(holds)), probabilities.argmax(axis=1)]
        return np.full(len(task.labels), choose_threshold(probabilities.max(axis=1), right, _EXCLUSIVE_LOWEST))
    chosen = np.array([choose_threshold(probabilities[k, c], holds[k, c]) for c, k in enumerate(known.T)])
    calls = np.array([label in ACTIONABLE or label not in LABELS for label in task.labels])
    idle = ~(holds & calls).any(axis=1)
    on_idle = np.where(known & calls, probabilities, 0.0)[idle]
    f1 = np.array([f1_by_step(probabilities[k, c], holds[k, c]) for c, k in enumerate(known.T)])
    may_rise = np.array([label not in PROTECTIVE for label in task.labels])
    return _quiet(chosen, f1, on_idle, may_rise)


def unseen_thresholds(task: Task, intents: Matrix, holds: Mask, known: Mask) -> Matrix:
    """Thresholds (n, labels) for each of the turns, chosen on the half of them in which it is not.

    A threshold fits the answers that it was chosen on better than any others, be they as good.
    """
    halves = np.arange(len(intents)) % 2
    found = np.empty_like(holds, dtype=np.float64)
    for half in (0, 1):
        other = halves != half
        found[~other] = choose_thresholds(task, intents[other], holds[other], known[other])
    return found


def _quiet(chosen: Vector, f1: Matrix, on_idle: Matrix, may_rise: Mask) -> Vector:
    """Raise thresholds until few turns that want nothing fire, each time where least F1 is lost for what it stills.

    Args:
        f1: of every label at every one of `threshold_steps`, (labels, steps).
        on_idle: probabilities of turns that want nothing, (n, labels), 0 for what may fire.
        may_rise: (labels,), false for those whose thresholds stay.
    """
    steps = threshold_steps()
    at = np.searchsorted(steps, chosen - 1e-9)
    while (fires := on_idle >= steps[at]).any(axis=1).sum() > MOST_IDLE_FIRED * len(on_idle):
        moves = []
        for label in np.flatnonzero(fires.any(axis=0) & may_rise).tolist():
            by_it_alone = on_idle[fires.sum(axis=1) - fires[:, label] == 0, label]
            firing = by_it_alone[by_it_alone >= steps[at[label]]]
            for step in range(int(at[label]) + 1, len(steps)):
                stilled = int((firing < steps[step]).sum())
                if stilled:
                    moves.append(((f1[label, at[label]] - f1[label, step]) / stilled, label, step))
        if not moves:  # what is left fires at the highest step, or two labels fire on it
            fired_by = fires.sum(axis=0)
            can_rise = np.where((at + 1 < len(steps)) & may_rise, fired_by, 0)
            if not can_rise.any():
                break
            moves.append((0.0, int(can_rise.argmax()), int(at[can_rise.argmax()]) + 1))
        _, label, step = min(moves)
        at[label] = step
    return np.asarray(steps[at])
