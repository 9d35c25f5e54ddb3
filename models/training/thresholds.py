"""At which probability a label fires: on a whole turn, on one that is still being said, and from which stage."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.calibration import (
    LOWEST_THRESHOLD,
    Matrix,
    Vector,
    choose_threshold,
    lowest_step,
    sigmoid,
    softmax,
    threshold_steps,
)
from models.training.task import Task
from models.training.taxonomy import ACTIONABLE, LABELS

MOST_IDLE_FIRED = 0.09
"""Of the validation turns that want nothing, on how many an actionable label may fire. Most of those turns were written
to mislead; of ordinary idle talk, a fifth as many fire."""
PARTIAL_AGREEMENT = 0.93
"""Of the partial turns that fire, how many must name what the whole turn turns out to want."""
MOST_CHANGED = 0.015
"""Of the validation turns, for how many the first stage may give another answer than the encoder."""
_EXCLUSIVE_LOWEST = 0.5

Arrays = Mapping[str, Matrix]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """One probability a label, in the task's order."""

    whole: Vector
    partial: Vector

    def fires(self, task: Task, intents: Matrix) -> Mask:
        """Which labels fire on whole turns; ``intents`` are logits (n, labels)."""
        return np.asarray(probabilities_of(task, intents) >= self.whole)

    def same_answer(self, task: Task, one: Arrays, other: Arrays, carried: Mask) -> Mask:
        """For each turn whether two models fire the same labels; ``carried`` (n, labels): those that can be meant."""
        fires = [self.fires(task, each["intents"]) & carried for each in (one, other)]
        same = (fires[0] == fires[1]).all(axis=1)
        if task.exclusive:
            same &= one["intents"].argmax(axis=1) == other["intents"].argmax(axis=1)
        return np.asarray(same)

    def edges(self, task: Task) -> Vector:
        """As logits, (labels,); zeros where labels exclude each other, for then no logit means anything alone."""
        return np.zeros_like(self.whole) if task.exclusive else np.log(self.whole / (1 - self.whole))


def probabilities_of(task: Task, intents: Matrix) -> Matrix:
    """Calibrated logits (n, labels) as probabilities."""
    return softmax(intents) if task.exclusive else sigmoid(intents)


def choose_thresholds(
    task: Task, whole: Arrays, holds: Mask, known: Mask, begun: Arrays | None, same_whole: Arrays
) -> Thresholds:
    """Thresholds for calibrated logits of the validation turns.

    Args:
        holds: (n, labels), which labels hold.
        known: (n, labels), of which labels it is known whether they hold: those that the turn's speaker can carry.
        begun: of the beginnings of those turns that are longer than their beginning; None: there are none.
        same_whole: of these turns as a whole, in the same order.
    """
    probabilities = probabilities_of(task, whole["intents"])
    if task.exclusive:
        right = holds[np.arange(len(holds)), probabilities.argmax(axis=1)]
        shared = choose_threshold(probabilities.max(axis=1), right, _EXCLUSIVE_LOWEST)
        chosen = np.full(len(task.labels), shared)
    else:
        chosen = np.array([choose_threshold(probabilities[k, c], holds[k, c]) for c, k in enumerate(known.T)])
        chosen = _quiet_when_idle(task, probabilities, holds, known, chosen)
    if begun is None:
        return Thresholds(chosen, chosen)
    return Thresholds(chosen, np.maximum(chosen, _partial(task, begun, same_whole, chosen)))


def choose_sure_at(
    task: Task, thresholds: Thresholds, first: Arrays, second: Arrays, carried: Mask
) -> tuple[float, dict[str, float]]:
    """From which probability of ``sure`` on the first stage answers; and what that comes to on these turns.

    ``carried`` (n, labels): the labels that each turn can carry; others never fire.
    """
    sure = sigmoid(first["sure"][:, 0])
    changed = ~thresholds.same_answer(task, first, second, carried)
    steps = np.concatenate([threshold_steps(), [0.985, 0.99, 0.995, 0.999]])
    within = np.array([(changed & (sure >= step)).mean() <= MOST_CHANGED for step in steps])
    enough_from_here = np.logical_and.accumulate(within[::-1])[::-1]
    at = float(steps[int(enough_from_here.argmax())]) if enough_from_here.any() else 1.0
    return at, {
        "validation.first_stage_share": float((sure >= at).mean()),
        "validation.first_stage_changed": float((changed & (sure >= at)).mean()),
    }


def _quiet_when_idle(task: Task, probabilities: Matrix, holds: Mask, known: Mask, chosen: Vector) -> Vector:
    """Raise what is too low, all to one floor, until few turns that want nothing fire."""
    actionable = np.array([label in ACTIONABLE or label not in LABELS for label in task.labels])
    idle = ~holds.any(axis=1)
    if not idle.any():
        return chosen
    reachable = np.where(known[idle] & actionable, probabilities[idle], 0.0)
    steps = threshold_steps()
    fired = np.array([(reachable >= np.maximum(chosen, step)).any(axis=1).mean() for step in steps])
    floor = max(LOWEST_THRESHOLD, lowest_step(fired <= MOST_IDLE_FIRED))
    return np.where(actionable, np.maximum(chosen, floor), chosen)


def _partial(task: Task, begun: Arrays, whole: Arrays, chosen: Vector) -> float:
    """The lowest threshold at which what a beginning fires is what the whole turn is most about."""
    early = probabilities_of(task, begun["intents"])
    meant = probabilities_of(task, whole["intents"]).argmax(axis=1)
    top, best = early.argmax(axis=1), early.max(axis=1)
    enough = []
    for step in threshold_steps():
        fires = best >= np.maximum(step, chosen[top])
        right = (top == meant)[fires]
        enough.append(right.size == 0 or right.mean() >= PARTIAL_AGREEMENT)
    return lowest_step(np.array(enough))
