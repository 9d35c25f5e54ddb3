"""Decisions for channels without an agent: asked over Kafka, and waited for."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator

from schemas.codec import decode, encode
from schemas.errors import Malformed
from schemas.requests import REPLY, DecisionReply, DecisionRequest
from schemas.topics import REPLIES, REQUESTS
from streams.bus.connection import KafkaSettings
from streams.bus.partitioner import partition_for
from streams.bus.ports import BusUnavailable, Message
from streams.bus.producer import KafkaPublisher
from streams.bus.readers import KafkaReaders, Tail

_LOG = logging.getLogger(__name__)


class Asking:
    """Puts requests to `decisions` and hands each reply to whoever waits for it.

    `reply_to` is this gateway's address: replies are keyed by it, so all come on one partition, which it reads.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self.reply_to = f"gateway-{secrets.token_hex(8)}"
        self._kafka = kafka
        self._publisher = KafkaPublisher(kafka, patience_s=5.0)
        self._waiting: dict[str, list[asyncio.Future[DecisionReply]]] = {}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Connected, and reading replies.

        Raises:
            BusUnavailable: no broker answered.
            LookupError: a topic is missing.
        """
        await self._publisher.start()
        ends = await KafkaReaders(self._kafka).positions([REPLIES.name], "latest")
        own = REPLIES.name, partition_for(self.reply_to, len(ends))
        reading = asyncio.create_task(self._read({own: ends[own]}))
        try:
            yield
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
            await self._publisher.stop()

    async def ask(self, request: DecisionRequest, within_s: float) -> DecisionReply | None:
        """The reply to `request`, which must carry this gateway's `reply_to`; None: it did not come in time."""
        waiter: asyncio.Future[DecisionReply] = asyncio.get_running_loop().create_future()
        waiters = self._waiting.setdefault(request.request_id, [])
        waiters.append(waiter)
        try:
            async with asyncio.timeout(within_s):
                await self._publisher.publish([Message(REQUESTS.name, request.customer_id, encode(request))])
                return await waiter
        except (TimeoutError, BusUnavailable) as error:
            _LOG.warning("request %s is not answered: %s", request.request_id, str(error) or f"within {within_s} s")
            return None
        finally:
            waiters.remove(waiter)
            if not waiters:
                self._waiting.pop(request.request_id, None)

    async def _read(self, positions: dict[tuple[str, int], int]) -> None:
        async with Tail(self._kafka, positions) as tail:
            async for batch in tail:
                for record in batch:
                    with contextlib.suppress(Malformed):  # nobody waits for what cannot be read
                        reply = decode(REPLY, record.value)
                        for waiter in self._waiting.get(reply.request_id, ()):
                            if not waiter.done():
                                waiter.set_result(reply)
