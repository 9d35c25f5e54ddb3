"""Decisions decided again from the log, and otherwise: the same turns on the same past, under other rules.

What-ifs are *open loop*: each decision is put on what was remembered when it was really made. What the other rules
would have shown earlier, and what would have come of it, is not imagined; so the decisions that turn out otherwise are
exactly those on which the rules themselves disagree.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from guidance.decision.advance import advance
from guidance.decision.fold import Event
from guidance.decision.identity import input_id_of
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState
from guidance.decision.trace import ticked_at
from schemas.base import Instant
from schemas.codec import encode
from schemas.guidance import Decision, Tick, Versions
from schemas.requests import DecisionRequest

INPUTS_WAIT = timedelta(hours=6)
"""How long after an input (by Kafka's timestamps) the decision that folds it may come in the log."""
_PRUNE_EVERY = 50_000
Input = Event | DecisionRequest


class RulesUnknown(LookupError):
    """What a decision was made with is not to be had any more; the message says which version."""


class Recorded(BaseModel):
    """What a replay has to know of a recorded decision: reading only that is several times as fast."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    decision_id: str
    input_id: str
    sequence: int
    now: Instant
    versions: Versions
    folded: tuple[str, ...] | None = None
    state: str | None = None


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


@dataclass(slots=True)
class _Owner:
    state: CustomerState | None = None
    """After the latest decision that was decided again; None: not known."""
    unknown_because: str = "what it builds on lies before what was read"
    sequence: int = 0
    inputs: dict[str, tuple[Input, datetime]] = field(default_factory=dict)
    waiting: deque[tuple[Recorded, bytes]] = field(default_factory=deque)


class Replay:
    """Decides one partition's decisions again. Feed it inputs and decisions as they come; each of both topics in its
    own order, about in step with each other."""

    def __init__(
        self,
        partition: int,
        rules_of: Callable[[Recorded], Rules],
        otherwise: Callable[[Rules], Rules] | None = None,
    ) -> None:
        """`rules_of`: what a decision was made by, raises `RulesUnknown`. `otherwise`: from the rules of a decision to
        those to be tried in their place."""
        self._partition = partition
        self._rules_of = rules_of
        self._otherwise = otherwise
        self._owners: dict[str, _Owner] = {}
        self._newest: datetime | None = None
        self._fed = 0

    def input(self, owner: str, event: Input, at: datetime) -> Iterator[Again | LeftOut]:
        """An input of `owner`, which reached Kafka at `at`. Yields what can be decided now."""
        known = self._owners.setdefault(owner, _Owner())
        known.inputs.setdefault(input_id_of(event), (event, at))
        yield from self._go_on(known)
        self._fed += 1
        self._newest = at if self._newest is None else max(self._newest, at)
        if self._fed % _PRUNE_EVERY == 0:
            self._prune(self._newest - INPUTS_WAIT)

    def decision(self, owner: str, written: bytes) -> Iterator[Again | LeftOut]:
        """A recorded decision of `owner`, as the log has it. Yields what can be decided now."""
        recorded = Recorded.model_validate_json(written)
        known = self._owners.setdefault(owner, _Owner())
        if recorded.sequence <= known.sequence:
            return  # published again
        known.sequence = recorded.sequence
        known.waiting.append((recorded, written))
        yield from self._go_on(known)

    def finish(self) -> Iterator[LeftOut | Again]:
        """All has been fed: what still waits for an input waits in vain."""
        for owner in self._owners.values():
            while owner.waiting:
                recorded, _ = owner.waiting.popleft()
                yield _lose(owner, recorded, "an input that it builds on is not in what was read")
                yield from self._go_on(owner)

    def _go_on(self, owner: _Owner) -> Iterator[Again | LeftOut]:
        while owner.waiting:
            recorded, written = owner.waiting[0]
            if recorded.state is None and (recorded.folded is None or owner.state is None):
                owner.waiting.popleft()
                yield _lose(owner, recorded, owner.unknown_because)
                continue
            named = (*(recorded.folded or ()), recorded.input_id)
            if any(ticked_at(each) is None and each not in owner.inputs for each in named):
                return
            owner.waiting.popleft()
            yield self._again(owner, recorded, written)

    def _again(self, owner: _Owner, recorded: Recorded, written: bytes) -> Again | LeftOut:
        folded = [self._named(owner, each) for each in recorded.folded or ()]
        event, _ = owner.inputs.pop(recorded.input_id)
        before = owner.state if recorded.state is None else CustomerState.read(recorded.state.encode())
        assert before is not None
        try:
            rules = self._rules_of(recorded)
        except RulesUnknown as error:
            return _lose(owner, recorded, str(error))
        for each, at in folded:
            before = advance(before, each, rules, partition=self._partition, now=at).state
        advanced = advance(before, event, rules, partition=self._partition, now=recorded.now)
        if advanced.decision is None:
            return _lose(owner, recorded, "what it was made on calls for no decision")
        owner.state = advanced.state
        otherwise = None
        if self._otherwise is not None:
            other = advance(before, event, self._otherwise(rules), partition=self._partition, now=recorded.now)
            otherwise = other.decision
        return Again(written, event, advanced.decision, otherwise)

    @staticmethod
    def _named(owner: _Owner, input_id: str) -> tuple[Input | Tick, datetime]:
        at = ticked_at(input_id)
        return owner.inputs.pop(input_id) if at is None else (Tick(at=at), at)

    def _prune(self, oldest: datetime) -> None:
        """Forget inputs that no decision came to name: those of customers who were not in a conversation."""
        for name, owner in list(self._owners.items()):
            if owner.waiting:
                continue
            owner.inputs = {each: told for each, told in owner.inputs.items() if told[1] >= oldest}
            if not owner.inputs and owner.state is None and not owner.sequence:
                del self._owners[name]


def _lose(owner: _Owner, recorded: Recorded, why: str) -> LeftOut:
    """From here on nothing is known of the owner, until a decision carries its state."""
    owner.state, owner.unknown_because = None, why
    return LeftOut(recorded.decision_id, recorded.now, why)
