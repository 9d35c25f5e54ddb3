"""What the bus in memory promises beyond the ports: time and order come from the records alone."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from streams.bus.memory import MemoryBus
from streams.bus.ports import Effects, Message, Record, Table, Write

T0 = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class Relay:
    """Publishes what it reads on `into`, and counts its reads in its table."""

    def __init__(self, name: str, topics: tuple[str, ...], into: str | None) -> None:
        self.name, self.topics, self._into = name, topics, into
        self.read: list[tuple[str, bytes | None]] = []
        self.told: list[Collection[int]] = []

    async def process(self, batch: Sequence[Record], table: Table) -> Effects:
        self.read += [(record.topic, record.value) for record in batch]
        count = int(table.get(0, "reads") or b"0") + len(batch)
        messages = [Message(self._into, "key", r.value) for r in batch] if self._into else []
        return Effects([Write(0, "reads", b"%d" % count)], messages)

    def revoked(self, partitions: Collection[int]) -> None:
        self.told.append(partitions)


def seconds(after: float) -> datetime:
    return T0 + timedelta(seconds=after)


async def test_records_of_all_topics_come_in_order_of_time() -> None:
    bus, relay = MemoryBus(), Relay("relay", ("a", "b"), None)
    bus.publish([Message("b", "k1", b"2")], seconds(2))
    bus.publish([Message("a", "k2", b"1"), Message("a", "k3", b"1")], seconds(1))
    bus.publish([Message("a", "k2", b"3")], seconds(3))
    await bus.run([relay])
    assert [value for _, value in relay.read] == [b"1", b"1", b"2", b"3"]


async def test_what_a_batch_publishes_has_the_time_of_its_newest_record() -> None:
    bus = MemoryBus()
    bus.publish([Message("in", "k", b"1")], seconds(1))
    bus.publish([Message("in", "k", b"2")], seconds(2.5))
    await bus.run([Relay("relay", ("in",), "out")])
    assert [record.at for record in bus.records("out")] == [seconds(2.5)] * 2


async def test_processors_run_until_nothing_is_left_to_read() -> None:
    bus, last = MemoryBus(batch_max=2), Relay("last", ("out",), None)
    bus.publish([Message("in", f"k{n}", b"%d" % n) for n in range(7)], T0)
    await bus.run([last, Relay("first", ("in",), "out")])
    assert len(last.read) == 7
    assert bus.table("last").get(0, "reads") == b"7"


async def test_the_same_records_give_the_same_logs() -> None:
    async def logs() -> list[Record]:
        bus = MemoryBus(batch_max=3)
        for n in range(20):
            bus.publish([Message("in", f"k{n % 5}", b"%d" % n)], seconds(n % 3))
        await bus.run([Relay("first", ("in",), "out"), Relay("last", ("out",), "end")])
        return bus.records("out") + bus.records("end")

    assert await logs() == await logs()


async def test_redelivery_reads_again_from_the_offset_with_the_table_as_it_is() -> None:
    bus, relay = MemoryBus(2), Relay("relay", ("in",), None)
    bus.publish([Message("in", None, b"%d" % n, n % 2) for n in range(6)], T0)
    await bus.run([relay])
    relay.read.clear()
    bus.redeliver("relay", [1], offset=1)
    await bus.run([relay])
    assert [value for _, value in relay.read] == [b"3", b"5"]
    assert relay.told == [{1}]
    assert bus.table("relay").get(0, "reads") == b"8"
