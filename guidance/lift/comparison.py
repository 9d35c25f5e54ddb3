"""Guided against control: what guidance brings, by experiment. Chance decides who is in which: nothing else differs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np

from guidance.lift.choices import Measure, Weighed, numbered, value_of
from guidance.lift.estimate import Estimate, Indices, Mask, Vector, ratio
from schemas.learning import Lesson

Unit = Literal["prompt", "conversation"]

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
        error = sqrt(guided.error**2 + control.error**2)
        return Estimate(guided.value - control.value, error, guided.customers + control.customers)

    @property
    def relative(self) -> Estimate | None:
        """The difference as a share of control, by the delta method. None: control's interval reaches 0, so that
        anything might be said."""
        guided, control = self.guided.estimate, self.control.estimate
        if not control.low > 0.0:
            return None
        error = sqrt(guided.error**2 + (guided.value / control.value * control.error) ** 2) / control.value
        return Estimate(guided.value / control.value - 1.0, error, guided.customers + control.customers)


def too_few(lessons: Sequence[Lesson]) -> str | None:
    """Why nothing can be said yet of guided against control, in a clause; None: something can."""
    for group in ("guided", "control"):
        rewards = [each.reward for each in lessons if each.group == group]
        if len(rewards) < LEAST_PROMPTS:
            return f"the {group} group has {len(rewards)} prompts with a known outcome, {LEAST_PROMPTS} are needed"
        if (accepted := sum(rewards)) < LEAST_ACCEPTED:
            return f"{accepted:g} prompts were accepted in the {group} group, {LEAST_ACCEPTED} are needed"
    return None


def compare(
    lessons: Sequence[Lesson], decisions: Mapping[str, Weighed], measure: Measure, per: Unit
) -> Comparison | None:
    """One measure of guided against control; anonymous conversations are left out.

    A lesson whose decision is not in `decisions` counts as one on a customer of its own, and is left out per
    conversation. For value those are left out of which it is not known. None: one of the groups is left empty.
    """
    found: list[tuple[str, str, float, bool]] = []
    for lesson in lessons:
        decision = decisions.get(lesson.decision_id)
        reward = lesson.reward if measure == "acceptance" else value_of(lesson, decision)
        if lesson.group is None or reward is None or (decision is None and per == "conversation"):
            continue
        customer = lesson.decision_id if decision is None else f"{lesson.group} {decision.customer}"
        unit = lesson.decision_id if decision is None or per == "prompt" else decision.conversation
        found.append((customer, unit, reward, lesson.group == "control"))
    if not found:
        return None
    units = numbered([unit for _, unit, _, _ in found])[1]
    first = np.zeros(len(found))
    first[np.unique(units, return_index=True)[1]] = 1.0
    return compare_arrays(
        above=np.array([reward for _, _, reward, _ in found]),
        below=first,
        customer=numbered([customer for customer, *_ in found])[1],
        control=np.array([control for *_, control in found]),
    )


def compare_arrays(above: Vector, below: Vector, customer: Indices, control: Mask) -> Comparison | None:
    """Σ above / Σ below in both groups; all (n,). None: one of them is empty."""
    if control.all() or not control.any():
        return None

    def side(kept: Mask) -> Side:
        return Side(round(float(below[kept].sum())), ratio(above[kept], below[kept], customer[kept]))

    return Comparison(guided=side(~control), control=side(control))
