"""Plain readers of Kafka, outside of any consumer group: they commit nothing and take part in no rebalance.

Positions are ours, never the broker's. A broker that is away delays a reader; it does not make it skip.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, OffsetOutOfRangeError
from kafka import KafkaAdminClient

from streams.bus.connection import KafkaSettings, unavailable, wait_for_kafka
from streams.bus.ports import Record

log = logging.getLogger(__name__)

Positions = Mapping[tuple[str, int], int]
"""(topic, partition) → the offset of the next record to read."""

_POLL_MS = 500
_PATIENCE_S = 30.0


class OffsetGone(LookupError):
    """The records from there on are no longer in the log, or never were. The message says where the log begins."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """A compacted topic as it stood when its end was reached."""

    latest: Mapping[bytes, Record]
    """Each key's latest record; keys whose latest is a tombstone are left out."""
    positions: Positions
    """From where to follow the topic."""


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """What Kafka knows of a topic."""

    topic_id: str
    """Kafka's own: another one once the topic has been deleted and made again."""
    partitions: int


class Tail:
    """Reads partitions from given positions on, for ever. Use it as an async context manager, and iterate.

    Iterating yields batches: per partition in order and without a gap, at least once a second (maybe empty), so that
    the reader can do its housekeeping. While no broker answers the batches are empty, and go on afterwards from where
    they were. It raises `OffsetGone` when the log has lost a position, which only a very long absence explains.
    """

    def __init__(self, kafka: KafkaSettings, positions: Positions, *, max_records: int = 500) -> None:
        self._kafka = kafka
        self._max_records = max_records
        self._consumer: AIOKafkaConsumer | None = None
        self.positions = dict(positions)
        """The next offset to be yielded, a partition; moves on as batches are yielded."""

    async def __aenter__(self) -> Self:
        self._consumer = await connected(self._kafka, self.positions)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._consumer is not None:
            consumer, self._consumer = self._consumer, None
            await consumer.stop()

    async def __aiter__(self) -> AsyncIterator[Sequence[Record]]:
        while self._consumer is not None:
            try:
                fetched = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=self._max_records)
            except OffsetOutOfRangeError as error:
                raise OffsetGone(f"the log no longer has what comes next: {error}") from error
            except KafkaError as error:
                log.warning("reading failed, going on from where it stood: %s", error)
                await self._reconnect()
                continue
            batch = []
            for tp, records in fetched.items():
                batch += [as_record(record) for record in records]
                self.positions[tp.topic, tp.partition] = records[-1].offset + 1
            yield batch

    async def answers(self, within_s: float) -> bool:
        """Whether the brokers of all partitions answer a request within `within_s` seconds."""
        if self._consumer is None:
            return False
        try:
            async with asyncio.timeout(within_s):
                await self._consumer.end_offsets([TopicPartition(*each) for each in self.positions])
        except (KafkaError, TimeoutError):
            return False
        return True

    async def _reconnect(self) -> None:
        if self._consumer is not None:
            await self._consumer.stop()
        while True:
            try:
                self._consumer = await connected(self._kafka, self.positions)
            except ConnectionError as error:
                log.warning("%s", error)
            else:
                return


