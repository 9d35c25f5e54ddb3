"""Plain readers on a real Kafka."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from kafka import KafkaAdminClient, TopicPartition

from streams.bus.connection import KafkaSettings
from streams.bus.ports import BusUnavailable, Message, Record
from streams.bus.producer import KafkaPublisher
from streams.bus.readers import KafkaReaders, OffsetGone, Tail

pytestmark = pytest.mark.broker
_names = count()


@dataclass(slots=True)
class Log:
    """A topic of two partitions of this test's own."""

    settings: KafkaSettings
    publisher: KafkaPublisher
    readers: KafkaReaders
    topic: str = field(default_factory=lambda: f"readers-{next(_names)}")

    async def write(self, *values: str | None, key: str = "k", partition: int = 0) -> None:
        await self.publisher.publish(
            [Message(self.topic, key, None if each is None else each.encode(), partition) for each in values]
        )


@pytest.fixture
async def log(kafka: str) -> AsyncIterator[Log]:
    settings = KafkaSettings(servers=(kafka,))
    async with KafkaPublisher(settings) as publisher:
        made = Log(settings, publisher, KafkaReaders(settings))
        with KafkaAdminClient(**settings.for_kafka_python()) as admin:
            admin.create_topics({made.topic: {"num_partitions": 2, "replication_factor": 1}})
            admin.wait_for_topics([made.topic])
        yield made


def values(records: list[Record]) -> list[bytes | None]:
    return [record.value for record in records]


async def test_a_topic_is_described(log: Log) -> None:
    facts = await log.readers.describe(log.topic)
    assert (facts.partitions, len(facts.topic_id)) == (2, 36)
    assert await log.readers.describe(log.topic) == facts
    with pytest.raises(LookupError, match="livecue topics create"):
        await log.readers.describe("no-such-topic")


async def test_positions_by_end_and_by_time(log: Log) -> None:
    await log.write("a")
    await asyncio.sleep(0.1)
    later = datetime.now(UTC)
    await asyncio.sleep(0.1)
    await log.write("b", "c")
    one, two = (log.topic, 0), (log.topic, 1)
    assert await log.readers.positions([log.topic], "earliest") == {one: 0, two: 0}
    assert await log.readers.positions([log.topic], "latest") == {one: 3, two: 0}
    assert await log.readers.positions([log.topic], later) == {one: 1, two: 0}
    assert await log.readers.positions([log.topic], later + timedelta(days=1)) == {one: 3, two: 0}
    assert await log.readers.end(log.topic, 0) == 3


async def test_a_range_by_offset_and_by_key(log: Log) -> None:
    await log.write("a", "b")
    await log.write("other", key="o")
    await log.write("c", "d")
    assert values(await log.readers.read_range(log.topic, 0, 1, 4)) == [b"b", b"other", b"c"]
    assert values(await log.readers.read_range(log.topic, 0, 1, 99, key=b"k")) == [b"b", b"c", b"d"]
    assert await log.readers.read_range(log.topic, 0, 5, 99) == []


async def test_what_the_log_does_not_have_is_gone(log: Log) -> None:
    await log.write("a", "b", "c")
    with pytest.raises(OffsetGone, match="has 0 to 3"):
        await log.readers.read_range(log.topic, 0, 4, 9)
    with KafkaAdminClient(**log.settings.for_kafka_python()) as admin:
        admin.delete_records({TopicPartition(log.topic, 0): 2})
    with pytest.raises(OffsetGone, match="has 2 to 3"):
        await log.readers.read_range(log.topic, 0, 1, 3)


async def test_a_compacted_topic_is_read_to_its_end(log: Log) -> None:
    await log.write("old", "new", key="a")
    await log.write("gone", None, key="b")
    await log.write("there", key="c", partition=1)
    compacted = await log.readers.read_compacted(log.topic)
    assert {key: record.value for key, record in compacted.latest.items()} == {b"a": b"new", b"c": b"there"}
    assert compacted.positions == {(log.topic, 0): 4, (log.topic, 1): 1}


async def test_a_tail_follows_and_can_be_taken_up_again(log: Log) -> None:
    await log.write("before")
    seen: list[bytes | None] = []
    positions = await log.readers.positions([log.topic], "latest")
    for batch_of in (("a", "b"), ("c", "d")):
        async with Tail(log.settings, positions) as tail, asyncio.timeout(10):
            assert await tail.answers(within_s=5)
            await log.write(*batch_of)
            async for batch in tail:
                seen += values(list(batch))
                if len(seen) % 2 == 0 and batch:
                    break
            positions = tail.positions
    assert seen == [b"a", b"b", b"c", b"d"]


async def test_a_tail_whose_place_is_gone_says_so(log: Log) -> None:
    async with Tail(log.settings, {(log.topic, 0): 50}) as tail, asyncio.timeout(10):
        with pytest.raises(OffsetGone):
            async for _ in tail:
                pass


async def test_no_kafka_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.bus.readers._PATIENCE_S", 0.3)
    with pytest.raises(BusUnavailable, match=r"127\.0\.0\.1:9"):
        await KafkaReaders(KafkaSettings(servers=("127.0.0.1:9",))).end("any", 0)
