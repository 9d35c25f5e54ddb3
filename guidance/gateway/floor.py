"""What all supervisors see alike, made once however many of them look."""

from datetime import datetime, timedelta

from guidance.session.feed import SupervisorFeed
from schemas.codec import encode

WALL_EVERY = timedelta(seconds=2)
TRENDS_EVERY = timedelta(seconds=16)


class Floor:
    """The wall and the trends as frames, at most so old as is said above."""

    def __init__(self, feed: SupervisorFeed) -> None:
        self.feed = feed
        self._wall: tuple[datetime, bytes] | None = None
        self._trends: tuple[datetime, bytes] | None = None

    def wall(self, now: datetime) -> bytes:
        """The latest wall. The same object until there is a new one."""
        if self._wall is None or now - self._wall[0] >= WALL_EVERY:
            self._wall = (now, encode(self.feed.wall(now)))
        return self._wall[1]

    def trends(self, now: datetime) -> bytes:
        """The latest trends. The same object until there are new ones."""
        if self._trends is None or now - self._trends[0] >= TRENDS_EVERY:
            self._trends = (now, encode(self.feed.trends(now)))
        return self._trends[1]
