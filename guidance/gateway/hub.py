"""What a gateway knows: every desk record as it is read, the snapshots, and who sits at which desk."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from guidance.session.cursor import Place
from guidance.session.feed import SupervisorFeed
from guidance.session.roster import Roster
from guidance.session.standing import replays
from guidance.session.window import DeskWindow, Entry
from schemas.codec import decode
from schemas.desk import DESK, SNAPSHOT, DeskRecord, PromptIssued, Snapshot
from schemas.desktop import ConversationReplay
from schemas.errors import Malformed
from schemas.guidance import DECISION, OUTCOME, Prompt
from schemas.intent import INTENTS
from schemas.topics import DECISIONS, DESK_TOPIC, INTENTS_TOPIC, OUTCOMES, SNAPSHOTS
from streams.bus.connection import KafkaSettings
from streams.bus.partitioner import partition_for
from streams.bus.ports import Record
from streams.bus.readers import KafkaReaders, OffsetGone, Tail

_LOG = logging.getLogger(__name__)
_FEEDS = (INTENTS_TOPIC.name, DECISIONS.name, OUTCOMES.name)
_MOST_MISSED = 2000
"""Records that are replayed one by one; a desk that missed more is reset."""
_WARM_UP = timedelta(minutes=15)
_SKEW = timedelta(seconds=5)
"""By how much clocks of brokers and workers may differ where a span is looked up by time."""


class Desk(Protocol):
    """A session as the hub sees it."""

    def offer(self, offset: int, record: DeskRecord) -> None:
        """One of its agent's records. Never blocks; a desk that is too slow is let go."""


@dataclass(frozen=True, slots=True)
class Joining:
    """Where a desk comes in: `missed` before, everything from `at` on by `Desk.offer`."""

    at: Place
    missed: list[tuple[int, DeskRecord]]
    """(offset, record), in order; after a reset those of conversations that no snapshot knows yet."""
    reset: tuple[Literal["no_cursor", "too_old", "unknown_topic", "overflow"], list[ConversationReplay]] | None
    """Why nothing can be resumed, and how things stand; None: the desk goes on from its cursor."""
    known: list[Prompt]
    """Prompts that the agent may have got in earlier sessions."""


