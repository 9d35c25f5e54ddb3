"""The latest desk records, kept in memory so that a desk that was away for a moment costs Kafka nothing."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.desk import DeskRecord


class Entry(NamedTuple):
    """A desk record and where it lies."""

    partition: int
    offset: int
    at: datetime
    """Kafka's timestamp of the record."""
    record: DeskRecord


class DeskWindow:
    """A stretch of every partition, without a gap: everything from `begins` up to `ends`.

    Records older than `keep` are let go, and the oldest ones beyond `most` as well.
    """

    def __init__(self, positions: Mapping[int, int], *, keep: timedelta, most: int) -> None:
        self._begins = dict(positions)
        self._ends = dict(positions)
        self._keep = keep
        self._most = most
        self._entries: deque[Entry] = deque()
        self._by_agent: dict[str, deque[Entry]] = {}

    def begins(self, partition: int) -> int:
        """The first offset that is here; those before must be read from Kafka."""
        return self._begins[partition]

    def ends(self, partition: int) -> int:
        """The offset that comes next."""
        return self._ends[partition]

    def add(self, entry: Entry) -> None:
        """The next record of its partition."""
        self._ends[entry.partition] = entry.offset + 1
        self._entries.append(entry)
        self._by_agent.setdefault(entry.record.agent_id, deque()).append(entry)
        while len(self._entries) > self._most:
            self._forget_oldest()

    def skip(self, partition: int, offset: int) -> None:
        """The next record of the partition is nobody's: it could not be read."""
        self._ends[partition] = offset + 1

    def forget(self, now: datetime) -> None:
        """Let go what has become too old."""
        while self._entries and self._entries[0].at < now - self._keep:
            self._forget_oldest()

    def of(self, agent_id: str, since_offset: int = 0) -> list[Entry]:
        """The agent's records from an offset of their partition on, in order."""
        return [entry for entry in self._by_agent.get(agent_id, ()) if entry.offset >= since_offset]

    def _forget_oldest(self) -> None:
        oldest = self._entries.popleft()
        # Entries come in each partition's order, so that the agent's first one is this very one.
        theirs = self._by_agent[oldest.record.agent_id]
        theirs.popleft()
        if not theirs:
            del self._by_agent[oldest.record.agent_id]
        self._begins[oldest.partition] = oldest.offset + 1
