"""Test cases of a catalogue, as business people write them beside it: a customer's story, and what must come of it.

::

    customers:
      dana: {tenure_months: 74, monthly_bill: 48, products: [fibre, mobile]}
    cases:
      - case: What was mailed is honoured on the phone
        customer: dana
        story:
          - {event: offer.made, action: upgrade_fibre, channel: mail}
          - {pause: 3 days}
          - {customer: "It's so slow when the kids are home", hears: [upgrade_interest], sentiment: neutral}
        expect: {wins: upgrade_fibre, because: {upgrade_unlimited: mailed offer}}
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from guidance.decision.action import ActionId, Entry, Label, Number
from guidance.decision.catalog import Catalog
from guidance.decision.catalog_problems import problems_of
from guidance.decision.catalog_text import CatalogError, Lines, Path, Problem, read_yaml
from guidance.decision.expression import Flaw
from schemas.base import Probability
from schemas.conversation import Channel
from schemas.customer import Fact
from schemas.outcomes import DismissReason

NONE = "none"
"""What `wins` says where nothing must win."""
SURE = 0.9
"""The probability of a label that is heard without one."""

_UNITS = {"s": 1, "min": 60, "h": 3600, "hours": 3600, "hour": 3600, "days": 86_400, "day": 86_400}
_DURATION = re.compile(rf"(\d+(?:\.\d+)?) ?({'|'.join(_UNITS)})")


def _duration(text: Any) -> timedelta:
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise Flaw(f"“{text}” is no length of time", "write 90 s, 20 min, 3 h or 5 days")
    return timedelta(seconds=float(match[1]) * _UNITS[match[2]])


def _heard(labels: Any) -> Any:
    return dict.fromkeys(labels, SURE) if isinstance(labels, list) else labels


class Expectation(Entry):
    """What must have come of a turn. What is left out is not looked at."""

    wins: ActionId | Literal["none"] | None = None
    """The action whose prompt this very turn brings; "none": the turn brings no prompt beside compliance."""
    pins: tuple[ActionId, ...] | None = None
    """The compliance lines that are on the desk after it: these and no others."""
    says: str | None = None
    """A part of the winner's words."""
    because: dict[ActionId, str] = Field(default_factory=dict)
    """By action: a part of the reason why it won, lost or was kept back."""

    @model_validator(mode="after")
    def _expects_something(self) -> "Expectation":
        if self.wins is None and self.pins is None and self.says is None and not self.because:
            raise Flaw("nothing is expected", "say wins, pins, says or because")
        return self


class Step(Entry):
    """One thing that happens. It is exactly one of the first seven."""

    customer: str | None = None
    """The customer says it."""
    agent: str | None = None
    """The agent says it."""
    event: str | None = None
    """It happens outside of the conversation: offer.made, offer.declined, selfservice.failed, profile.updated."""
    pause: Annotated[timedelta, BeforeValidator(_duration)] | None = None
    accepts: ActionId | None = None
    """The agent takes the prompt of that action."""
    dismisses: ActionId | None = None
    conversation: Channel | None = None
    """The conversation ends, and another one begins there."""

    hears: Annotated[dict[Label, Probability], BeforeValidator(_heard)] | None = None
    """For a turn: the labels it carries, each with its probability; they fire at 0.5 or over. None: the model is asked,
    and with it of sentiment and churn risk."""
    sentiment: Literal["negative", "neutral", "positive"] = "neutral"
    churn_risk: Annotated[Number, Field(ge=0.0, le=2.0)] = 0.0
    action: ActionId | None = None
    channel: Channel = Channel.CRM
    intents: tuple[Label, ...] = ()
    facts: dict[str, Fact] = Field(default_factory=dict)
    reason: DismissReason | None = None
    expect: Expectation | None = None

    @property
    def is_turn(self) -> bool:
        """Whether somebody says something."""
        return self.customer is not None or self.agent is not None

    @model_validator(mode="after")
    def _is_one_thing(self) -> "Step":
        what = [name for name in _THINGS if getattr(self, name) is not None]
        if len(what) != 1:
            said = " and ".join(what) or "nothing"
            raise Flaw(f"a step is one thing, this is {said}", f"write one of {', '.join(_THINGS)}")
        foreign = sorted(self.model_fields_set - {what[0]} - _DETAILS.get(what[0], frozenset()))
        if foreign:
            raise Flaw(f"{what[0]} does not go with {', '.join(foreign)}", "leave it out, or give it a step of its own")
        return self


