"""Decisions decided again from the log, and otherwise: the same turns on the same past, under other rules.

What-ifs are *open loop*: each decision is put on what was remembered when it was really made. What the other rules
would have shown earlier, and what would have come of it, is not imagined; so the decisions that turn out otherwise are
exactly those on which the rules themselves disagree.

Inputs and decisions may come in any order. A decision is taken up as soon as all that it names is there: the decision
before it in its chain (or the state that it carries), what was folded in between, and what it was made on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from guidance.decision.advance import Input, advance
from guidance.decision.fold import Event
from guidance.decision.identity import input_id_of, partition_of
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState
from guidance.decision.trace import ticked_at
from schemas.base import Instant
from schemas.codec import encode
from schemas.guidance import Decision, Tick, Versions
from schemas.handoff import HandoffRecord
from schemas.requests import DecisionRequest

WAITS_FOR = timedelta(hours=6)
"""How far inputs and decisions that belong together may be apart in what is read, by Kafka's timestamps."""
TOO_FAR_BACK = "what it builds on lies before what was read"
GONE = "an input that it builds on is not in what was read"
_PRUNE_EVERY = 50_000
Folded = Event | DecisionRequest | HandoffRecord
"""What comes in on topics that are kept: all inputs but ticks."""
_Key = tuple[str, str]
"""Owner and input id."""


class RulesUnknown(LookupError):
    """What a decision was made with is not to be had any more; the message says which version."""


class Recorded(BaseModel):
    """What a replay has to know of a recorded decision: reading only that is several times as fast."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    decision_id: str
    input_id: str
    route_key: str
    owner: str | None = None
    now: Instant
    versions: Versions
    folded: tuple[str, ...] | None = None
    state: str | None = None
    written: bytes = Field(default=b"", exclude=True)
    """All of it, as the log has it."""

    @classmethod
    def read(cls, written: bytes) -> "Recorded":
        """Raises ValueError: it is no decision."""
        return cls.model_validate_json(written).model_copy(update={"written": written})

    @property
    def key(self) -> _Key:
        """Its input, at its owner's: what the next decision of the chain names first."""
        return self.owner or self.route_key, self.input_id

    @property
    def previous(self) -> _Key | None:
        """The key of the decision before; None: it begins a chain, or is older than chains."""
        return (self.key[0], self.folded[0]) if self.folded else None

    @property
    def inputs(self) -> tuple[_Key, ...]:
        """Keys of what it builds on, in order: what was folded since the decision before, and what it was made on."""
        owner = self.key[0]
        return (*((owner, each) for each in (self.folded or ())[1:]), self.key)


