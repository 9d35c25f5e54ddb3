"""What a gateway knows: every desk record as it is read, the snapshots, and who sits at which desk."""

import asyncio
import contextlib
import logging
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from guidance.session.cursor import Position, read_cursor
from guidance.session.feed import Feed
from guidance.session.replays import replay_of
from schemas.codec import decode
from schemas.desk import DESK, SNAPSHOT, DeskRecord, Snapshot
from schemas.desktop import ConversationReplay
from schemas.errors import Malformed
from schemas.guidance import DECISION, OUTCOME
from schemas.intent import INTENTS
from schemas.topics import DECISIONS, DESK_TOPIC, INTENTS_TOPIC, OUTCOMES, SNAPSHOTS
from streams.bus.connection import KafkaSettings
from streams.bus.partitioner import partition_for
from streams.bus.ports import Record
from streams.bus.readers import KafkaReaders, OffsetGone, Tail

_LOG = logging.getLogger(__name__)
_FEEDS = {INTENTS_TOPIC.name: INTENTS, DECISIONS.name: DECISION, OUTCOMES.name: OUTCOME}
_MOST_MISSED = 2000
"""Records that are replayed one by one; a desk that missed more is reset."""
_WARM_UP = timedelta(minutes=15)
_SKEW = timedelta(seconds=5)
"""By how much clocks of brokers and workers may differ where a span is looked up by time."""


class Desk(Protocol):
    """A session as the hub sees it."""

    def offer(self, position: int, record: DeskRecord) -> None:
        """One of its agent's records, at that offset. Never blocks; a desk that is too slow is let go."""


@dataclass(frozen=True, slots=True)
class Joining:
    """Where a desk comes in: `missed` before, everything from `at` on by `Desk.offer`."""

    at: Position
    missed: list[tuple[int, DeskRecord]]
    """(offset, record), in order; empty for a reset."""
    reset: tuple[str, list[ConversationReplay]] | None
    """Why nothing can be resumed, and how things stand; None: the desk goes on from its cursor."""


