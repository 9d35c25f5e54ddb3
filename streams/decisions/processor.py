"""`decisions`: the one writer of what is known of each customer. Folds every input, decides on every final turn.

The pure core answers (`guidance.decision.advance`); this shell reads records, keeps rows, and publishes.
"""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from guidance.decision.advance import Advance, Input, advance
from guidance.decision.fold import Event
from guidance.decision.handoff import carried_by
from guidance.decision.identity import input_id_of
from guidance.decision.past import Journey
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState
from schemas.codec import decode
from schemas.customer import CUSTOMER, CustomerEvent
from schemas.errors import Malformed
from schemas.guidance import TICK, Tick
from schemas.handoff import HANDOFF, Forwarded, Handoff, HandoffRecord
from schemas.intent import INTENTS, ScoredTurn
from schemas.outcomes import OUTCOME
from schemas.requests import REQUEST, DecisionRequest
from schemas.topics import CUSTOMER_EVENTS, HANDOFFS, INTENTS_TOPIC, OUTCOMES, REQUESTS, TICKS
from streams.bus.guard import bury, misrouted
from streams.bus.ledger import Account, Ledger
from streams.bus.metrics import (
    DECIDE_SECONDS,
    DECISIONS,
    ENDINGS,
    PASSED_ON,
    PROMPTS,
    REPUBLISHED,
    TURN_TO_PROMPT_SECONDS,
)
from streams.bus.partitioner import partition_for
from streams.bus.ports import Effects, Message, Record, Table
from streams.decisions.deadlines import Deadlines
from streams.decisions.publications import partial_turn, publications

_LOG = logging.getLogger(__name__)
_SWEEP_EVERY = timedelta(hours=1)
_TICKED = ""
"""The account of what a partition's ticks published: no route key is empty."""
_Change = tuple[CustomerState, CustomerState]
"""A state as it was read, and as an input left it."""
_NO_JOURNEY = Journey().write()
_HANDED_OFF = b'"handed_off":['
"""In every written state that has a note of a conversation handed off, and in no other: quotes inside of texts are
escaped."""
_READ: dict[str, TypeAdapter[Any]] = {
    INTENTS_TOPIC.name: INTENTS,
    CUSTOMER_EVENTS.name: CUSTOMER,
    OUTCOMES.name: OUTCOME,
    REQUESTS.name: REQUEST,
    HANDOFFS.name: HANDOFF,
}


