"""`livecue worker learner` on a real Kafka, killed at a bad moment: no lesson is lost, none counts twice."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from builders import lesson
from deploy.kafka import topics
from deploy.local import Child, end, free_port
from guidance.decision.features import FEATURES, FEATURES_REVISION, prior_covariance, prior_mean
from guidance.decision.posterior import observe
from schemas.codec import decode, encode
from schemas.learning import POSTERIOR, Lesson, Posterior
from schemas.topics import LESSONS, PROPENSITIES
from streams.bus.connection import KafkaSettings
from streams.bus.ports import Message
from streams.bus.producer import KafkaPublisher
from streams.bus.readers import KafkaReaders, Tail

pytestmark = pytest.mark.broker
ACTIONS = ("keep_loyalty_discount", "review_contract", "faster_fibre")
ROUNDS = 300


def lesson_of(number: int, action_id: str) -> Lesson:
    features = (1.0, -0.05 * (number % 7), *(0.0 for _ in FEATURES[2:-1]), float(number % 2))
    return lesson(
        decision_id=f"{action_id}-{number}", action_id=action_id, features=features, prior=0.3,
        features_revision=FEATURES_REVISION, reward=float(number % 3 == 0),
    )  # fmt: skip


def worker(kafka: str, home: Path, number: int) -> Child:
    port = free_port()
    arguments = ["worker", "learner", "--http-port", str(port), "--data", str(home / f"data-{number}")]
    url = f"http://127.0.0.1:{port}/readyz"
    return Child(f"learner-{number}", arguments, url, home / f"learner-{number}.log", {"LIVECUE_KAFKA": kafka})


async def test_lessons_become_posteriors_and_a_killed_worker_counts_none_twice(kafka: str, tmp_path: Path) -> None:
    settings = KafkaSettings(servers=(kafka,))
    topics.create(settings)
    start = await KafkaReaders(settings).positions([PROPENSITIES.name], "latest")
    seen: dict[str, set[bytes]] = {}
    newest: dict[str, Posterior] = {}

    async def watch() -> None:
        async with Tail(settings, start) as tail:
            async for batch in tail:
                for record in batch:
                    seen.setdefault(str(record.key), set()).add(record.value or b"")
                    posterior = decode(POSTERIOR, record.value)
                    known = newest.setdefault(posterior.action_id, posterior)
                    if posterior.version > known.version:
                        newest[posterior.action_id] = posterior

    lessons = [lesson_of(number, action) for number in range(ROUNDS) for action in ACTIONS]
    first, second = worker(kafka, tmp_path, 1), worker(kafka, tmp_path, 2)
    watching = asyncio.create_task(watch())
    try:
        first.start()
        await until(first.is_ready, first)
        async with KafkaPublisher(settings) as publisher:
            for place, each in enumerate(lessons):
                await publisher.publish([Message(LESSONS.name, each.action_id, encode(each))])
                if place == len(lessons) // 3:
                    assert first.process is not None
                    os.kill(first.process.pid, signal.SIGKILL)
                    second.start()
                if place % 50 == 0:  # `decisions` writes some twice, as after a death of its own
                    await publisher.publish([Message(LESSONS.name, each.action_id, encode(each))])
        # Of 300 lessons the last version may leave out three: it is published once they have grown by a hundredth.
        await until(lambda: all(each in newest and newest[each].lessons > ROUNDS - 4 for each in ACTIONS), second)
        await asyncio.sleep(2.0)
    finally:
        watching.cancel()
        end([each.process for each in (first, second) if each.process])

    for action in ACTIONS:
        assert newest[action].lessons <= ROUNDS
        mean, covariance = prior_mean(0.3), prior_covariance()
        for number in range(newest[action].lessons):
            told = lesson_of(number, action)
            mean, covariance = observe(mean, covariance, told.features, told.reward)
        assert (newest[action].mean, newest[action].covariance) == (mean, covariance)
    assert all(len(values) == 1 for values in seen.values()), "a version says one thing, however often it is said"


async def until(holds, child: Child, within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not await asyncio.to_thread(holds):
        assert time.monotonic() < deadline, child.log_tail(30)
        await asyncio.sleep(0.1)
