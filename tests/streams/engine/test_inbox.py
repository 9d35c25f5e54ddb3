"""What has arrived and waits."""

import asyncio

import pytest

from streams.bus.ports import Record
from streams.engine.inbox import Inbox


def record(offset: int) -> Record:
    return Record("t", 0, offset, 0, None, b"")


async def test_all_that_has_arrived_is_taken_in_order_up_to_the_limit() -> None:
    inbox = Inbox()
    for offset in range(5):
        inbox.put(record(offset))
    assert [r.offset for r in inbox.take(3)] == [0, 1, 2]
    assert [r.offset for r in inbox.take(3)] == [3, 4]
    assert inbox.take(3) == []


async def test_the_putter_waits_for_room_and_the_taker_for_records() -> None:
    inbox = Inbox(room_for=2)
    waiting = asyncio.create_task(inbox.filled())
    await asyncio.sleep(0)
    assert not waiting.done()
    inbox.put(record(0))
    inbox.put(record(1))
    await waiting
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(inbox.room(), 0.01)
    inbox.take(1)
    await asyncio.wait_for(inbox.room(), 1)


async def test_clearing_makes_room_and_leaves_nothing() -> None:
    inbox = Inbox(room_for=1)
    inbox.put(record(0))
    inbox.clear()
    await asyncio.wait_for(inbox.room(), 1)
    assert inbox.take(10) == []
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(inbox.filled(), 0.01)