class DecisionsProcessor:
    """See `streams.bus.ports.Processor` for what its methods promise."""

    name = "decisions"
    topics: tuple[str, ...] = (*_READ, TICKS.name)

    def __init__(self, rules: Callable[[], Rules], partitions: int) -> None:
        """`rules`: what is in force, asked anew for every input."""
        self._rules = rules
        self._partitions = partitions
        self._deadlines = Deadlines(rules)
        self._swept_at: dict[int, datetime] = {}

    async def process(self, batch: Sequence[Record], table: Table) -> Effects:
        ledger = Ledger(table)
        messages: list[Message] = []
        for record in batch:
            self._deadlines.load(record.partition, table)
            if record.topic == TICKS.name:
                # Opened first, hence written first. Were an owner's row written and this one lost, a tick that comes
                # again would find nobody due, and what it had to say would never be said. The other way round it says
                # it again, and finds the owner still due.
                ledger.open(record.partition, _TICKED)
        for record in batch:
            messages += self._take(record, ledger)
        for partition, now in {record.partition: record.at for record in batch}.items():
            if now - self._swept_at.setdefault(partition, now) >= _SWEEP_EVERY:
                self._swept_at[partition] = now
                ledger.sweep(partition, now, keep_state=True)
        return Effects(ledger.writes(), messages)

    def revoked(self, partitions: Collection[int]) -> None:
        self._deadlines.forget(partitions)
        for partition in partitions:
            self._swept_at.pop(partition, None)

    def _take(self, record: Record, ledger: Ledger) -> Sequence[Message]:
        try:
            if record.topic == TICKS.name:
                return self._tick(record, decode(TICK, record.value), ledger)
            if rerouted := misrouted(record, self._partitions, self.name):
                return [rerouted]
            event: Event | DecisionRequest | HandoffRecord = decode(_READ[record.topic], record.value)
            if isinstance(event, Handoff):
                carried_by(event)
            _check_key(record, _owner(event))
        except Malformed as error:
            return [bury(record, str(error), self.name)]
        account = ledger.open(record.partition, _owner(event))
        heard = event.record if isinstance(event, Forwarded) else event
        if isinstance(heard, ScoredTurn) and not heard.turn.is_final and _HANDED_OFF not in (account.state or b""):
            return partial_turn(heard)
        return self._event(record, account, event)

    def _tick(self, record: Record, tick: Tick, ledger: Ledger) -> Sequence[Message]:
        """A second has passed: end what is over, for the owners whose deadline has come."""
        input_id = f"tick:{record.partition}:{record.offset}"
        ticked = ledger.open(record.partition, _TICKED)
        before = ticked.published(input_id) or ()
        messages = list(before)
        for owner in self._deadlines.due(record.partition, record.at):
            account = ledger.open(record.partition, owner)
            change, news = self._advance(account, input_id, tick, record.at)
            _commit(account, input_id, change, (), record.at)
            messages += (message for message in news if message not in before)
        return ticked.commit(input_id, b"", messages, record.at) if len(messages) > len(before) else before

    def _event(
        self, record: Record, account: Account, event: Event | DecisionRequest | HandoffRecord
    ) -> Sequence[Message]:
        input_id = input_id_of(event)
        if (published := account.published(input_id)) is not None:
            REPUBLISHED.labels(self.name).inc()
            return published
        change, messages = self._advance(account, input_id, event, record.at)
        return _commit(account, input_id, change, messages, record.at)

    def _advance(self, account: Account, input_id: str, event: Input, now: datetime) -> tuple[_Change, list[Message]]:
        started = time.perf_counter()
        before = CustomerState.read(account.state, account.aside)
        # A decision is found by its conversation's route key, whoever has the conversation by now.
        home = partition_for(event.record.route_key, self._partitions) if isinstance(event, Forwarded) else None
        partition = account.partition if home is None else home
        advanced = advance(before, event, self._rules(), partition=partition, now=now)
        self._deadlines.put(account.partition, account.owner, advanced.state)
        messages = publications(before, advanced, event, account.owner, input_id, now)
        if advanced.decision is not None:
            DECIDE_SECONDS.observe(time.perf_counter() - started)
        _tell(advanced, event.record if isinstance(event, Forwarded) else event)
        return (before, advanced.state), messages


def _commit(
    account: Account, input_id: str, change: _Change, messages: Sequence[Message], now: datetime
) -> Sequence[Message]:
    """Remember the new state and `messages`, the journey aside and only if it has changed; answers the messages."""
    before, state = change
    written, changed = state.write_apart(), None
    if state.journey is not before.journey:
        journey = state.journey.write()
        changed = None if journey == (account.aside or _NO_JOURNEY) else journey
    if written == account.state and changed is None:
        return messages  # nothing is remembered: the same comes of it if it comes again
    return account.commit(input_id, written, messages, now, aside=changed)


def _check_key(record: Record, owner: str) -> None:
    """Order holds per customer only if the record is keyed by its owner."""
    if record.key != owner.encode():
        raise Malformed(f"the record key is not what {record.topic} is keyed by, see `livecue schemas --asyncapi`")


def _owner(event: Event | DecisionRequest | HandoffRecord) -> str:
    if isinstance(event, CustomerEvent | DecisionRequest | Handoff | Forwarded):
        return event.customer_id
    return event.route_key


def _tell(advanced: Advance, event: Input) -> None:
    """Metrics, and a line in the log for whoever reads along."""
    for each in advanced.passed_on:
        PASSED_ON.labels(each.type).inc()
    for _, ending in advanced.endings:
        ENDINGS.labels(ending.state.value).inc()
    decision = advanced.decision
    if decision is None or not isinstance(event, ScoredTurn):
        return
    DECISIONS.labels(decision.service_level.value).inc()
    TURN_TO_PROMPT_SECONDS.observe((datetime.now(UTC) - event.received_at).total_seconds())
    for prompt in decision.prompts:
        PROMPTS.labels(prompt.kind.value).inc()
        _LOG.info("%s: %s prompted on %s", prompt.conversation_id, prompt.action_id, prompt.turn_id)