class KafkaReaders:
    """Finds positions, and reads bounded parts of the log. Each call connects anew: a few milliseconds."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka

    async def describe(self, topic: str) -> TopicFacts:
        """What Kafka knows of the topic.

        Raises:
            LookupError: there is no such topic.
            BusUnavailable: no broker answers.
        """
        await wait_for_kafka(self._kafka, _PATIENCE_S)
        return await asyncio.to_thread(self._describe, topic)  # aiokafka does not read topic ids

    async def positions(
        self, topics: Iterable[str], start: Literal["earliest", "latest"] | datetime
    ) -> dict[tuple[str, int], int]:
        """Where to begin: at the log's first record, after its last, or at the first one not older than an instant
        (after the last, where all are older). Raises LookupError for an unknown topic, and `BusUnavailable`."""
        async with self._consumer() as consumer:
            return await self._positions(consumer, topics, start)

    async def read_range(
        self, topic: str, partition: int, start: int, end: int, *, key: bytes | None = None
    ) -> list[Record]:
        """The records from `start` up to `end`, not included; with `key`, only those that have it. The log may end
        before `end`.

        Raises:
            OffsetGone: the log begins after `start`, or ends before it.
            BusUnavailable: no broker answers.
        """
        tp = TopicPartition(topic, partition)
        found: list[Record] = []
        async with self._consumer() as consumer:
            begins, ends = await self._bounds(consumer, tp)
            if not begins <= start <= ends:
                raise OffsetGone(f"{topic}/{partition}: offset {start} is not in the log, which has {begins} to {ends}")
            end = min(end, ends)
            if start >= end:
                return found
            consumer.assign([tp])
            consumer.seek(tp, start)
            try:
                while await consumer.position(tp) < end:
                    fetched = (await consumer.getmany(timeout_ms=_POLL_MS)).get(tp, ())
                    found += [as_record(each) for each in fetched if each.offset < end and key in (None, each.key)]
            except OffsetOutOfRangeError as error:
                raise OffsetGone(f"{topic}/{partition}: retention passed the reader: {error}") from error
        return found

    async def read_compacted(self, topic: str) -> Compacted:
        """The topic from its beginning to its present end. Raises LookupError where there is none; `BusUnavailable`."""
        latest: dict[bytes, Record] = {}
        async with self._consumer() as consumer:
            ends = await self._positions(consumer, [topic], "latest")
            tps = [TopicPartition(topic, partition) for _, partition in ends]
            consumer.assign(tps)
            await consumer.seek_to_beginning(*tps)
            while any([await consumer.position(tp) < ends[topic, tp.partition] for tp in tps]):
                for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                    for record in records:
                        if record.value is None:
                            latest.pop(record.key, None)
                        else:
                            latest[record.key] = as_record(record)
            positions = {(topic, tp.partition): await consumer.position(tp) for tp in tps}
        return Compacted(latest, positions)

    async def end(self, topic: str, partition: int) -> int:
        """The offset that the partition's next record will have. Raises `BusUnavailable`."""
        async with self._consumer() as consumer:
            return (await self._bounds(consumer, TopicPartition(topic, partition)))[1]

    async def _positions(
        self, consumer: AIOKafkaConsumer, topics: Iterable[str], start: Literal["earliest", "latest"] | datetime
    ) -> dict[tuple[str, int], int]:
        tps = [
            TopicPartition(topic, each) for topic in topics for each in range((await self.describe(topic)).partitions)
        ]
        ends = await consumer.beginning_offsets(tps) if start == "earliest" else await consumer.end_offsets(tps)
        found = {(tp.topic, tp.partition): offset for tp, offset in ends.items()}
        if isinstance(start, datetime):
            since_ms = round(start.timestamp() * 1000)
            for tp, first in (await consumer.offsets_for_times(dict.fromkeys(tps, since_ms))).items():
                if first is not None:
                    found[tp.topic, tp.partition] = first.offset
        return found

    async def _bounds(self, consumer: AIOKafkaConsumer, tp: TopicPartition) -> tuple[int, int]:
        begins, ends = await consumer.beginning_offsets([tp]), await consumer.end_offsets([tp])
        return begins[tp], ends[tp]

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = await connected(self._kafka, {})
        try:
            yield consumer
        except (KafkaConnectionError, KafkaTimeoutError) as error:
            raise unavailable(self._kafka, _PATIENCE_S) from error
        finally:
            await consumer.stop()

    def _describe(self, topic: str) -> TopicFacts:
        with KafkaAdminClient(**self._kafka.for_kafka_python()) as admin:
            described = admin.describe_topics([topic])[0]
        if not described["partitions"]:
            raise LookupError(f"there is no topic {topic}: create the topics with `livecue topics create`")
        return TopicFacts(str(described["topic_id"]), len(described["partitions"]))


async def connected(kafka: KafkaSettings, positions: Positions) -> AIOKafkaConsumer:
    """A consumer outside of any group, assigned to `positions` and standing there. Raises `BusUnavailable`."""
    await wait_for_kafka(kafka, _PATIENCE_S)
    consumer = AIOKafkaConsumer(
        **kafka.for_aiokafka(), group_id=None, enable_auto_commit=False, auto_offset_reset="none"
    )
    try:
        await consumer.start()
    except KafkaConnectionError as error:
        await consumer.stop()
        raise unavailable(kafka, _PATIENCE_S) from error
    if positions:
        consumer.assign([TopicPartition(*each) for each in positions])
        for (topic, partition), offset in positions.items():
            consumer.seek(TopicPartition(topic, partition), offset)
    return consumer


def as_record(record: ConsumerRecord) -> Record:
    """As processors see it."""
    return Record(record.topic, record.partition, record.offset, record.timestamp, record.key, record.value)