class Hub:
    """Reads for all desks of this gateway. Use `running()` around everything else."""

    def __init__(self, kafka: KafkaSettings, window: int) -> None:
        self._kafka = kafka
        self._readers = KafkaReaders(kafka)
        self._window_most = window
        self._window = DeskWindow({}, keep=_WARM_UP, most=window)
        self._snapshots: dict[str, Snapshot] = {}
        self._desks: Roster[Desk] = Roster()
        self._topic_id = ""
        self._partitions = 0
        self.feed = SupervisorFeed()
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
        begins = {partition: offset for (_, partition), offset in positions.items()}
        self._window = DeskWindow(begins, keep=_WARM_UP, most=self._window_most)
        compacted = await self._readers.read_compacted(SNAPSHOTS.name)
        for record in compacted.latest.values():
            self._take_snapshot(record)
        feeds = await self._readers.positions(_FEEDS, datetime.now(UTC) - _WARM_UP)
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

    def place(self, agent_id: str) -> Place:
        """Up to where the agent's partition has been read."""
        partition = partition_for(agent_id, self._partitions)
        return Place(self._topic_id, partition, self._window.ends(partition))

    async def join(self, agent_id: str, cursor: str | None, desk: Desk) -> Joining:
        """Let `desk` in: from now on it is offered its agent's records, and this is what it missed before.

        Raises:
            BusUnavailable: what it missed cannot be read now.
        """
        at = self.place(agent_id)
        self._desks.add(agent_id, desk)
        came_from = None if cursor is None else Place.read(cursor)
        if came_from is None:
            return await self._reset("no_cursor", agent_id, at)
        if (came_from.topic_id, came_from.partition) != (at.topic_id, at.partition) or came_from.offset > at.offset:
            return await self._reset("unknown_topic", agent_id, at)
        try:
            missed = await self._between(agent_id, came_from.offset, at)
        except OffsetGone:
            return await self._reset("too_old", agent_id, at)
        if len(missed) > _MOST_MISSED:
            return await self._reset("overflow", agent_id, at)
        return Joining(at, missed, None, self._known(agent_id))

    def leave(self, agent_id: str, desk: Desk) -> None:
        """The desk's session is over."""
        self._desks.remove(agent_id, desk)

    def _known(self, agent_id: str) -> list[Prompt]:
        recent = [entry.record for entry in self._window.of(agent_id)]
        known = [record.prompt for record in recent if isinstance(record, PromptIssued)]
        for snapshot in self._snapshots.values():
            standing = (*snapshot.pinned, *((snapshot.live_prompt,) if snapshot.live_prompt else ()))
            known += [prompt for prompt in standing if prompt.agent_id == agent_id]
        return known

    async def _reset(
        self, why: Literal["no_cursor", "too_old", "unknown_topic", "overflow"], agent_id: str, at: Place
    ) -> Joining:
        own = [snapshot for snapshot in self._snapshots.values() if snapshot.agent_id == agent_id]
        since = min((span.since for each in own for span in each.spans if span.agent_id == agent_id), default=None)
        records = [] if since is None else await self._read_since(agent_id, since, at.offset)
        earlier = {each.conversation_id: await self._before(each, agent_id) for each in own if len(each.spans) > 1}
        told, unknown = replays(agent_id, own, earlier, records, datetime.now(UTC))
        return Joining(at, [(at.offset - 1, record) for record in unknown], (why, told), self._known(agent_id))

    async def _before(self, snapshot: Snapshot, agent_id: str) -> list[DeskRecord]:
        """The conversation's records of the agents who had it before `agent_id`."""
        found: list[DeskRecord] = []
        for span in snapshot.spans:
            if span.agent_id != agent_id:
                end = self.place(span.agent_id).offset
                records = await self._read_since(span.agent_id, span.since, end)
                found += [each for each in records if each.conversation_id == snapshot.conversation_id]
        return found

    async def _read_since(self, agent_id: str, since: datetime, end: int) -> list[DeskRecord]:
        """The agent's records that are not older than `since`, up to the offset `end`."""
        partition = partition_for(agent_id, self._partitions)
        starts = await self._readers.positions([DESK_TOPIC.name], since - _SKEW)
        start = min(starts[DESK_TOPIC.name, partition], end)
        records = await self._readers.read_range(DESK_TOPIC.name, partition, start, end, key=agent_id.encode())
        return [shown for record in records if (shown := _read(record)) is not None]

    async def _between(self, agent_id: str, start: int, at: Place) -> list[tuple[int, DeskRecord]]:
        if start >= self._window.begins(at.partition):
            return [(entry.offset, entry.record) for entry in self._window.of(agent_id, start)]
        records = await self._readers.read_range(DESK_TOPIC.name, at.partition, start, at.offset, key=agent_id.encode())
        return [(record.offset, shown) for record in records if (shown := _read(record)) is not None]

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
        shown = _read(record)
        if shown is None:
            self._window.skip(record.partition, record.offset)
            return
        self._window.add(Entry(record.partition, record.offset, record.at, shown))
        self._window.forget(record.at)
        self.feed.fold_desk(shown, record.at)
        for desk in self._desks.of(shown.agent_id):
            desk.offer(record.offset, shown)

    def _take_snapshot(self, record: Record) -> None:
        key = (record.key or b"").decode(errors="replace")
        if record.value is None:
            self._snapshots.pop(key, None)
            self.feed.end(key)
            return
        with contextlib.suppress(Malformed):
            self._snapshots[key] = decode(SNAPSHOT, record.value)
            self.feed.fold_snapshot(self._snapshots[key], record.at)

    def _take_for_feed(self, record: Record) -> None:
        with contextlib.suppress(Malformed):  # its processor buries it; a picture of the floor can do without
            if record.topic == INTENTS_TOPIC.name:
                self.feed.fold_routed(decode(INTENTS, record.value), record.at)
            elif record.topic == DECISIONS.name:
                self.feed.fold_decision(decode(DECISION, record.value), record.at)
            else:
                self.feed.fold_outcome(decode(OUTCOME, record.value), record.at)


def _read(record: Record) -> DeskRecord | None:
    try:
        return decode(DESK, record.value)
    except Malformed as error:
        _LOG.error("%s/%s/%s is no desk record: %s", record.topic, record.partition, record.offset, error)
        return None
