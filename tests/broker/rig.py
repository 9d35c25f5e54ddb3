"""Worker processes on a real Kafka, and a client that counts what they put out without any code of ours."""

import collections
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic

ROOT = Path(__file__).resolve().parents[2]
KEYS = 97


class Rig:
    """One topic pair of its own, worker processes on it, and their logs."""

    def __init__(self, bootstrap: str, directory: Path, partitions: int = 12) -> None:
        self.kafka, self.directory, self.topic = bootstrap, directory, f"rig-{uuid.uuid4().hex[:8]}"
        self.workers: dict[int, subprocess.Popen[bytes]] = {}
        admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        admin.create_topics(
            [NewTopic(f"{self.topic}.{name}", partitions, 1) for name in ("in", "out")], wait_for_metadata=True
        )
        admin.close()

    @property
    def group(self) -> str:
        return f"livecue-counting-{self.topic}"

    def start(self, number: int = 1, **told: Any) -> subprocess.Popen[bytes]:
        told = {"kafka": self.kafka, "topic": self.topic, "data_dir": str(self.directory / f"data-{number}"), **told}
        environment = dict(os.environ, PYTHONPATH=f"{ROOT}:{ROOT / 'tests'}")
        with (self.directory / f"worker-{number}.log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, ROOT / "tests/broker/counting_worker.py", json.dumps(told)],
                env=environment, stdout=log, stderr=log, cwd=self.directory,
            )  # fmt: skip
        self.workers[number] = worker
        return worker

    def log(self, number: int = 1) -> str:
        return (self.directory / f"worker-{number}.log").read_text()

    def wait_for_log(self, text: str, number: int = 1, within_s: float = 30) -> None:
        until(lambda: text in self.log(number), within_s, lambda: f"no {text!r} in:\n{self.log(number)}")

    def publish(self, *values: str, key: str = "ada") -> None:
        with contextlib.closing(KafkaProducer(bootstrap_servers=self.kafka)) as producer:
            for value in values:
                producer.send(f"{self.topic}.in", key=key.encode(), value=value.encode())
            producer.flush()

    def stop(self) -> None:
        for worker in self.workers.values():
            if worker.poll() is None:
                worker.terminate()
        for worker in self.workers.values():
            try:
                worker.wait(10)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()


def until(holds: Any, within_s: float, otherwise: Any) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, otherwise()
        time.sleep(0.05)


@dataclass
class Tally:
    """What an independent client saw in the output."""

    seen: collections.Counter[int] = field(default_factory=collections.Counter)
    out_of_order: int = 0
    behind: int = 0
    """Outputs that lacked the state of an earlier record of their key."""
    _highest: dict[bytes, int] = field(default_factory=dict)
    _by_key: dict[bytes, set[int]] = field(default_factory=lambda: collections.defaultdict(set))

    def count(self, key: bytes, value: bytes) -> None:
        number, state = map(int, value.split())
        self.seen[number] += 1
        if self.seen[number] == 1 and self._highest.get(key, -1) > number:
            self.out_of_order += 1
        self._highest[key] = max(self._highest.get(key, -1), number)
        self._by_key[key].add(number)
        self.behind += state < len(self._by_key[key])

    def told(self, messages: int) -> dict[str, int]:
        doubled = sum(self.seen.values()) - len(self.seen)
        return {
            "lost": messages - len(self.seen), "doubled": doubled,
            "out_of_order": self.out_of_order, "behind": self.behind,
        }  # fmt: skip


@contextlib.contextmanager
def counted(rig: Rig) -> Iterator[Tally]:
    """Count the output meanwhile."""
    tally, stop = Tally(), threading.Event()

    def watch() -> None:
        consumer = KafkaConsumer(
            f"{rig.topic}.out", bootstrap_servers=rig.kafka, auto_offset_reset="earliest", group_id=None
        )
        while not stop.is_set():
            for records in consumer.poll(timeout_ms=200).values():
                for record in records:
                    tally.count(record.key, record.value)
        consumer.close()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield tally
    finally:
        stop.set()
        watcher.join()


def torture(rig: Rig, *, messages: int, faults: int, seed: int, stock: bool = False) -> dict[str, Any]:
    """Two workers, 100 messages a second, `faults` kill -9 or SIGTERM at random, each worker restarted soon after."""
    rng, done, restarts = random.Random(seed), [], []
    for number in (1, 2):
        rig.start(number, stock=stock)
    time.sleep(5)
    with counted(rig) as tally:
        producer = KafkaProducer(bootstrap_servers=rig.kafka, linger_ms=0)
        started = time.monotonic()
        for i in range(messages):
            producer.send(f"{rig.topic}.in", key=str(i % KEYS).encode(), value=str(i).encode())
            time.sleep(max(0.0, started + i / 100 - time.monotonic()))
            for due in [due for due in restarts if due[0] <= time.monotonic()]:
                rig.start(due[1], stock=stock)
                restarts.remove(due)
            alive = [number for number, worker in rig.workers.items() if worker.poll() is None]
            if i and i % (messages // (faults + 1)) == 0 and len(done) < faults and alive:
                number = rng.choice(alive)
                fault = rng.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM])
                rig.workers[number].send_signal(fault)
                rig.workers[number].wait(15)
                done.append(f"{fault.name} {number}")
                restarts.append((time.monotonic() + rng.uniform(0.5, 6), number))
        producer.flush()
        producer.close()
        for _, number in restarts:
            rig.start(number, stock=stock)
        with contextlib.suppress(AssertionError):
            until(lambda: len(tally.seen) == messages, 40, str)
        time.sleep(0.5)
    return {**tally.told(messages), "faults": done}
