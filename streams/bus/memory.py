"""Kafka without Kafka: partitioned logs, tables and processors in one process, the same bytes every time.

It stands behind the same ports as `streams.engine`, for unit tests and for replaying conversations offline.
"""

import bisect
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from streams.bus.partitioner import partition_for
from streams.bus.ports import Message, Processor, Record

_EPOCH = datetime.fromtimestamp(0, UTC)
_MILLISECOND = timedelta(milliseconds=1)


class MemoryTable:
    """A `Table` held in memory."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[str, bytes]] = {}
        self._keys: dict[int, list[str]] = {}

    def get(self, partition: int, key: str) -> bytes | None:
        return self._rows.get(partition, {}).get(key)

    def scan(self, partition: int, prefix: str) -> Iterator[tuple[str, bytes]]:
        keys, rows = self._keys.get(partition, []), self._rows.get(partition, {})
        start = bisect.bisect_left(keys, prefix.encode(), key=str.encode)
        found = []
        for key in keys[start:]:
            if not key.startswith(prefix):
                break
            found.append((key, rows[key]))
        return iter(found)

    def put(self, partition: int, key: str, value: bytes | None) -> None:
        """Write one row; None deletes it."""
        rows, keys = self._rows.setdefault(partition, {}), self._keys.setdefault(partition, [])
        if value is None:
            if rows.pop(key, None) is not None:
                keys.remove(key)
        else:
            if key not in rows:
                bisect.insort(keys, key, key=str.encode)
            rows[key] = value


@dataclass(slots=True)
class _Reader:
    processor: Processor
    table: MemoryTable = field(default_factory=MemoryTable)
    read_up_to: dict[tuple[str, int], int] = field(default_factory=dict)


class MemoryBus:
    """All topics, each with the same number of partitions, and the processors on them."""

    def __init__(self, partitions: int = 12, *, batch_max: int = 256) -> None:
        self.partitions = partitions
        self._batch_max = batch_max
        self._logs: dict[str, list[list[Record]]] = {}
        self._readers: dict[str, _Reader] = {}

    def publish(self, messages: Iterable[Message], at: datetime) -> list[Record]:
        """Append to the logs, with `at` as Kafka's timestamp.

        Returns:
            Where each went. A record without key and partition goes to partition 0.
        """
        timestamp_ms = (at - _EPOCH) // _MILLISECOND
        return [self._append(message, timestamp_ms) for message in messages]

    def _append(self, message: Message, timestamp_ms: int) -> Record:
        partition = message.partition
        if partition is None:
            partition = 0 if message.key is None else partition_for(message.key, self.partitions)
        log = self._log(message.topic)[partition]
        key = None if message.key is None else message.key.encode()
        record = Record(message.topic, partition, len(log), timestamp_ms, key, message.value)
        log.append(record)
        return record

    def _log(self, topic: str) -> list[list[Record]]:
        return self._logs.setdefault(topic, [[] for _ in range(self.partitions)])

    def records(self, topic: str) -> list[Record]:
        """All that the topic holds: by partition, then by offset."""
        return [record for log in self._log(topic) for record in log]

    def table(self, processor: str) -> MemoryTable:
        """The table of the processor of that name, as it stands."""
        return self._readers[processor].table

    async def run(self, processors: Sequence[Processor]) -> None:
        """Run the processors until nothing is left to read. A processor goes on from where its name last read.

        Each in turn takes what has arrived, oldest timestamp first, and what it publishes has the timestamp of the
        newest record of that batch. So the order of everything depends on the records alone.
        """
        readers = []
        for processor in processors:
            reader = self._readers.setdefault(processor.name, _Reader(processor))
            reader.processor = processor
            readers.append(reader)
        while any([await self._step(reader) for reader in readers]):
            pass

    async def _step(self, reader: _Reader) -> bool:
        batch = self._arrived(reader)
        if not batch:
            return False
        effects = await reader.processor.process(batch, reader.table)
        for write in effects.writes:
            reader.table.put(write.partition, write.key, write.value)
        newest_ms = max(record.timestamp_ms for record in batch)
        for message in effects.messages:
            self._append(message, newest_ms)
        for record in batch:
            reader.read_up_to[record.topic, record.partition] = record.offset + 1
        return True

    def _arrived(self, reader: _Reader) -> list[Record]:
        """At most `batch_max` unread records, oldest first, each partition's in its own order."""
        heads = {
            (topic, partition): iter(log[reader.read_up_to.get((topic, partition), 0) :])
            for topic in reader.processor.topics
            for partition, log in enumerate(self._log(topic))
        }
        due = {source: record for source, log in heads.items() if (record := next(log, None)) is not None}
        batch: list[Record] = []
        while due and len(batch) < self._batch_max:
            source = min(due, key=lambda s: (due[s].timestamp_ms, s))
            batch.append(due.pop(source))
            if (record := next(heads[source], None)) is not None:
                due[source] = record
        return batch

    def redeliver(self, processor: str, partitions: Collection[int] | None = None, offset: int = 0) -> None:
        """The processor reads its partitions (None: all) again from `offset`; its table stays as it is.

        It is what a crash after writing the table and before the commit comes to.
        """
        reader = self._readers[processor]
        chosen = set(range(self.partitions)) if partitions is None else set(partitions)
        for topic in reader.processor.topics:
            for partition in chosen:
                read = reader.read_up_to.get((topic, partition), 0)
                reader.read_up_to[topic, partition] = min(read, offset)
        reader.processor.revoked(chosen)
