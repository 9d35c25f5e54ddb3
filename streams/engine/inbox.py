"""What has arrived and waits to be processed, in order of arrival."""

import asyncio
from collections import deque

from streams.bus.ports import Record


class Inbox:
    """A bounded queue that is taken in batches. One taker, one putter, one event loop."""

    def __init__(self, room_for: int = 2048) -> None:
        self._records: deque[Record] = deque()
        self._room_for = room_for
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def put(self, record: Record) -> None:
        """Never refused: the putter waits for `room` before it fetches more."""
        self._records.append(record)
        self._filled.set()
        if len(self._records) >= self._room_for:
            self._room.clear()

    def take(self, limit: int) -> list[Record]:
        """All that has arrived, at most `limit` records; empty where nothing has."""
        taken = [self._records.popleft() for _ in range(min(limit, len(self._records)))]
        self._signal()
        return taken

    def clear(self) -> None:
        self._records.clear()
        self._signal()

    def _signal(self) -> None:
        if not self._records:
            self._filled.clear()
        if len(self._records) < self._room_for:
            self._room.set()

    async def filled(self) -> None:
        """Wait until something has arrived."""
        await self._filled.wait()

    async def room(self) -> None:
        """Wait until fewer than `room_for` records wait."""
        await self._room.wait()
