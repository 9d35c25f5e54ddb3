"""The two buses, seen by a test in the same way."""

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from aiokafka import AIOKafkaConsumer
from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.structs import OffsetAndMetadata, TopicPartition

from streams.bus.connection import KafkaSettings
from streams.bus.memory import MemoryBus
from streams.bus.ports import Effects, Message, Record, Table
from streams.bus.producer import KafkaPublisher
from streams.engine.app import run_worker
from streams.engine.settings import WorkerSettings

Process = Callable[[Sequence[Record], Table], Effects]


class Probe:
    """A processor that does what a test says, and remembers what it was given."""

    def __init__(self, name: str, topics: Sequence[str], process: Process) -> None:
        self.name, self.topics = name, tuple(topics)
        self._process = process
        self.given: list[Record] = []
        self.batches: list[list[Record]] = []
        self.revocations: list[Collection[int]] = []

    async def process(self, batch: Sequence[Record], table: Table) -> Effects:
        effects = self._process(batch, table)
        self.batches.append(list(batch))
        self.given.extend(batch)
        return effects

    def revoked(self, partitions: Collection[int]) -> None:
        self.revocations.append(partitions)


class Bus(Protocol):
    """A bus with topics of one test's own, of four partitions each."""

    def topic(self, name: str) -> str:
        """The real name of a topic; on Kafka it is created."""

    def probe(self, topics: Sequence[str], process: Process) -> Probe:
        """A processor of a name of its own."""

    async def publish(self, messages: Sequence[Message]) -> None: ...

    async def run(self, probe: Probe, records: int) -> None:
        """Run it until it has been given `records` records, and stop it."""

    async def records(self, topic: str) -> list[Record]:
        """All that the topic holds, by partition, then by offset."""

    async def redeliver(self, probe: Probe, *, lose_disk: bool = False) -> None:
        """Let it read everything again; `lose_disk`: on a machine that has nothing of its table."""


PARTITIONS = 4


class InMemory:
    def __init__(self) -> None:
        self._bus = MemoryBus(PARTITIONS)

    def topic(self, name: str) -> str:
        return name

    def probe(self, topics: Sequence[str], process: Process) -> Probe:
        return Probe("probe", topics, process)

    async def publish(self, messages: Sequence[Message]) -> None:
        self._bus.publish(messages, datetime.now(UTC))

    async def run(self, probe: Probe, records: int) -> None:
        await self._bus.run([probe])
        assert records == len(probe.given)

    async def records(self, topic: str) -> list[Record]:
        return self._bus.records(topic)

    async def redeliver(self, probe: Probe, *, lose_disk: bool = False) -> None:
        self._bus.redeliver(probe.name)


class OnKafka:
    def __init__(self, bootstrap: str, tmp_path: Path) -> None:
        self._settings = KafkaSettings(servers=(bootstrap,))
        self._data_dir = tmp_path / "data"
        self._suffix = uuid.uuid4().hex[:8]
        self._admin = KafkaAdminClient(bootstrap_servers=bootstrap)

    def close(self) -> None:
        self._admin.close()

    def topic(self, name: str) -> str:
        topic = f"{name}-{self._suffix}"
        self._admin.create_topics([NewTopic(topic, PARTITIONS, 1)], wait_for_metadata=True)
        return topic

    def probe(self, topics: Sequence[str], process: Process) -> Probe:
        return Probe(f"probe-{self._suffix}", topics, process)

    async def publish(self, messages: Sequence[Message]) -> None:
        async with KafkaPublisher(self._settings) as publisher:
            await publisher.publish(messages)

    async def run(self, probe: Probe, records: int) -> None:
        worker = asyncio.create_task(run_worker(probe, WorkerSettings(kafka=self._settings, data_dir=self._data_dir)))
        try:
            async with asyncio.timeout(40):
                while len(probe.given) < records:
                    assert not worker.done(), worker.exception()
                    await asyncio.sleep(0.02)
        finally:
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker

    async def records(self, topic: str) -> list[Record]:
        consumer = AIOKafkaConsumer(**self._settings.for_aiokafka(), group_id=None, auto_offset_reset="earliest")
        await consumer.start()
        try:
            partitions = [TopicPartition(topic, p) for p in range(PARTITIONS)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            found: list[Record] = []
            while len(found) < sum(ends.values()):
                for fetched in (await consumer.getmany(timeout_ms=200)).values():
                    found += [Record(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value) for r in fetched]
        finally:
            await consumer.stop()
        return sorted(found, key=lambda record: (record.partition, record.offset))

    async def redeliver(self, probe: Probe, *, lose_disk: bool = False) -> None:
        if lose_disk:
            self._data_dir = self._data_dir / "another"
        start = {TopicPartition(t, p): OffsetAndMetadata(0, "", -1) for t in probe.topics for p in range(PARTITIONS)}
        await asyncio.to_thread(self._admin.alter_group_offsets, f"livecue-{probe.name}", start)
