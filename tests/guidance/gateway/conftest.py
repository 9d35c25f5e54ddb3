"""A gateway on a real Kafka, and desks that are nothing but a websocket."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect

from deploy.kafka import topics
from guidance.gateway.server import Serving, gateway
from guidance.gateway.settings import GatewaySettings
from schemas.base import Contract
from schemas.codec import decode, encode
from schemas.desk_session import Hello
from schemas.outcomes import OUTCOME, PromptOutcome
from schemas.topics import DESK_TOPIC, OUTCOMES, SNAPSHOTS
from streams.bus.connection import KafkaSettings
from streams.bus.partitioner import partition_for
from streams.bus.ports import Message
from streams.bus.producer import KafkaPublisher
from streams.bus.readers import KafkaReaders

TOKEN = "a-token-of-the-tests"


@dataclass(slots=True)
class Socket:
    """A desk's end of a websocket."""

    connection: ClientConnection
    cursor: str | None = None

    async def say(self, frame: Contract) -> None:
        await self.connection.send(encode(frame), text=True)

    async def hear(self, within_s: float = 10.0) -> dict[str, Any]:
        """The next frame."""
        async with asyncio.timeout(within_s):
            frame: dict[str, Any] = json.loads(await self.connection.recv())
        self.cursor = frame.get("cursor") or self.cursor
        return frame

    async def hear_of(self, kind: str, within_s: float = 10.0) -> dict[str, Any]:
        """The next frame of that type, others passed over."""
        async with asyncio.timeout(within_s):
            while (frame := await self.hear(within_s))["type"] != kind:
                pass
        return frame

    async def records(self, count: int) -> list[str]:
        """The ids of the next `count` records."""
        return [(await self.hear_of("record"))["record"]["record_id"] for _ in range(count)]

    async def hears_nothing_more(self) -> bool:
        """Whether nothing but pongs comes within half a second."""
        try:
            frame = await self.hear(0.5)
        except TimeoutError:
            return True
        return frame["type"] == "pong" and await self.hears_nothing_more()


@dataclass(frozen=True, slots=True)
class Bus:
    """The Kafka behind the gateway, as the rest of Livecue writes and reads it."""

    settings: KafkaSettings
    publisher: KafkaPublisher
    readers: KafkaReaders

    async def tell(self, *records: Any) -> int:
        """Desk records for their agents' desks; answers with the offset of the last one."""
        messages = [Message(DESK_TOPIC.name, record.agent_id, encode(record)) for record in records]
        return (await self.publisher.store(messages))[-1].offset

    async def snapshot(self, snapshot: Any) -> None:
        await self.publisher.publish([Message(SNAPSHOTS.name, snapshot.conversation_id, encode(snapshot))])

    async def outcomes(self, route_key: str, count: int, within_s: float = 10.0) -> list[PromptOutcome]:
        """The route key's outcomes, once there are `count` of them."""
        partition = partition_for(route_key, (await self.readers.describe(OUTCOMES.name)).partitions)
        async with asyncio.timeout(within_s):
            while True:
                key = route_key.encode()
                found = await self.readers.read_range(OUTCOMES.name, partition, 0, 2**62, key=key)
                if len(found) >= count:
                    return [decode(OUTCOME, record.value) for record in found]
                await asyncio.sleep(0.1)


@pytest.fixture
async def bus(kafka: str) -> AsyncIterator[Bus]:
    settings = KafkaSettings(servers=(kafka,))
    await asyncio.to_thread(topics.create, settings)
    async with KafkaPublisher(settings) as publisher:
        yield Bus(settings, publisher, KafkaReaders(settings))


Start = Callable[..., AbstractAsyncContextManager[Serving]]


@pytest.fixture
def start(kafka: str) -> Start:
    """Starts a gateway on free ports for the duration of a block; takes settings by name."""

    def starting(**fields: Any) -> AbstractAsyncContextManager[Serving]:
        values = {"kafka": KafkaSettings(servers=(kafka,)), "http_port": 0, "token": SecretStr(TOKEN), **fields}
        return gateway(GatewaySettings(**values))

    return starting


@asynccontextmanager
async def sitting_at(serving: Serving, agent_id: str | None, cursor: str | None = None) -> AsyncIterator[Socket]:
    """A desk that has said hello: an agent's, or a supervisor's where there is no agent."""
    async with connect(serving.websocket_url, compression=None, max_size=None, proxy=None) as connection:
        socket = Socket(connection)
        role = "supervisor" if agent_id is None else "agent"
        await socket.say(Hello(token=TOKEN, role=role, agent_id=agent_id, cursor=cursor))
        yield socket


@pytest.fixture
def sit() -> Callable[..., AbstractAsyncContextManager[Socket]]:
    return sitting_at
