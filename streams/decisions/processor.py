"""`decisions`: the one writer of what is known of each customer. Folds every input, decides on every final turn.

The pure core answers (`guidance.decision.advance`); this shell reads records, keeps rows, and publishes.
"""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from guidance.decision.advance import Advance, advance
from guidance.decision.fold import Event
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState, Journey
from schemas.codec import decode
from schemas.customer import CUSTOMER, CustomerEvent
from schemas.errors import Malformed
from schemas.guidance import OUTCOME, TICK, BusinessOutcome, PromptOutcome, Tick
from schemas.intent import INTENTS, RoutedLifecycle, ScoredTurn
from schemas.requests import REQUEST, DecisionRequest
from schemas.topics import CUSTOMER_EVENTS, INTENTS_TOPIC, OUTCOMES, REQUESTS, TICKS
from streams.bus.guard import bury, misrouted
from streams.bus.ledger import Account, Ledger
from streams.bus.metrics import DECIDE_SECONDS, DECISIONS, ENDINGS, PROMPTS, REPUBLISHED, TURN_TO_PROMPT_SECONDS
from streams.bus.ports import Effects, Message, Record, Table
from streams.decisions.deadlines import Deadlines
from streams.decisions.publications import partial_turn, publications

_LOG = logging.getLogger(__name__)
_SWEEP_EVERY = timedelta(hours=1)
_TICKED = ""
"""The account of what a partition's ticks published: no route key is empty."""
_NO_JOURNEY = Journey().write()
_READ: dict[str, TypeAdapter[Any]] = {
    INTENTS_TOPIC.name: INTENTS,
    CUSTOMER_EVENTS.name: CUSTOMER,
    OUTCOMES.name: OUTCOME,
    REQUESTS.name: REQUEST,
}


class DecisionsProcessor:
    """See `streams.bus.ports.Processor` for what its methods promise."""

    name = "decisions"
    topics: tuple[str, ...] = (INTENTS_TOPIC.name, CUSTOMER_EVENTS.name, OUTCOMES.name, REQUESTS.name, TICKS.name)

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
            event: Event | DecisionRequest = decode(_READ[record.topic], record.value)
            owner = _owner(event)
            _check_key(record, owner)
        except Malformed as error:
            return [bury(record, str(error), self.name)]
        if isinstance(event, ScoredTurn) and not event.turn.is_final:
            return partial_turn(event)
        return self._event(record, owner, event, ledger)

    def _tick(self, record: Record, tick: Tick, ledger: Ledger) -> Sequence[Message]:
        """A second has passed: end what is over, for the owners whose deadline has come."""
        input_id = f"tick:{record.partition}:{record.offset}"
        ticked = ledger.open(record.partition, _TICKED)
        before = ticked.published(input_id) or ()
        messages = list(before)
        for owner in self._deadlines.due(record.partition, record.at):
            account = ledger.open(record.partition, owner)
            state, news = self._advance(account, input_id, tick, record.at)
            _commit(account, input_id, state, (), record.at)
            messages += (message for message in news if message not in before)
        return ticked.commit(input_id, b"", messages, record.at) if len(messages) > len(before) else before

    def _event(self, record: Record, owner: str, event: Event | DecisionRequest, ledger: Ledger) -> Sequence[Message]:
        account, input_id = ledger.open(record.partition, owner), _input_id(event)
        if (published := account.published(input_id)) is not None:
            REPUBLISHED.labels(self.name).inc()
            return published
        state, messages = self._advance(account, input_id, event, record.at)
        return _commit(account, input_id, state, messages, record.at)

    def _advance(
        self, account: Account, input_id: str, event: Event | Tick | DecisionRequest, now: datetime
    ) -> tuple[CustomerState, list[Message]]:
        started = time.perf_counter()
        before = CustomerState.read(account.state, account.aside)
        advanced = advance(before, event, self._rules(), partition=account.partition, now=now)
        self._deadlines.put(account.partition, account.owner, advanced.state)
        messages = publications(before, advanced, event, account.owner, input_id, now)
        if advanced.decision is not None:
            DECIDE_SECONDS.observe(time.perf_counter() - started)
        _tell(advanced, event)
        return advanced.state, messages


def _commit(
    account: Account, input_id: str, state: CustomerState, messages: Sequence[Message], now: datetime
) -> Sequence[Message]:
    """Remember `state` and `messages`, the journey aside and only if it has changed; answers the messages."""
    written, journey = state.write_apart(), state.journey.write()
    changed = None if journey == (account.aside or _NO_JOURNEY) else journey
    if written == account.state and changed is None:
        return messages  # nothing is remembered: the same comes of it if it comes again
    return account.commit(input_id, written, messages, now, aside=changed)


def _check_key(record: Record, owner: str) -> None:
    """Order holds per customer only if the record is keyed by its owner."""
    if record.key != owner.encode():
        raise Malformed(f"the record key is not what {record.topic} is keyed by, see `livecue schemas --asyncapi`")


def _owner(event: Event | DecisionRequest) -> str:
    return event.customer_id if isinstance(event, CustomerEvent | DecisionRequest) else event.route_key


def _input_id(event: Event | DecisionRequest) -> str:
    """Unique over all kinds of inputs: sources choose their own ids, and two may choose the same."""
    match event:
        case ScoredTurn():
            return event.input_id
        case RoutedLifecycle():
            return f"lifecycle:{event.input_id}"
        case CustomerEvent():
            return f"event:{event.event_id}"
        case DecisionRequest():
            return f"request:{event.request_id}"
        case PromptOutcome() | BusinessOutcome():
            return f"outcome:{event.outcome_id}"


def _tell(advanced: Advance, event: Event | Tick | DecisionRequest) -> None:
    """Metrics, and a line in the log for whoever reads along."""
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
