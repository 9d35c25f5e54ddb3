"""A worker process on a real Kafka: how it starts, stops, refuses and dies."""

import asyncio
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewPartitions, NewTopic
from kafka.structs import TopicPartition

from broker.rig import Rig, counted, until
from deploy.kafka import node
from streams.bus.connection import KafkaSettings
from streams.bus.partitioner import partition_for
from streams.engine.topics import TopicsRefused, partitions_of_sources

pytestmark = pytest.mark.broker


@pytest.fixture
def rig(kafka: str, tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(kafka, tmp_path)
    yield rig
    rig.stop()


@pytest.fixture
def admin(kafka: str) -> Iterator[KafkaAdminClient]:
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    yield admin
    admin.close()


def committed(admin: KafkaAdminClient, rig: Rig) -> int:
    """How many records the group has committed past, over all partitions."""
    offsets = admin.list_group_offsets(rig.group)
    return sum(max(0, at.offset) for at in offsets[rig.group].values())


def test_sigterm_commits_all_that_was_done_and_exits_with_0(rig: Rig, admin: KafkaAdminClient) -> None:
    with counted(rig) as tally:
        worker = rig.start()
        rig.publish(*map(str, range(50)))
        until(lambda: len(tally.seen) == 50, 30, rig.log)
        started = time.monotonic()
        worker.terminate()
        assert worker.wait(10) == 0
        assert time.monotonic() - started < 5
        assert committed(admin, rig) == 50
        rig.start()
        rig.publish("50")
        until(lambda: len(tally.seen) == 51, 30, rig.log)
    assert tally.told(51) == {"lost": 0, "doubled": 0, "out_of_order": 0, "behind": 0}


def test_what_raises_ends_the_process_before_the_offset_moves(rig: Rig, admin: KafkaAdminClient) -> None:
    with counted(rig) as tally:
        worker = rig.start()
        rig.publish("0", "1")
        until(lambda: len(tally.seen) == 2, 30, rig.log)
        rig.publish("raise", "2")
        assert worker.wait(15) == 70
        assert committed(admin, rig) <= 2
        assert "RuntimeError: put in on purpose" in rig.log()
        assert rig.start().wait(30) == 70, "it comes again, until the bug is mended"
    assert sorted(tally.seen) == [0, 1]


def test_a_worker_that_hangs_is_ended_by_its_watchdog(rig: Rig) -> None:
    worker = rig.start(watchdog_s=3)
    rig.wait_for_log("is ready")
    rig.publish("hang")
    assert worker.wait(20) == 75
    assert "no progress for" in rig.log()


def test_readiness_and_metrics(rig: Rig) -> None:
    rig.start(http_port=0)
    rig.wait_for_log("metrics and health on")
    found = re.search(r"http://127\.0\.0\.1:\d+", rig.log())
    assert found is not None

    def get(path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(found[0] + path) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    assert get("/healthz") == (200, "alive\n")
    until(lambda: get("/readyz") == (200, "owns 12 partitions\n"), 20, lambda: str(get("/readyz")))
    rig.publish("1", "2", "3")
    line = f'livecue_records_processed_total{{processor="counting-{rig.topic}",topic="{rig.topic}.in"}} 3.0'
    until(lambda: line in get("/metrics")[1], 10, lambda: get("/metrics")[1])


def test_two_workers_cannot_share_a_data_directory(rig: Rig) -> None:
    rig.start(1)
    rig.wait_for_log("is ready")
    assert rig.start(2, data_dir=str(rig.directory / "data-1")).wait(20) == 1
    assert "give each one of its own" in rig.log(2)


def test_a_missing_topic_is_refused_by_name(rig: Rig) -> None:
    assert rig.start(topic="nowhere").wait(20) == 1
    assert re.search(r"TopicsRefused: .* has no topic nowhere\.in: run `livecue topics create`", rig.log())


def test_a_changelog_of_another_size_is_refused(rig: Rig, admin: KafkaAdminClient) -> None:
    rig.start()
    rig.wait_for_log("is ready")
    rig.stop()
    admin.create_partitions({f"{rig.topic}.in": NewPartitions(13)})
    until(lambda: len(admin.describe_topics([f"{rig.topic}.in"])[0]["partitions"]) == 13, 10, str)
    assert rig.start().wait(20) == 1
    assert "has 12 partitions, its sources have 13" in rig.log()


async def test_topics_of_different_sizes_are_refused(kafka: str, admin: KafkaAdminClient, tmp_path: Path) -> None:
    names = [f"uneven-{tmp_path.name}-{n}" for n in (2, 3)]
    admin.create_topics([NewTopic(name, n, 1) for name, n in zip(names, (2, 3), strict=True)], wait_for_metadata=True)
    settings = KafkaSettings(servers=(kafka,))
    with pytest.raises(TopicsRefused, match=f"{names[0]} has 2, {names[1]} has 3"):
        await asyncio.to_thread(partitions_of_sources, settings, names)


def test_a_hole_in_the_log_is_stepped_over_loudly(rig: Rig, admin: KafkaAdminClient) -> None:
    """Retention passed a worker that was away: records 10 to 29 are gone before it comes back."""
    with counted(rig) as tally:
        rig.start(http_port=0)
        rig.publish(*map(str, range(10)))
        until(lambda: len(tally.seen) == 10, 30, rig.log)
        rig.stop()
        rig.publish(*map(str, range(10, 40)))
        admin.delete_records({TopicPartition(f"{rig.topic}.in", partition_for("ada", 12)): 30})
        rig.start()
        until(lambda: len(tally.seen) == 20, 30, rig.log)
    assert sorted(tally.seen) == [*range(10), *range(30, 40)]
    lost = f"RECORDS LOST: {rig.topic}.in/{partition_for('ada', 12)} has no records from offset 10 up to 30 any more"
    assert lost in rig.log()


def test_a_kafka_that_is_not_there_is_named(tmp_path: Path, rig: Rig) -> None:
    worker = rig.start(kafka="127.0.0.1:1", patience_s=1)
    assert worker.wait(60) == 1
    assert "Kafka does not answer at 127.0.0.1:1" in rig.log()
    assert "livecue kafka start" in rig.log()


@pytest.mark.faults
def test_a_kafka_that_stays_away_ends_the_process(tmp_path: Path) -> None:
    with node.running(tmp_path / "kafka") as broker:
        rig = Rig(broker.bootstrap, tmp_path)
        worker = rig.start(patience_s=2, watchdog_s=3)
        rig.wait_for_log("is ready")
        node.stop(tmp_path / "kafka")
        try:
            assert worker.wait(30) == 69
        finally:
            rig.stop()
