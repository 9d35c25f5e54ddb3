"""Kafka goes away in mid-session and comes back: sessions stay, desks are told, nothing is skipped."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from builders import desk_turn, issued, prompt
from deploy.kafka import node, topics
from schemas.agent_frames import OutcomeReport
from schemas.codec import encode
from schemas.desk_session import Ping
from schemas.guidance import PromptState
from schemas.topics import DESK_TOPIC
from streams.bus.connection import KafkaSettings
from streams.bus.ports import Message
from streams.bus.producer import KafkaPublisher

AWAY_S = 8.0


@pytest.mark.broker
@pytest.mark.faults
async def test_kafka_away_in_mid_session(
    tmp_path: Path,
    start: Callable[..., AbstractAsyncContextManager[Any]],
    sit: Callable[..., AbstractAsyncContextManager[Any]],
) -> None:
    """The real node is stopped and started again; a report made meanwhile is stored and acknowledged afterwards."""
    now = datetime.now(UTC)
    live = issued(prompt(prompt_id="p", agent_id="ada", created_at=now, expires_at=now + timedelta(minutes=5)))
    with node.running(tmp_path / "node") as started:
        settings = KafkaSettings(servers=(started.bootstrap,))
        await asyncio.to_thread(topics.create, settings)

        async def tell(*records: Any) -> None:
            async with KafkaPublisher(settings) as publisher:
                await publisher.publish([Message(DESK_TOPIC.name, "ada", encode(record)) for record in records])

        async with start(kafka=settings) as serving, sit(serving, "ada") as socket:
            await socket.hear_of("reset")
            await tell(live)
            await socket.records(1)
            await asyncio.to_thread(node.stop, tmp_path / "node")
            degraded = await socket.hear_of("status", 20)
            assert (degraded["state"], "Kafka" in degraded["message"]) == ("degraded", True)
            await socket.say(OutcomeReport(prompt_id="p", state=PromptState.ACCEPTED))
            await asyncio.sleep(AWAY_S)
            await socket.say(Ping(n=1))
            assert (await socket.hear_of("pong"))["n"] == 1
            await asyncio.to_thread(node.start, tmp_path / "node")
            await tell(*(desk_turn(record_id=f"r{n}", turn_id=f"t{n}") for n in range(20)))
            frames = []
            while sum(each["type"] == "record" for each in frames) < 20 or not any(
                each["type"] == "ack" for each in frames
            ):
                frames.append(await socket.hear(60))
            told = [each["record"]["record_id"] for each in frames if each["type"] == "record"]
            assert told == [f"r{n}" for n in range(20)]
            if not any(each["type"] == "status" for each in frames):
                frames.append(await socket.hear_of("status"))
            assert [each["state"] for each in frames if each["type"] == "status"] == ["live"]
