"""Time as an input: a worker writes one tick a second to each partition of the ticks topic that it owns."""

import asyncio
import logging
from collections.abc import Callable, Collection
from datetime import UTC, datetime

from schemas.codec import encode
from schemas.guidance import Tick
from streams.bus.metrics import TICKS_MISSED
from streams.bus.ports import BusUnavailable, Message, Publisher

log = logging.getLogger(__name__)


async def tick_forever(
    topic: str, owned: Callable[[], Collection[int]], publisher: Publisher, processor: str, every_s: float = 1.0
) -> None:
    """Write ticks until cancelled. Seconds in which Kafka does not answer have none; they are not made up for."""
    while True:
        started = asyncio.get_running_loop().time()
        tick = encode(Tick(at=datetime.now(UTC)))
        try:
            await publisher.publish([Message(topic, None, tick, partition) for partition in owned()])
        except BusUnavailable as error:
            log.warning("no ticks: %s", error)
        took_s = asyncio.get_running_loop().time() - started
        if took_s >= every_s:
            TICKS_MISSED.labels(processor).inc(took_s // every_s)
        await asyncio.sleep(max(0.0, every_s - took_s))
