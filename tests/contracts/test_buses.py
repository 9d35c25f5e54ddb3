"""What a processor may rely on, whichever bus it runs on."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from contracts.buses import PARTITIONS, Bus, InMemory, OnKafka, Process
from streams.bus.partitioner import partition_for
from streams.bus.ports import Effects, Message, Record, Table, Write


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.broker)])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bus]:
    if request.param == "memory":
        yield InMemory()
        return
    on_kafka = OnKafka(request.getfixturevalue("kafka"), tmp_path)
    yield on_kafka
    on_kafka.close()


def keyed(topic: str, *keys: str) -> list[Message]:
    return [Message(topic, key, f"{number}".encode()) for number, key in enumerate(keys)]


def counting(into: str) -> Process:
    """Counts each key's records in the table, and publishes `record count`."""

    def process(batch: Sequence[Record], table: Table) -> Effects:
        counts: dict[tuple[int, str], int] = {}
        writes, messages = [], []
        for record in batch:
            assert record.key is not None
            assert record.value is not None
            row = (record.partition, record.key.decode())
            count = counts.get(row) or int(table.get(*row) or b"0")
            counts[row] = count = count + 1
            writes.append(Write(*row, b"%d" % count))
            messages.append(Message(into, row[1], b"%b %d" % (record.value, count)))
        return Effects(writes, messages)

    return process


def nothing(batch: Sequence[Record], table: Table) -> Effects:
    return Effects()


async def test_each_partition_comes_in_order_and_complete(bus: Bus) -> None:
    topic = bus.topic("in")
    await bus.publish(keyed(topic, *(f"k{n % 11}" for n in range(1_000))))
    probe = bus.probe([topic], nothing)
    await bus.run(probe, 1_000)
    for partition in range(PARTITIONS):
        offsets = [record.offset for record in probe.given if record.partition == partition]
        assert offsets == list(range(len(offsets)))
    assert max(len(batch) for batch in probe.batches) <= 256


async def test_keys_lie_where_murmur2_puts_them_and_a_partition_given_wins(bus: Bus) -> None:
    topic = bus.topic("in")
    await bus.publish(
        [*keyed(topic, "ada", "bob", "漢"), Message(topic, "ada", b"elsewhere", 3), Message(topic, None, b"", 2)]
    )
    found = {(record.key, record.value): record.partition for record in await bus.records(topic)}
    expected = {(key.encode(), b"%d" % n): partition_for(key, PARTITIONS) for n, key in enumerate(["ada", "bob", "漢"])}
    assert found == {**expected, (b"ada", b"elsewhere"): 3, (None, b""): 2}


async def test_rows_are_there_in_the_next_batch_and_in_the_next_process(bus: Bus) -> None:
    topic, out = bus.topic("in"), bus.topic("out")
    await bus.publish(keyed(topic, *["ada", "bob"] * 300))
    probe = bus.probe([topic], counting(out))
    await bus.run(probe, 600)
    await bus.publish(keyed(topic, "ada"))
    await bus.run(probe, 601)
    counts = [int(r.value.split()[1]) for r in await bus.records(out) if r.key == b"ada" and r.value is not None]
    assert counts == list(range(1, 302))


@pytest.mark.parametrize("lose_disk", [False, True], ids=["same machine", "another machine"])
async def test_redelivered_records_find_the_table_as_they_left_it(bus: Bus, lose_disk: bool) -> None:
    topic, out = bus.topic("in"), bus.topic("out")
    await bus.publish(keyed(topic, "ada", "ada", "bob"))
    probe = bus.probe([topic], counting(out))
    await bus.run(probe, 3)
    told_before = len(probe.revocations)
    await bus.redeliver(probe, lose_disk=lose_disk)
    await bus.run(probe, 6)
    ada = [record.value for record in await bus.records(out) if record.key == b"ada"]
    assert ada == [b"0 1", b"1 2", b"0 3", b"1 4"]
    assert len(probe.revocations) > told_before


