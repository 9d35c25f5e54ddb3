"""One real Kafka node: its whole life, its violent ends, and what it says when it cannot live."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from deploy.kafka import daemon, node, topics
from deploy.kafka.errors import LocalKafkaError
from schemas.topics import TURNS
from streams.bus.connection import KafkaSettings

pytestmark = pytest.mark.broker

TURNS_0 = TopicPartition(TURNS.name, 0)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One directory for all tests of this file, each of which starts the node it needs in it."""
    data_dir = tmp_path_factory.mktemp("node with a space, and é")
    yield data_dir
    node.stop(data_dir)


def publish(bootstrap: str, value: bytes) -> None:
    with KafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        producer.send(TURNS.name, value, partition=0).get(timeout=30)


def stored(bootstrap: str) -> list[bytes]:
    with KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False) as consumer:
        consumer.assign([TURNS_0])
        end = consumer.end_offsets([TURNS_0])[TURNS_0]
        values: list[bytes] = []
        while len(values) < end:
            values += [record.value for record in consumer.poll(timeout_ms=1000).get(TURNS_0, [])]
        return values


def test_a_started_node_answers_and_a_second_start_finds_it(data_dir: Path) -> None:
    assert node.status(data_dir / "nothing here") is None

    first = node.start(data_dir)

    assert first == node.start(data_dir)
    assert first == node.status(data_dir)
    assert "Kafka Server started" in first.log_path.read_text()
    with pytest.raises(LocalKafkaError, match="stop it first"):
        node.start(data_dir, port=19_092)


def test_stop_and_kill_9_both_keep_records_and_port(data_dir: Path) -> None:
    first = node.start(data_dir)
    topics.create(KafkaSettings(servers=(first.bootstrap,)), partitions=2)
    publish(first.bootstrap, b"before the stop")

    assert node.stop(data_dir)
    assert node.status(data_dir) is None
    assert not node.stop(data_dir)
    second = node.start(data_dir)
    publish(second.bootstrap, b"before kill -9")
    os.kill(second.pid, signal.SIGKILL)
    third = node.start(data_dir)

    assert first.bootstrap == second.bootstrap == third.bootstrap
    assert len({first.pid, second.pid, third.pid}) == 3
    assert stored(third.bootstrap) == [b"before the stop", b"before kill -9"]


def test_kill_9_of_the_starter_leaves_a_node_that_the_next_start_takes_over(data_dir: Path) -> None:
    node.stop(data_dir)
    start = [sys.executable, "-c", "import sys, pathlib, deploy.kafka.node as n; n.start(pathlib.Path(sys.argv[1]))"]
    with subprocess.Popen([*start, str(data_dir)]) as starter:
        deadline = time.monotonic() + 60
        while (pid := daemon.pid_of(data_dir / "node.pid")) is None and time.monotonic() < deadline:
            time.sleep(0.02)
        starter.kill()

    assert starter.returncode == -signal.SIGKILL, "it had returned before it could be killed"
    assert pid == node.start(data_dir).pid


def test_a_node_that_cannot_live_says_why_and_leaves_nothing_running(data_dir: Path) -> None:
    node.stop(data_dir)
    meta = data_dir / "records" / "meta.properties"
    whole = meta.read_text()
    meta.write_text(whole.replace("version=1", "version=99"))
    try:
        with pytest.raises(LocalKafkaError, match=r"(?s)Kafka ended as it started\. It said:.*version.*Read on in"):
            node.start(data_dir)
        assert node.status(data_dir) is None
    finally:
        meta.write_text(whole)


def test_what_a_cut_short_formatting_left_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "records.formatting").mkdir()
    (tmp_path / "records.formatting" / "meta.properties").write_text("version=")
    (tmp_path / "node.pid").write_text(f"{os.getpid()}\n")  # a stale pid that is somebody's again: our own

    with node.running(tmp_path) as started:
        assert started == node.status(tmp_path)
        assert started.pid != os.getpid()
    assert node.status(tmp_path) is None