class Hub:
    """Reads for all desks of this gateway. Use `running()` around everything else."""

    def __init__(self, kafka: KafkaSettings, window: int) -> None:
        self._kafka = kafka
        self._readers = KafkaReaders(kafka)
        self._window = window
        self._recent: dict[int, deque[tuple[int, DeskRecord]]] = defaultdict(lambda: deque(maxlen=window))
        self._next: dict[int, int] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self._desks: defaultdict[str, set[Desk]] = defaultdict(set)
        self._topic_id = ""
        self._partitions = 0
        self.feed = Feed()
        self.ready = False
        self.live = True
        """Whether Kafka answers. On a change `on_status` is called."""
        self.on_status: Callable[[], None] = lambda: None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Ready once the snapshots are read to their end. Raises `BusUnavailable`, LookupError for missing topics."""
        facts = await self._readers.describe(DESK_TOPIC.name)
        self._topic_id, self._partitions = facts.topic_id, facts.partitions
        positions = await self._readers.positions([DESK_TOPIC.name], "latest")
        self._next = {partition: offset for (_, partition), offset in positions.items()}
        compacted = await self._readers.read_compacted(SNAPSHOTS.name)
        for record in compacted.latest.values():
            self._take_snapshot(record)
        feeds = await self._readers.positions(list(_FEEDS), datetime.now(UTC) - _WARM_UP)
        async with asyncio.TaskGroup() as tasks:
            following = [
                tasks.create_task(self._follow(positions, self._take_desk_record, watch=True)),
                tasks.create_task(self._follow(dict(compacted.positions), self._take_snapshot)),
                tasks.create_task(self._follow(feeds, self._take_for_feed)),
            ]
            self.ready = True
            try:
                yield
            finally:
                self.ready = False
                for task in following:
                    task.cancel()

    def position(self, agent_id: str) -> Position:
        """Up to where the agent's partition has been read."""
        partition = partition_for(agent_id, self._partitions)
        return Position(self._topic_id, partition, self._next[partition])

    async def join(self, agent_id: str, cursor: str | None, desk: Desk) -> Joining:
        """Let `desk` in: from now on it is offered its agent's records, and this is what it missed before.

        Raises:
            BusUnavailable: what it missed cannot be read now.
        """
        at = self.position(agent_id)
        self._desks[agent_id].add(desk)
        came_from = None if cursor is None else read_cursor(cursor)
        if came_from is None:
            return Joining(at, [], ("no_cursor", await self._standing(agent_id, at)))
        if (came_from.topic_id, came_from.partition) != (at.topic_id, at.partition):
            return Joining(at, [], ("unknown_topic", await self._standing(agent_id, at)))
        try:
            missed = await self._between(agent_id, came_from.offset, at)
        except OffsetGone:
            return Joining(at, [], ("too_old", await self._standing(agent_id, at)))
        if len(missed) > _MOST_MISSED:
            return Joining(at, [], ("overflow", await self._standing(agent_id, at)))
        return Joining(at, missed, None)

    def leave(self, agent_id: str, desk: Desk) -> None:
        """The desk's session is over."""
        self._desks[agent_id].discard(desk)
        if not self._desks[agent_id]:
            del self._desks[agent_id]

    async def _between(self, agent_id: str, start: int, at: Position) -> list[tuple[int, DeskRecord]]:
        recent = list(self._recent[at.partition])
        if recent and recent[0][0] <= start <= at.offset:
            missed = [(o, r) for o, r in recent if start <= o < at.offset]
        else:
            records = await self._readers.read_range(
                at.topic_id and DESK_TOPIC.name, at.partition, start, at.offset, key=agent_id.encode()
            )
            missed = [(r.offset, shown) for r in records if (shown := _read(r)) is not None]
        return [(offset, record) for offset, record in missed if record.agent_id == agent_id]

    async def _standing(self, agent_id: str, at: Position) -> list[ConversationReplay]:
        """The agent's live conversations as of `at`, oldest first."""
        own = [snapshot for snapshot in self._snapshots.values() if snapshot.agent_id == agent_id]
        replays = []
        for snapshot in sorted(own, key=lambda each: each.started_at):
            records = await self._of_conversation(snapshot, at)
            if (replay := replay_of(snapshot, records, agent_id)) is not None:
                replays.append(replay)
        return replays

    async def _of_conversation(self, snapshot: Snapshot, at: Position) -> list[DeskRecord]:
        """Its desk records over all agents who had it; the present agent's up to `at`."""
        found: list[DeskRecord] = []
        for span in snapshot.spans:
            partition = partition_for(span.agent_id, self._partitions)
            starts = await self._readers.positions([DESK_TOPIC.name], span.since - _SKEW)
            end = at.offset if partition == at.partition else self._next[partition]
            records = await self._readers.read_range(
                DESK_TOPIC.name,
                partition,
                min(starts[DESK_TOPIC.name, partition], end),
                end,
                key=span.agent_id.encode(),
            )
            shown = [each for record in records if (each := _read(record)) is not None]
            found += [each for each in shown if each.conversation_id == snapshot.conversation_id]
        unique = {each.record_id: each for each in found}
        return list(unique.values())

    async def _follow(
        self, positions: dict[tuple[str, int], int], take: Callable[[Record], None], *, watch: bool = False
    ) -> None:
        async with Tail(self._kafka, positions) as tail:
            async for batch in tail:
                for record in batch:
                    take(record)
                if watch and not batch:
                    await self._watch(tail)
                elif watch:
                    self._is_live(True)

    async def _watch(self, tail: Tail) -> None:
        self._is_live(await tail.answers(within_s=2.0))

    def _is_live(self, live: bool) -> None:
        if live != self.live:
            self.live = live
            self.on_status()

    def _take_desk_record(self, record: Record) -> None:
        self._next[record.partition] = record.offset + 1
        shown = _read(record)
        if shown is None:
            return
        self._recent[record.partition].append((record.offset, shown))
        self.feed.fold(shown, record.at)
        for desk in list(self._desks.get(shown.agent_id, ())):
            desk.offer(record.offset, shown)

    def _take_snapshot(self, record: Record) -> None:
        key = (record.key or b"").decode(errors="replace")
        if record.value is None:
            self._snapshots.pop(key, None)
            return
        with contextlib.suppress(Malformed):
            self._snapshots[key] = decode(SNAPSHOT, record.value)

    def _take_for_feed(self, record: Record) -> None:
        with contextlib.suppress(Malformed):  # its processor buries it; a picture of the floor can do without
            self.feed.fold(decode(_FEEDS[record.topic], record.value), record.at)


def _read(record: Record) -> DeskRecord | None:
    try:
        return decode(DESK, record.value)
    except Malformed as error:
        _LOG.error("%s/%s/%s is no desk record: %s", record.topic, record.partition, record.offset, error)
        return None