_THINGS = ("customer", "agent", "event", "pause", "accepts", "dismisses", "conversation")
_DETAILS: Mapping[str, frozenset[str]] = {
    "customer": frozenset(("hears", "sentiment", "churn_risk", "expect")),
    "agent": frozenset(("hears", "expect")),
    "event": frozenset(("action", "channel", "intents", "facts")),
    "dismisses": frozenset(("reason",)),
}


class Case(Entry):
    """One story and what must come of its last turn."""

    case: Annotated[str, Field(min_length=1)]
    """What it shows, in a sentence."""
    customer: str | None = None
    """One of the file's customers; None: nothing is known of this one but `facts`."""
    facts: dict[str, Fact] = Field(default_factory=dict)
    channel: Channel = Channel.VOICE
    language: str = "en"
    story: tuple[Step, ...] = Field(min_length=1)
    expect: Expectation | None = None

    @model_validator(mode="after")
    def _expects_something(self) -> "Case":
        if not any(step.is_turn for step in self.story):
            raise Flaw("nobody says anything, so nothing is decided", "add a turn: {customer: …, hears: […]}")
        if self.expect is None and not any(step.expect for step in self.story):
            raise Flaw("the case expects nothing", "add expect:, as {wins: none}")
        return self


class _File(Entry):
    customers: dict[str, dict[str, Fact]] = Field(default_factory=dict)
    cases: tuple[Case, ...] = Field(min_length=1)


class Cases(Entry):
    """A file of test cases that fits its catalogue. Make one with `read_cases`."""

    customers: dict[str, dict[str, Fact]]
    cases: tuple[Case, ...]
    lines: Lines


def read_cases(text: str, catalog: Catalog) -> Cases:
    """Read the YAML text of test cases of `catalog`.

    Raises:
        CatalogError: with every problem found, each with its line and how to mend it.
    """
    data, lines = read_yaml(text)
    if not isinstance(data, dict):
        raise CatalogError([Problem(1, "test cases are a mapping", "start with customers: and cases:")])
    try:
        file = _File.model_validate(data)
    except ValidationError as error:
        raise CatalogError(list(problems_of(error, lines, (_File, Case, Step, Expectation)))) from None
    problems = [Problem(lines.of(path), what, mend) for path, what, mend in _unknown(file, catalog)]
    if problems:
        raise CatalogError(problems)
    return Cases(customers=file.customers, cases=file.cases, lines=lines)


def _unknown(file: _File, catalog: Catalog) -> Iterator[tuple[Path, str, str]]:
    """Names that neither the file nor the catalogue has."""
    for name, facts in file.customers.items():
        yield from _unknown_facts(("customers", name), facts, catalog)
    for number, case in enumerate(file.cases):
        path: Path = ("cases", number)
        yield from _unknown_facts((*path, "facts"), case.facts, catalog)
        if case.customer is not None and case.customer not in file.customers:
            yield (*path, "customer"), f"no customer is called “{case.customer}”", "describe them under customers:"
        yield from _unknown_actions((*path, "expect"), case.expect, catalog)
        for index, step in enumerate(case.story):
            at: Path = (*path, "story", index)
            yield from _unknown_facts((*at, "facts"), step.facts, catalog)
            yield from _unknown_actions((*at, "expect"), step.expect, catalog)
            for field in ("action", "accepts", "dismisses"):
                yield from _unknown_action((*at, field), getattr(step, field), catalog)


def _unknown_facts(path: Path, facts: Mapping[str, Fact], catalog: Catalog) -> Iterator[tuple[Path, str, str]]:
    told = [name for name, fact in catalog.facts.items() if fact.computed is None]
    for name in facts:
        if name not in told and name != "offer_valid_days":
            close = get_close_matches(name, told, 1)
            mend = f"did you mean {close[0]}?" if close else "the catalogue must declare it, and not compute it"
            yield (*path, name), f"the catalogue is told no fact called “{name}”", mend


def _unknown_actions(path: Path, expected: Expectation | None, catalog: Catalog) -> Iterator[tuple[Path, str, str]]:
    if expected is not None:
        yield from _unknown_action((*path, "wins"), None if expected.wins == NONE else expected.wins, catalog)
        for action_id in expected.pins or ():
            yield from _unknown_action((*path, "pins"), action_id, catalog)
        for action_id in expected.because:
            yield from _unknown_action((*path, "because", action_id), action_id, catalog)


def _unknown_action(path: Path, action_id: str | None, catalog: Catalog) -> Iterator[tuple[Path, str, str]]:
    if action_id is not None and action_id not in catalog.by_id:
        close = get_close_matches(action_id, catalog.by_id, 1)
        yield path, f"no action is called “{action_id}”", f"did you mean {close[0]}?" if close else "name one it has"
