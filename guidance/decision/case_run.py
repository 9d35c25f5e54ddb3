"""Hold what comes of test cases against what must."""

from collections.abc import Iterator
from dataclasses import dataclass

from guidance.decision.case_story import Score, Story
from guidance.decision.cases import NONE, Case, Cases, Expectation
from guidance.decision.catalog import Catalog
from guidance.decision.catalog_text import Path
from schemas.guidance import Decision


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something is not as the case expects."""

    line: int
    """Of the expectation."""
    what: str


@dataclass(frozen=True, slots=True)
class Played:
    """A case, and what came of it."""

    case: str
    line: int
    winner: str | None
    """Of the last turn."""
    pinned: tuple[str, ...]
    """What is pinned on the desk after it."""
    mismatches: tuple[Mismatch, ...]


def play(cases: Cases, catalog: Catalog, score: Score | None = None) -> Iterator[Played]:
    """Play every case, in order. `score` is asked for turns that do not say what is heard; None: nothing is heard."""
    for number, case in enumerate(cases.cases):
        told = {} if case.customer is None else cases.customers[case.customer]
        story = Story(case, catalog, score)
        if told or case.facts:
            story.advance(story.event("profile.updated", facts={**told, **case.facts}))
        story.begin()
        yield _played(story, case, ("cases", number), cases)


def _played(story: Story, case: Case, path: Path, cases: Cases) -> Played:
    mismatches: list[Mismatch] = []
    last: Decision | None = None
    for index, step in enumerate(case.story):
        at: Path = (*path, "story", index)
        if step.accepts is not None or step.dismisses is not None:
            wanted = step.accepts or step.dismisses
            if (prompt := story.on_desk(str(wanted))) is None:
                mismatches.append(Mismatch(cases.lines.of(at), f"no prompt of {wanted} is on the desk to act on"))
                continue
            story.settle(step, prompt)
            continue
        decision = story.take(step)
        if decision is not None:
            last = decision
            if step.expect is not None:
                found = _mismatches(step.expect, decision, story, (*at, "expect"), cases)
                mismatches += found
    assert last is not None  # a case has a turn
    if case.expect is not None:
        mismatches += _mismatches(case.expect, last, story, (*path, "expect"), cases)
    return Played(case.case, cases.lines.of(path), last.winner, story.pinned, tuple(mismatches))


def _mismatches(
    expected: Expectation, decision: Decision, story: Story, path: Path, cases: Cases
) -> Iterator[Mismatch]:
    winner = decision.winner or NONE
    candidates = {candidate.action_id: candidate for candidate in decision.candidates}
    if expected.wins is not None and expected.wins != winner:
        reason = f": {candidates[expected.wins].reason}" if expected.wins in candidates else ""
        yield Mismatch(cases.lines.of((*path, "wins")), f"{winner} wins instead of {expected.wins}{reason}")
    if expected.pins is not None and set(expected.pins) != set(story.pinned):
        what = f"pinned are {_listed(story.pinned)} instead of {_listed(expected.pins)}"
        yield Mismatch(cases.lines.of((*path, "pins")), what)
    if expected.says is not None:
        words = next((prompt.words for prompt in decision.prompts if not prompt.pinned), "")
        if expected.says not in words:
            yield Mismatch(cases.lines.of((*path, "says")), f"it says “{words}”, without “{expected.says}”")
    for action_id, part in expected.because.items():
        reason = candidates[action_id].reason
        if part not in reason:
            yield Mismatch(cases.lines.of((*path, "because", action_id)), f"{action_id}: {reason}; expected “{part}”")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(sorted(names)) or "none"
