"""Plays a recording onto the bus, as it happened or faster."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from deploy.recording import Line, moved
from streams.bus.ports import Publisher

OnSent = Callable[[Line, datetime], None]
"""Told of each event, and of the instant it was handed over, just before it is published."""


async def play(
    lines: Sequence[Line],
    publisher: Publisher,
    *,
    speed: float = 1.0,
    on_sent: OnSent = lambda line, at: None,
) -> None:
    """Publish every event when it is due, its times moved so that the first one is now.

    `speed` 2.0 is twice as fast. Events that are due together are published together, in order; one that cannot be
    published raises `BusUnavailable`. Returns when the last is safely stored.
    """
    if not lines:
        return
    origin, start = lines[0].at, datetime.now(UTC)
    position = 0
    while position < len(lines):
        now = datetime.now(UTC)
        due = position
        while due < len(lines) and _due(lines[due], origin, start, speed) <= now:
            due += 1
        if due == position:
            await asyncio.sleep((_due(lines[position], origin, start, speed) - now) / timedelta(seconds=1))
            continue
        batch = [moved(line, origin, start, speed) for line in lines[position:due]]
        for line in batch:
            on_sent(line, datetime.now(UTC))
        await publisher.publish([line.message for line in batch])
        position = due


def _due(line: Line, origin: datetime, start: datetime, speed: float) -> datetime:
    return start + (line.at - origin) / speed
