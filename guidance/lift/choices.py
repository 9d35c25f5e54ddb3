"""Lessons and decisions as arrays: what could be chosen, what was, how likely that was, and what came of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from guidance.lift.estimate import Indices, Mask, Vector
from schemas.guidance import Candidate, Decision
from schemas.learning import Lesson

Measure = Literal["acceptance", "value"]

_SURE = 0.999
"""A decision is a choice among its candidates alone where their probabilities add up to this much or more: there was no
live prompt on the desk that might have stayed."""
_LEAST_PROBABILITY = 1e-6
"""Probabilities are logged with six digits."""


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
        return np.bincount(self.decision, weights=of, minlength=len(self))

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


def value_of(lesson: Lesson, chosen: Candidate | None) -> float | None:
    """What the prompt brought: as a system of record tells it; else nothing where it was not accepted, and the
    catalogue's value less cost where it was. None: accepted, and neither is known."""
    if lesson.value is not None:
        return lesson.value
    if lesson.reward == 0.0:
        return 0.0
    return None if chosen is None or chosen.value is None else lesson.reward * chosen.value


def choices_of(
    lessons: Iterable[Lesson], decisions: Mapping[str, Decision], measure: Measure, features_revision: str
) -> Choices | None:
    """The lessons whose decision is in `decisions`, by its id, as far as they say what another policy would have brought.

    Left out are: anonymous conversations; decisions while a live prompt might have stayed on the desk, as their choice
    was not among the candidates alone; lessons of other features than `features_revision`; for value, those whose value
    is not known. None: nothing is left.
    """
    found = [
        (lesson, decision, ranked, reward)
        for lesson in lessons
        if lesson.group is not None
        and lesson.features_revision == features_revision
        and (decision := decisions.get(lesson.decision_id)) is not None
        and (ranked := _ranked(decision, lesson.action_id))
        and (reward := _reward(lesson, ranked[0], measure)) is not None
    ]
    if not found:
        return None
    rows = [candidate for _, _, ranked, _ in found for candidate in ranked]
    sizes = np.array([len(ranked) for _, _, ranked, _ in found], dtype=np.int64)
    numbers: dict[str, int] = {}
    customers: dict[str, int] = {}
    action = [numbers.setdefault(row.action_id, len(numbers)) for row in rows]
    probability = np.array([row.selection_probability for row in rows], dtype=np.float64)
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)
    probability[starts] = np.maximum(probability[starts], _LEAST_PROBABILITY)
    return Choices(
        actions=tuple(numbers),
        decision=np.repeat(np.arange(len(found)), sizes),
        action=np.array(action, dtype=np.int64),
        features=np.array([row.features for row in rows], dtype=np.float64),
        worth=np.array([(row.context_weight or 0.0) * (row.value or 0.0) * (row.lever or 0.0) for row in rows]),
        probability=probability,
        chosen=starts,
        reward=np.array([reward for _, _, _, reward in found], dtype=np.float64),
        customer=np.array(
            [customers.setdefault(decision.route_key, len(customers)) for _, decision, _, _ in found], dtype=np.int64
        ),
        control=np.array([lesson.group == "control" for lesson, *_ in found], dtype=np.bool_),
    )


def _ranked(decision: Decision, chosen: str) -> list[Candidate]:
    """The candidates of arbitration, the chosen one first; empty where it was no choice among them alone."""
    ranked = [each for each in decision.candidates if each.selection_probability is not None]
    ranked.sort(key=lambda each: each.action_id != chosen)
    total = sum(each.selection_probability or 0.0 for each in ranked)
    return ranked if ranked and ranked[0].action_id == chosen and total >= _SURE else []


def _reward(lesson: Lesson, chosen: Candidate, measure: Measure) -> float | None:
    return lesson.reward if measure == "acceptance" else value_of(lesson, chosen)
