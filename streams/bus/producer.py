"""Publishing to Kafka: stored by all in-sync replicas, in order, without the broker ever seeing one send twice."""

import asyncio
import time
from collections.abc import Sequence
from typing import Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError
from aiokafka.structs import RecordMetadata

from streams.bus.connection import KafkaSettings, unavailable, wait_for_kafka
from streams.bus.metrics import BUS_UNAVAILABLE, PUBLISH_SECONDS, PUBLISHED
from streams.bus.ports import Message


class KafkaPublisher:
    """A `Publisher` on Kafka. Use it as an async context manager, from one event loop.

    The producer is idempotent: it retries on its own, every 0.1 s, without doubling or reordering a partition's
    records; `patience_s` bounds that.
    """

    def __init__(self, settings: KafkaSettings, *, patience_s: float = 60.0) -> None:
        self._settings = settings
        self._patience_s = patience_s
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Connect. Raises `BusUnavailable` when no broker answers within the patience."""
        await wait_for_kafka(self._settings, self._patience_s)
        producer = AIOKafkaProducer(
            **self._settings.for_aiokafka(), acks="all", enable_idempotence=True, linger_ms=0, request_timeout_ms=30_000
        )
        try:
            await producer.start()
        except KafkaConnectionError as error:
            raise unavailable(self._settings, self._patience_s) from error
        self._producer = producer

    async def stop(self, within_s: float = 5.0) -> None:
        """Disconnect. What was not awaited may be lost, once `within_s` seconds have passed."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            try:
                async with asyncio.timeout(within_s):
                    await producer.stop()
            except TimeoutError:
                await producer.client.close()

    async def publish(self, messages: Sequence[Message]) -> None:
        """Returns when all are safely stored.

        Raises:
            BusUnavailable: that cannot be said within the patience. Each message may or may not be stored, now or a
                little later: publish them again from a new publisher, or end the process.
        """
        await self.store(messages)

    async def store(self, messages: Sequence[Message]) -> list[RecordMetadata]:
        """Like `publish`; answers where each message was stored (topic, partition, offset), in the order given."""
        if not messages:
            return []
        if self._producer is None:
            raise RuntimeError("publish() before start() or after stop()")
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._patience_s):
                pending = [
                    await self._producer.send(
                        message.topic,
                        message.value,
                        None if message.key is None else message.key.encode(),
                        message.partition,
                    )
                    for message in messages
                ]
                stored = await asyncio.gather(*pending)
        except (TimeoutError, KafkaConnectionError, KafkaTimeoutError) as error:
            BUS_UNAVAILABLE.inc()
            raise unavailable(self._settings, time.monotonic() - started) from error
        PUBLISH_SECONDS.observe(time.monotonic() - started)
        for message in messages:
            PUBLISHED.labels(message.topic).inc()
        return list(stored)