@dataclass(frozen=True, slots=True)
class Again:
    """A decision that was decided again."""

    recorded: bytes
    event: Input
    """What it was made on."""
    decision: Decision
    """By the versions that it names."""
    otherwise: Decision | None
    """By the other rules; None: none were given."""

    @property
    def is_same(self) -> bool:
        """Whether it is the recorded one, byte for byte."""
        return encode(self.decision) == self.recorded


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A decision that cannot be decided again from what was read."""

    decision_id: str
    now: datetime
    """Of the decision."""
    why: str


class Replay:
    """Decides recorded decisions again. Feed it inputs and decisions, about in order of time; then `finish`."""

    def __init__(
        self, rules_of: Callable[[Recorded], Rules], otherwise: Callable[[Rules], Rules] | None = None
    ) -> None:
        """`rules_of`: what a decision was made by, raises `RulesUnknown`. `otherwise`: from the rules of a decision to
        those to be tried in their place."""
        self._rules_of = rules_of
        self._otherwise = otherwise
        self._inputs: dict[_Key, tuple[Input, datetime]] = {}
        self._ends: dict[_Key, tuple[CustomerState, datetime]] = {}
        """By the key of a chain's latest decision: the state that it left."""
        self._lost: dict[_Key, tuple[str, datetime]] = {}
        """The same of one that was left out: why."""
        self._seen: dict[str, datetime] = {}
        """Decisions that were fed: one may have been published twice."""
        self._waiting: dict[tuple[str, _Key], list[Recorded]] = {}
        """By what they wait for: ("input" or "decision", key)."""
        self._newest: datetime | None = None
        self._fed = 0

    def input(self, owner: str, event: Folded, at: datetime) -> Iterator[Again | LeftOut]:
        """An input of `owner`, which reached Kafka at `at`. Yields what can be decided now."""
        key = (owner, input_id_of(event))
        self._inputs.setdefault(key, (event, at))
        yield from self._go_on(self._waiting.pop(("input", key), []))
        yield from self._moved_on(at)

    def decision(self, written: bytes) -> Iterator[Again | LeftOut]:
        """A recorded decision, as the log has it. Yields what can be decided now."""
        recorded = Recorded.read(written)
        if recorded.decision_id not in self._seen:
            self._seen[recorded.decision_id] = recorded.now
            yield from self._go_on([recorded])

    def finish(self) -> Iterator[Again | LeftOut]:
        """All has been fed: what still waits, waits in vain."""
        yield from self._give_up(None)

    def _go_on(self, ready: list[Recorded]) -> Iterator[Again | LeftOut]:
        while ready:
            recorded = ready.pop()
            lost = self._lost.get(recorded.previous) if recorded.previous else None
            missing = self._missing(recorded)
            if recorded.state is None and recorded.previous is None:
                yield self._lose(recorded, TOO_FAR_BACK)
            elif lost is not None:
                yield self._lose(recorded, lost[0])
            elif missing is not None:
                self._waiting.setdefault(missing, []).append(recorded)
                continue
            else:
                yield self._again(recorded)
            ready += self._waiting.pop(("decision", recorded.key), [])

    def _missing(self, recorded: Recorded) -> tuple[str, _Key] | None:
        previous = recorded.previous
        if recorded.state is None and previous is not None and previous not in self._ends:
            return "decision", previous
        for key in recorded.inputs:
            if key not in self._inputs and ticked_at(key[1]) is None:
                return "input", key
        return None

    def _again(self, recorded: Recorded) -> Again | LeftOut:
        *folded, (event, _) = [self._take(key) for key in recorded.inputs]
        state = self._before(recorded)
        try:
            rules = self._rules_of(recorded)
        except RulesUnknown as error:
            return self._lose(recorded, str(error))
        partition = partition_of(recorded.decision_id)
        for each, at in folded:
            state = advance(state, each, rules, partition=partition, now=at).state
        advanced = advance(state, event, rules, partition=partition, now=recorded.now)
        if advanced.decision is None:
            return self._lose(recorded, "what it was made on calls for no decision")
        self._ends[recorded.key] = (advanced.state, recorded.now)
        otherwise = None
        if self._otherwise is not None:
            other = advance(state, event, self._otherwise(rules), partition=partition, now=recorded.now)
            otherwise = other.decision
        return Again(recorded.written, event, advanced.decision, otherwise)

    def _before(self, recorded: Recorded) -> CustomerState:
        if recorded.state is not None:
            return CustomerState.read(recorded.state.encode())
        assert recorded.previous is not None
        return self._ends.pop(recorded.previous)[0]

    def _take(self, key: _Key) -> tuple[Input, datetime]:
        at = ticked_at(key[1])
        return self._inputs.pop(key) if at is None else (Tick(at=at), at)

    def _lose(self, recorded: Recorded, why: str) -> LeftOut:
        self._lost[recorded.key] = (why, recorded.now)
        return LeftOut(recorded.decision_id, recorded.now, why)

    def _moved_on(self, at: datetime) -> Iterator[Again | LeftOut]:
        """Forget what nobody asks for any more: inputs of customers in no conversation, ends of chains."""
        self._newest = at if self._newest is None else max(self._newest, at)
        self._fed += 1
        if self._fed % _PRUNE_EVERY == 0:
            oldest = self._newest - WAITS_FOR
            yield from self._give_up(oldest)
            self._inputs = {key: told for key, told in self._inputs.items() if told[1] >= oldest}
            self._ends = {key: end for key, end in self._ends.items() if end[1] >= oldest}
            self._lost = {key: lost for key, lost in self._lost.items() if lost[1] >= oldest}
            self._seen = {name: seen for name, seen in self._seen.items() if seen >= oldest}

    def _give_up(self, before: datetime | None) -> Iterator[Again | LeftOut]:
        """Leave out what waits, and what waits for that; `before`: only decisions that are older."""
        for what, key in list(self._waiting):
            given_up = [each for each in self._waiting.get((what, key), []) if before is None or each.now < before]
            for recorded in given_up:
                self._waiting[what, key].remove(recorded)
                yield self._lose(recorded, GONE if what == "input" else TOO_FAR_BACK)
                yield from self._go_on(self._waiting.pop(("decision", recorded.key), []))
            if not self._waiting.get((what, key), True):
                del self._waiting[what, key]
