"""What an agent's desk was told before: from memory where it reaches back that far, else from Kafka."""

import asyncio
import logging
from datetime import datetime, timedelta

from guidance.session.window import DeskWindow
from schemas.codec import decode
from schemas.desk import DESK, DeskRecord
from schemas.errors import Malformed
from schemas.topics import DESK_TOPIC
from streams.bus.partitioner import partition_for
from streams.bus.ports import Record
from streams.bus.readers import KafkaReaders

_LOG = logging.getLogger(__name__)
_SKEW = timedelta(seconds=5)
"""By how much clocks of brokers and workers may differ where a span is looked up by time."""
_AT_ONCE = 4
"""Readers of Kafka at a time: when a gateway dies, all of its desks come to another one together."""


class Past:
    """Reads stretches of the desk topic, one agent's records each."""

    def __init__(self, readers: KafkaReaders, window: DeskWindow, partitions: int) -> None:
        self._readers = readers
        self._window = window
        self._partitions = partitions
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def between(self, agent_id: str, start: int, end: int) -> list[tuple[int, DeskRecord]]:
        """(offset, record) of the agent's records from offset `start` of their partition up to `end`, not included.

        Raises `OffsetGone` where the log has let go of `start`, and `BusUnavailable`.
        """
        partition = partition_for(agent_id, self._partitions)
        if start >= self._window.begins(partition):
            kept = self._window.of(agent_id, start)
            return [(entry.offset, entry.record) for entry in kept if entry.offset < end]
        async with self._turn:
            key = agent_id.encode()
            records = await self._readers.read_range(DESK_TOPIC.name, partition, start, end, key=key)
        return [(record.offset, shown) for record in records if (shown := read_desk_record(record)) is not None]

    async def since(self, agent_id: str, since: datetime, end: int) -> list[DeskRecord]:
        """The agent's records that are not older than `since`, up to the offset `end`. Raises `BusUnavailable`."""
        async with self._turn:
            starts = await self._readers.positions([DESK_TOPIC.name], since - _SKEW)
        start = min(starts[DESK_TOPIC.name, partition_for(agent_id, self._partitions)], end)
        return [record for _, record in await self.between(agent_id, start, end)]


def read_desk_record(record: Record) -> DeskRecord | None:
    """What the record carries; None, and a word in the log, where it cannot be read."""
    try:
        return decode(DESK, record.value)
    except Malformed as error:
        _LOG.error("%s/%s/%s is no desk record: %s", record.topic, record.partition, record.offset, error)
        return None
