"""What a gateway knows: every desk record as it is read, the snapshots, and who sits at which desk."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from guidance.gateway.past import Past, read_desk_record
from guidance.session.cursor import Place
from guidance.session.feed import SupervisorFeed
from guidance.session.roster import Roster
from guidance.session.standing import replays
from guidance.session.window import DeskWindow, Entry
from schemas.agent_frames import ConversationReplay
from schemas.codec import decode
from schemas.desk import SNAPSHOT, DeskRecord, OutcomeAsked, PromptIssued, Snapshot
from schemas.errors import Malformed
from schemas.guidance import DECISION, Prompt
from schemas.intent import INTENTS
from schemas.outcomes import OUTCOME, PromptOutcome
from schemas.topics import DECISIONS, DESK_TOPIC, INTENTS_TOPIC, OUTCOMES, SNAPSHOTS
from streams.bus.connection import KafkaSettings
from streams.bus.partitioner import partition_for
from streams.bus.ports import BusUnavailable, Record
from streams.bus.readers import KafkaReaders, OffsetGone, Tail

_FEEDS = (INTENTS_TOPIC.name, DECISIONS.name, OUTCOMES.name)
_MOST_MISSED = 2000
"""Records that are replayed one by one; a desk that missed more is reset."""
_WARM_UP = timedelta(minutes=15)
"""How far back a gateway reads when it starts, and how long it keeps desk records in memory."""
_JOIN_TIMEOUT_S = 15.0


class Desk(Protocol):
    """A session as the hub sees it."""

    def offer(self, offset: int, record: DeskRecord) -> None:
        """One of its agent's records. Never blocks; a desk that is too slow is let go."""


@dataclass(frozen=True, slots=True)
class Joining:
    """Where a desk comes in: `missed` before, then what `Desk.offer` brings, from `at` on: what it offers of before is
    to be passed over."""

    at: Place
    missed: list[tuple[int, DeskRecord]]
    """(offset, record), in order; after a reset those of conversations that no snapshot knows yet."""
    reset: tuple[Literal["no_cursor", "too_old", "unknown_topic", "overflow"], list[ConversationReplay]] | None
    """Why nothing can be resumed, and how things stand; None: the desk goes on from its cursor."""
    known: list[Prompt | OutcomeAsked]
    """Prompts and questions that the agent may have got in earlier sessions."""


class Hub:
    """Reads for all desks of this gateway. Use `running()` around everything else."""

    def __init__(self, kafka: KafkaSettings, window: int) -> None:
        self._kafka = kafka
        self._readers = KafkaReaders(kafka)
        self._window_most = window
        self._window = DeskWindow({}, keep=_WARM_UP, most=window)
        self._snapshots: dict[str, Snapshot] = {}
        self._past = Past(self._readers, self._window, 0)
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
        """Ready once snapshots and the latest desk records are read to their end.

        Raises `BusUnavailable`, and LookupError for missing topics.
        """
        facts = await self._readers.describe(DESK_TOPIC.name)
        self._topic_id, self._partitions = facts.topic_id, facts.partitions
        since = datetime.now(UTC) - _WARM_UP
        positions = await self._readers.positions([DESK_TOPIC.name], since)
        begins = {partition: offset for (_, partition), offset in positions.items()}
        self._window = DeskWindow(begins, keep=_WARM_UP, most=self._window_most)
        self._past = Past(self._readers, self._window, self._partitions)
        ends = await self._readers.positions([DESK_TOPIC.name], "latest")
        compacted = await self._readers.read_compacted(SNAPSHOTS.name)
        for record in compacted.latest.values():
            self._take_snapshot(record)
        feeds = await self._readers.positions(_FEEDS, since)
        async with asyncio.TaskGroup() as tasks:
            following = [
                tasks.create_task(self._follow(positions, self._take_desk_record, watch=True)),
                tasks.create_task(self._follow(dict(compacted.positions), self._take_snapshot)),
                tasks.create_task(self._follow(feeds, self._take_for_feed)),
            ]
            try:
                while any(self._window.ends(partition) < end for (_, partition), end in ends.items()):
                    await asyncio.sleep(0.05)
                self.ready = True
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
        try:
            async with asyncio.timeout(_JOIN_TIMEOUT_S):
                if cursor is None:
                    return await self._reset("no_cursor", agent_id, at)
                return await self._resume(Place.read(cursor), agent_id, at)
        except TimeoutError as error:
            raise BusUnavailable(f"the records of a desk could not be read within {_JOIN_TIMEOUT_S} s") from error

    async def _resume(self, came_from: Place | None, agent_id: str, at: Place) -> Joining:
        if came_from is None or (came_from.topic_id, came_from.partition) != (at.topic_id, at.partition):
            return await self._reset("unknown_topic", agent_id, at)
        if came_from.offset > at.offset:  # the gateway it came from had read further than this one
            if came_from.offset > await self._readers.end(DESK_TOPIC.name, at.partition):
                return await self._reset("unknown_topic", agent_id, at)
            return Joining(came_from, [], None, self._known(agent_id))
        try:
            missed = await self._past.between(agent_id, came_from.offset, at.offset)
        except OffsetGone:
            return await self._reset("too_old", agent_id, at)
        if len(missed) > _MOST_MISSED:
            return await self._reset("overflow", agent_id, at)
        return Joining(at, missed, None, self._known(agent_id))

    def leave(self, agent_id: str, desk: Desk) -> None:
        """The desk's session is over."""
        self._desks.remove(agent_id, desk)

    def _known(self, agent_id: str) -> list[Prompt | OutcomeAsked]:
        recent = [entry.record for entry in self._window.of(agent_id)]
        known: list[Prompt | OutcomeAsked] = [each for each in recent if isinstance(each, OutcomeAsked)]
        known += [record.prompt for record in recent if isinstance(record, PromptIssued)]
        for snapshot in self._snapshots.values():
            standing = (*snapshot.pinned, *((snapshot.live_prompt,) if snapshot.live_prompt else ()))
            known += [prompt for prompt in standing if prompt.agent_id == agent_id]
        return known

    async def _reset(
        self, why: Literal["no_cursor", "too_old", "unknown_topic", "overflow"], agent_id: str, at: Place
    ) -> Joining:
        own = [snapshot for snapshot in self._snapshots.values() if snapshot.agent_id == agent_id]
        since = min((span.since for each in own for span in each.spans if span.agent_id == agent_id), default=None)
        records = [] if since is None else await self._past.since(agent_id, since, at.offset)
        earlier = {each.conversation_id: await self._before(each, agent_id) for each in own if len(each.spans) > 1}
        told, unknown = replays(agent_id, own, earlier, records, datetime.now(UTC))
        return Joining(at, [(at.offset - 1, record) for record in unknown], (why, told), self._known(agent_id))

    async def _before(self, snapshot: Snapshot, agent_id: str) -> list[DeskRecord]:
        """The conversation's records of the agents who had it before `agent_id`."""
        found: list[DeskRecord] = []
        for span in snapshot.spans:
            if span.agent_id != agent_id:
                end = self.place(span.agent_id).offset
                records = await self._past.since(span.agent_id, span.since, end)
                found += [each for each in records if each.conversation_id == snapshot.conversation_id]
        return found

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
        shown = read_desk_record(record)
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
                outcome = decode(OUTCOME, record.value)
                if isinstance(outcome, PromptOutcome):  # what the customer did days later is not of the floor
                    self.feed.fold_outcome(outcome, record.at)
