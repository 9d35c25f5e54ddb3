"""Lessons and decisions as arrays: what could be chosen, what was, how likely that was, and what came of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from guidance.lift.estimate import Indices, Mask, Vector
from schemas.guidance import Decision
from schemas.learning import Lesson

Measure = Literal["acceptance", "value"]

_SURE = 0.999
"""A decision is a choice among its candidates alone where their probabilities add up to this much or more: there was no
live prompt on the desk that might have stayed."""
_LEAST_PROBABILITY = 1e-6
"""Probabilities are logged with six digits."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is needed of a decision: its k candidates that came to arbitration, the one that won first."""

    customer: str
    """Its route key."""
    conversation: str
    actions: tuple[str, ...]
    features: NDArray[np.float64]
    """(k, features)"""
    worth: Vector
    """(k,) C × V × L."""
    probability: Vector
    """(k,) of being chosen."""
    value: float
    """V of the one that won."""


def weighed(decision: Decision) -> Weighed | None:
    """What is needed of it; None: nothing was prompted, or it is from before selection probabilities were logged."""
    ranked = [each for each in decision.candidates if each.selection_probability is not None and each.features]
    ranked.sort(key=lambda each: each.action_id != decision.winner)
    if not ranked or ranked[0].action_id != decision.winner:
        return None
    numbers = np.array(
        [
            (each.selection_probability, (each.context_weight or 0.0) * (each.value or 0.0) * (each.lever or 0.0))
            for each in ranked
        ],
        dtype=np.float64,
    )
    return Weighed(
        customer=decision.route_key,
        conversation=decision.conversation_id,
        actions=tuple(each.action_id for each in ranked),
        features=np.array([each.features for each in ranked], dtype=np.float64),
        worth=numbers[:, 1],
        probability=numbers[:, 0],
        value=ranked[0].value or 0.0,
    )


@dataclass(frozen=True, slots=True)
class Choices:
    """n decisions, each among one or more candidates; m candidates in all, those of a decision next to each other."""

    actions: tuple[str, ...]
    decision: Indices
    """(m,) which decision a candidate belongs to, from 0, never falling."""
    action: Indices
    """(m,) index into `actions`."""
    features: NDArray[np.float64]
    """(m, features), as logged."""
    worth: Vector
    """(m,) C × V × L: what the propensity is multiplied by."""
    probability: Vector
    """(m,) how likely it was that this candidate would be chosen; adds up to 1 in a decision."""
    chosen: Indices
    """(n,) index of the candidate that was chosen."""
    reward: Vector
    """(n,) what came of it: acceptance 1 or 0, or value."""
    customer: Indices
    """(n,) who it was about, from 0."""
    control: Mask
    """(n,) chance chose."""

    def __len__(self) -> int:
        return len(self.chosen)

    def total(self, of: Vector) -> Vector:
        """(m,) → (n,): the sum over each decision's candidates."""
        return np.bincount(self.decision, weights=of, minlength=len(self)).astype(np.float64)

    def where(self, kept: Mask) -> Self:
        """Those decisions alone; `kept` is (n,)."""
        rows = kept[self.decision]
        renumbered = np.cumsum(kept) - 1
        place = np.cumsum(rows) - 1
        return type(self)(
            actions=self.actions,
            decision=renumbered[self.decision[rows]],
            action=self.action[rows],
            features=self.features[rows],
            worth=self.worth[rows],
            probability=self.probability[rows],
            chosen=place[self.chosen[kept]],
            reward=self.reward[kept],
            customer=self.customer[kept],
            control=self.control[kept],
        )


def value_of(lesson: Lesson, decision: Weighed | None) -> float | None:
    """What the prompt brought: as a system of record tells it; else nothing where it was not accepted, and the
    catalogue's value less cost where it was. None: accepted, and neither is known."""
    if lesson.value is not None:
        return lesson.value
    if lesson.reward == 0.0:
        return 0.0
    return None if decision is None else lesson.reward * decision.value


def choices_of(
    lessons: Iterable[Lesson], decisions: Mapping[str, Weighed], measure: Measure, features_revision: str
) -> Choices | None:
    """The lessons whose decision is in `decisions`, by its id, as far as they tell what another policy would bring.

    Left out are: anonymous conversations; decisions while a live prompt might have stayed on the desk, as their choice
    was not among the candidates alone; lessons of other features than `features_revision`. None: nothing is left.
    """
    found = [
        (lesson, decision, lesson.reward if measure == "acceptance" else value_of(lesson, decision))
        for lesson in lessons
        if lesson.group is not None
        and lesson.features_revision == features_revision
        and (decision := decisions.get(lesson.decision_id)) is not None
        and decision.actions[0] == lesson.action_id
        and decision.probability.sum() >= _SURE
    ]
    if not found:
        return None
    decided = [decision for _, decision, _ in found]
    sizes = np.array([len(each.actions) for each in decided], dtype=np.int64)
    starts = np.cumsum(sizes) - sizes
    probability = np.concatenate([each.probability for each in decided])
    probability[starts] = np.maximum(probability[starts], _LEAST_PROBABILITY)
    actions, action = numbered([name for each in decided for name in each.actions])
    return Choices(
        actions=actions,
        decision=np.repeat(np.arange(len(found)), sizes),
        action=action,
        features=np.concatenate([each.features for each in decided]),
        worth=np.concatenate([each.worth for each in decided]),
        probability=probability,
        chosen=starts,
        reward=np.array([reward for *_, reward in found], dtype=np.float64),
        customer=numbered([each.customer for each in decided])[1],
        control=np.array([lesson.group == "control" for lesson, *_ in found], dtype=np.bool_),
    )


def numbered(names: Sequence[str]) -> tuple[tuple[str, ...], Indices]:
    """The distinct names as they come, and the number of each in that order."""
    numbers: dict[str, int] = {}
    of = np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)
    return tuple(numbers), of
