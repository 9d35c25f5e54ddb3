"""What differs between two decisions on the same turn: what the agent would have seen otherwise."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from schemas.guidance import Decision, Fate


class ChangeKind(StrEnum):
    """What a change comes to, for the agent."""

    GAINED = "gained"
    """A prompt where there was none."""
    LOST = "lost"
    """None where there was one."""
    CHANGED = "changed"
    """Another action."""
    REWORDED = "reworded"
    """The same action, in other words, for another reason or for another time."""
    ENDED_OTHERWISE = "ended otherwise"
    """The same prompts, but of those on the desk others ended, or for other reasons."""


@dataclass(frozen=True, slots=True)
class Change:
    """One decision that other rules would have made otherwise."""

    kind: ChangeKind
    before: Decision
    after: Decision
    gained: tuple[str, ...]
    """Actions that `before` does not propose."""
    lost: tuple[str, ...]
    """Actions that `after` does not propose."""


def proposed(decision: Decision) -> tuple[str, ...]:
    """The actions that it prompts; on a request, which prompts nobody, those that its channel is told first."""
    if decision.occasion == "request":
        return tuple(each.action_id for each in decision.candidates if each.fate in (Fate.WON, Fate.PINNED))
    return tuple(each.action_id for each in decision.prompts)


def change(before: Decision, after: Decision) -> Change | None:
    """What the agent would have seen otherwise; None: nothing."""
    had, has = proposed(before), proposed(after)
    gained = tuple(each for each in has if each not in had)
    lost = tuple(each for each in had if each not in has)
    if gained and lost:
        kind = ChangeKind.CHANGED
    elif gained:
        kind = ChangeKind.GAINED
    elif lost:
        kind = ChangeKind.LOST
    elif before.prompts != after.prompts:
        kind = ChangeKind.REWORDED
    elif set(before.endings) != set(after.endings):
        kind = ChangeKind.ENDED_OTHERWISE
    else:
        return None
    return Change(kind, before, after, gained, lost)


def is_weighed_otherwise(before: Decision, after: Decision) -> bool:
    """Whether any candidate's fate, reason or numbers differ, seen or not."""
    return before.candidates != after.candidates


@dataclass(slots=True)
class Counts:
    """Prompts of one action under both rules."""

    before: int = 0
    after: int = 0
    gained: int = 0
    lost: int = 0


@dataclass(slots=True)
class Effect:
    """What a change of rules comes to, over many decisions."""

    decisions: int = 0
    weighed_otherwise: int = 0
    """Decisions with other numbers, fates or reasons; the changed ones among them."""
    by_kind: dict[ChangeKind, int] = field(default_factory=lambda: dict.fromkeys(ChangeKind, 0))
    by_action: dict[str, Counts] = field(default_factory=dict)

    def add(self, before: Decision, after: Decision) -> Change | None:
        """Count a decision; what differs in it."""
        self.decisions += 1
        self.weighed_otherwise += is_weighed_otherwise(before, after)
        self._count(proposed(before), "before")
        self._count(proposed(after), "after")
        found = change(before, after)
        if found is not None:
            self.by_kind[found.kind] += 1
            self._count(found.gained, "gained")
            self._count(found.lost, "lost")
        return found

    @property
    def changed(self) -> int:
        """Decisions in which the agent would have seen something else."""
        return sum(self.by_kind.values())

    def _count(self, action_ids: Iterable[str], what: str) -> None:
        for action_id in action_ids:
            counts = self.by_action.setdefault(action_id, Counts())
            setattr(counts, what, getattr(counts, what) + 1)


def where_differs(one: Decision, other: Decision) -> str:
    """The first field in which two decisions on the same turn differ, in words: "candidates.keep.priority: 1 ≠ 2"."""
    for name in type(one).model_fields:
        mine, others = getattr(one, name), getattr(other, name)
        if mine == others:
            continue
        if name == "candidates":
            return _candidates_differ(one, other)
        return f"{name}: {_short(mine)} ≠ {_short(others)}"
    return "only how it is written: the field order or a number's digits"


def _candidates_differ(one: Decision, other: Decision) -> str:
    others = {each.action_id: each for each in other.candidates}
    for mine in one.candidates:
        theirs = others.get(mine.action_id)
        if theirs is None:
            return f"candidates: {mine.action_id} is in one only"
        for name in type(mine).model_fields:
            one_has, other_has = getattr(mine, name), getattr(theirs, name)
            if one_has != other_has:
                return f"candidates.{mine.action_id}.{name}: {_short(one_has)} ≠ {_short(other_has)}"
    return "candidates: their order, or one more"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
