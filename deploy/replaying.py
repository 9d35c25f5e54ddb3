"""Recorded decisions decided again: records in, from Kafka or from the in-process bus, and what came of each out."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from guidance.decision.replay import Again, LeftOut, Replay
from schemas.codec import decode
from schemas.errors import Malformed
from schemas.handoff import Forwarded
from schemas.intent import ScoredTurn
from schemas.topics import CUSTOMER_EVENTS, DECISIONS, HANDOFFS, INTENTS_TOPIC, OUTCOMES, REQUESTS, by_name
from streams.bus.connection import KafkaSettings
from streams.bus.merge import read_merged
from streams.bus.ports import Record
from streams.bus.readers import KafkaReaders

INPUTS = (INTENTS_TOPIC.name, CUSTOMER_EVENTS.name, OUTCOMES.name, HANDOFFS.name, REQUESTS.name)
"""What is folded into customers' states, besides ticks, which decisions name themselves."""


def fed(replay: Replay, records: Iterable[Record]) -> Iterator[Again | LeftOut]:
    """What can be decided again once those records are known: inputs and decisions, about in order of time."""
    for record in records:
        if record.value is None or record.key is None:
            continue
        if record.topic == DECISIONS.name:
            yield from replay.decision(record.value)
            continue
        try:
            event = decode(adapter_of(record.topic), record.value)
        except Malformed:
            continue  # it is in the dead letters, and was folded by nobody
        if not _is_partial(event):
            yield from replay.input(record.key.decode(), event, record.at)


async def records_since(
    kafka: KafkaSettings, since: datetime | None, on_total: Callable[[int], None] = lambda total: None
) -> AsyncIterator[list[Record]]:
    """Decisions and their inputs from `since` to now, oldest first; None: all that the log still has.

    `on_total` is told first how many records there will be.

    Raises:
        LookupError: a topic is missing; the message says how to create it.
        BusUnavailable: no broker answers.
    """
    readers = KafkaReaders(kafka)
    topics = (*INPUTS, DECISIONS.name)
    starts = await readers.positions(topics, since or "earliest")
    ends = await readers.positions(topics, "latest")
    on_total(sum(max(0, ends[each] - start) for each, start in starts.items()))
    async for batch in read_merged(kafka, starts, ends):
        yield batch


def adapter_of(topic: str) -> TypeAdapter[Any]:
    """How that topic's records are read. Raises KeyError for a topic that there is not."""
    adapter = by_name(topic).adapter
    assert adapter is not None, "every topic that is replayed has a contract"
    return adapter


def _is_partial(event: object) -> bool:
    heard = event.record if isinstance(event, Forwarded) else event
    return isinstance(heard, ScoredTurn) and not heard.turn.is_final
