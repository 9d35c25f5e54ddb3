"""Workers come and go at random, and an independent client finds every record, in order, once its doubles are dropped.

Run with `-s` the long ones print what they counted.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer

from broker.rig import KEYS, Rig, counted, torture, until
from deploy.kafka import node

pytestmark = [pytest.mark.broker, pytest.mark.faults]


@pytest.fixture
def rig(kafka: str, tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(kafka, tmp_path)
    yield rig
    rig.stop()


@pytest.mark.timeout(120)
def test_nothing_is_lost_when_workers_come_and_go(rig: Rig) -> None:
    found = torture(rig, messages=2_000, faults=3, seed=7)
    assert (found["lost"], found["out_of_order"], found["behind"]) == (0, 0, 0), found


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost_in_fourteen_faults(rig: Rig, seed: int) -> None:
    found = torture(rig, messages=14_000, faults=14, seed=seed)
    print("gap-free:", found)
    assert (found["lost"], found["out_of_order"], found["behind"]) == (0, 0, 0), found


@pytest.mark.long
@pytest.mark.timeout(400)
def test_stock_faust_does_lose(rig: Rig) -> None:
    """That the test above can fail. If this one fails, Faust may have been mended: see whether we still need ours."""
    found = torture(rig, messages=14_000, faults=14, seed=1, stock=True)
    print("stock Faust:", found)
    assert found["lost"] > 0 or found["out_of_order"] > 0, found


@pytest.mark.long
@pytest.mark.timeout(240)
def test_nothing_is_lost_when_kafka_is_away_for_twenty_seconds(tmp_path: Path) -> None:
    """Killed with -9 in mid-load and started again on the same data and port; no worker is touched."""
    messages, data_dir = 4_000, tmp_path / "kafka"
    with node.running(data_dir) as broker:
        rig = Rig(broker.bootstrap, tmp_path)
        workers = [rig.start(1), rig.start(2)]
        for number in (1, 2):
            rig.wait_for_log("is ready", number)

        def outage() -> None:
            time.sleep(10)
            os.kill(broker.pid, signal.SIGKILL)
            time.sleep(20)
            node.start(data_dir)

        away = threading.Thread(target=outage)
        with counted(rig) as tally:
            producer = KafkaProducer(
                bootstrap_servers=rig.kafka, linger_ms=0, acks="all", delivery_timeout_ms=120_000, max_block_ms=120_000
            )
            away.start()
            for i in range(messages):
                producer.send(f"{rig.topic}.in", key=str(i % KEYS).encode(), value=str(i).encode())
                time.sleep(0.01)
            producer.flush(120)
            away.join()
            until(lambda: len(tally.seen) == messages, 90, lambda: f"{tally.told(messages)}\n{rig.log(1)}{rig.log(2)}")
            time.sleep(0.5)
        exits = [worker.poll() for worker in workers]
        rig.stop()
    found = tally.told(messages)
    print("Kafka away for 20 s:", found, "workers' exits:", exits)
    assert (found["lost"], found["out_of_order"], found["behind"]) == (0, 0, 0), found
    assert exits == [None, None], "patience is 60 s: nobody ends"
