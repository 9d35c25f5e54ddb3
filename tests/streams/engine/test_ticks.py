"""Ticks: one a second for each partition that is owned."""

import asyncio
from collections.abc import Sequence

from schemas.codec import decode
from schemas.guidance import TICK
from streams.bus.ports import BusUnavailable, Message
from streams.engine.ticks import tick_forever


class Published:
    """A `Publisher` that keeps what it is given, and does not answer while `away`."""

    def __init__(self) -> None:
        self.batches: list[list[Message]] = []
        self.away = False
        self.heard = asyncio.Event()

    async def publish(self, messages: Sequence[Message]) -> None:
        self.batches.append(list(messages))
        self.heard.set()
        if self.away:
            raise BusUnavailable("Kafka does not answer")


async def tick_until(publisher: Published, owned: list[int], batches: int) -> None:
    ticking = asyncio.create_task(tick_forever("ticks", lambda: owned, publisher, "p", every_s=0.01))
    async with asyncio.timeout(5):
        while len(publisher.batches) < batches:
            publisher.heard.clear()
            await publisher.heard.wait()
    assert not ticking.done()
    ticking.cancel()


async def test_every_owned_partition_gets_the_same_tick_by_number() -> None:
    publisher = Published()
    await tick_until(publisher, [2, 7], 3)
    for batch in publisher.batches:
        assert [(m.topic, m.key, m.partition) for m in batch] == [("ticks", None, 2), ("ticks", None, 7)]
        assert len({m.value for m in batch}) == 1
    times = [decode(TICK, batch[0].value).at for batch in publisher.batches]
    assert times == sorted(times)


async def test_ticking_goes_on_after_kafka_was_away() -> None:
    publisher = Published()
    publisher.away = True
    await tick_until(publisher, [0], 2)
    publisher.away = False
    await tick_until(publisher, [0], 4)