async def test_what_is_done_is_not_delivered_again(bus: Bus) -> None:
    topic = bus.topic("in")
    probe = bus.probe([topic], nothing)
    await bus.publish(keyed(topic, "ada", "bob"))
    await bus.run(probe, 2)
    await bus.publish([Message(topic, "ada", b"new")])
    await bus.run(probe, 3)
    assert [record.value for record in probe.given[2:]] == [b"new"]


async def test_tombstones_delete_rows_and_are_published_as_they_are(bus: Bus) -> None:
    topic, out = bus.topic("in"), bus.topic("out")
    found: list[bytes | None] = []

    def process(batch: Sequence[Record], table: Table) -> Effects:
        writes = []
        for record in batch:
            found.append(table.get(record.partition, "row"))
            writes += [Write(record.partition, "row", b"1"), Write(record.partition, "row", None)]
        return Effects(writes, [Message(out, "ada", None)])

    probe = bus.probe([topic], process)
    await bus.publish(keyed(topic, "ada"))
    await bus.run(probe, 1)
    await bus.publish(keyed(topic, "ada"))
    await bus.run(probe, 2)
    assert found == [None, None]
    assert [record.value for record in await bus.records(out)] == [None, None]


async def test_any_bytes_reach_the_processor_as_they_are(bus: Bus) -> None:
    topic = bus.topic("in")
    values = [b"", b"\xff\xfe not text", b"{", b"x" * 300_000, None]
    keys = [None, None, None, None, "a tombstone has a key"]
    await bus.publish([Message(topic, key, value, 1) for key, value in zip(keys, values, strict=True)])
    probe = bus.probe([topic], nothing)
    await bus.run(probe, len(values))
    assert [record.value for record in probe.given] == values
    assert [record.key for record in probe.given] == [None] * 4 + [b"a tombstone has a key"]


async def test_effects_are_carried_out_in_their_order(bus: Bus) -> None:
    topic, out = bus.topic("in"), bus.topic("out")
    last: list[bytes | None] = []

    def process(batch: Sequence[Record], table: Table) -> Effects:
        last.append(table.get(0, "row"))
        writes = [Write(0, "row", b"%d" % n) for n in range(50)]
        return Effects(writes, [Message(out, "same key", b"%d" % n) for n in range(50)])

    probe = bus.probe([topic], process)
    await bus.publish([Message(topic, None, b"", 0)])
    await bus.run(probe, 1)
    await bus.publish([Message(topic, None, b"", 0)])
    await bus.run(probe, 2)
    assert last == [None, b"49"]
    assert [record.value for record in await bus.records(out)] == [b"%d" % n for n in range(50)] * 2


async def test_a_scan_finds_its_prefix_in_its_partition_by_key(bus: Bus) -> None:
    topic = bus.topic("in")
    scanned: list[list[tuple[str, bytes]]] = []

    def process(batch: Sequence[Record], table: Table) -> Effects:
        scanned.extend(list(table.scan(partition, prefix)) for partition, prefix in [(0, "s/"), (0, ""), (1, "s/")])
        keys = ["s/b", "s/a", "s/漢", "t/a", "r"]
        return Effects([Write(0, key, key.encode()) for key in keys] + [Write(1, "s/other", b"1")])

    probe = bus.probe([topic], process)
    await bus.publish([Message(topic, None, b"", 0)])
    await bus.run(probe, 1)
    assert scanned == [[], [], []]
    scanned.clear()
    await bus.publish([Message(topic, None, b"", 0)])
    await bus.run(probe, 2)
    rows = {key: (key, key.encode()) for key in ["r", "s/a", "s/b", "s/漢", "t/a"]}
    assert scanned == [[rows["s/a"], rows["s/b"], rows["s/漢"]], list(rows.values()), [("s/other", b"1")]]


async def test_one_processor_reads_several_topics_partition_by_partition(bus: Bus) -> None:
    left, right, out = bus.topic("left"), bus.topic("right"), bus.topic("out")
    await bus.publish(keyed(left, *["ada"] * 20))
    await bus.publish(keyed(right, *["ada"] * 20))
    probe = bus.probe([left, right], counting(out))
    await bus.run(probe, 40)
    counts = [int(record.value.split()[1]) for record in await bus.records(out) if record.value is not None]
    assert counts == list(range(1, 41))
