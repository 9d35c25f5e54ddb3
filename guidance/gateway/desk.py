"""One websocket and its session: moves bytes between them, and decides nothing."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from guidance.gateway.hub import Hub
from guidance.gateway.outcomes import Outcomes
from guidance.session.protocol import DeskSession, Joined, Reported, Step, Watched
from schemas.base import Contract
from schemas.codec import encode
from schemas.desk import DeskRecord
from schemas.desktop import Refused, Status
from streams.bus.metrics import DESK_RECORDS_SENT, PROMPTS_STALE, RESUMES, SESSIONS, SESSIONS_ENDED
from streams.bus.ports import BusUnavailable

_LOG = logging.getLogger(__name__)
_WALL_EVERY_S = 2.0
_TRENDS_EVERY = 8
"""Walls between two frames of trends."""
_HELLO_WITHIN_S = 10.0
_TOO_SLOW = Refused(
    code="too_slow",
    closes=True,
    message="This desk did not keep up with its records. It reconnects and is brought up to date.",
)
_GOING = Refused(code="going_away", closes=True, message="This gateway stops. Another one takes over; nothing is lost.")
_DEGRADED = Status(
    state="degraded",
    message="Kafka does not answer: nothing new arrives for now. It will follow, in order; keep this page open.",
)
_LIVE = Status(state="live", message="Live again: what was missed has arrived.")


class DeskConnection:
    """Serves one connection until it closes."""

    def __init__(self, socket: ServerConnection, session: DeskSession, hub: Hub, outcomes: Outcomes, queue_max: int):
        self._socket = socket
        self._session = session
        self._hub = hub
        self._outcomes = outcomes
        self._waiting: asyncio.Queue[tuple[int, DeskRecord] | Contract] = asyncio.Queue(queue_max)
        self._sent_up_to: str | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._watching: str | None = None
        self._look_now = asyncio.Event()
        self._overflown = False

    async def serve(self) -> None:
        """Until the desk goes, is refused, or the gateway stops."""
        reason = "left"
        try:
            async for frame in self._socket:
                text = frame if isinstance(frame, str) else frame.decode("utf-8", "replace")
                if await self._carry_out(self._session.receive(text, self._cursor(), _now())):
                    reason = "refused"
                    break
        except ConnectionClosed:
            reason = "broken"
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if self._session.agent_id is not None:
                self._hub.leave(self._session.agent_id, self)
            if self._session.role is not None:
                SESSIONS.labels(self._session.role).dec()
                SESSIONS_ENDED.labels(self._session.role, "too_slow" if self._overflown else reason).inc()

    def offer(self, position: int, record: DeskRecord) -> None:
        """See `hub.Desk`."""
        self._enqueue((position, record))

    def tell_status(self) -> None:
        """Kafka has come or gone."""
        if self._session.role is not None:
            self._enqueue(_LIVE if self._hub.live else _DEGRADED)

    async def go_away(self) -> None:
        """The gateway stops."""
        with contextlib.suppress(ConnectionClosed):
            await self._send([_GOING])
            await self._socket.close(1001)

    def _enqueue(self, item: tuple[int, DeskRecord] | Contract) -> None:
        if self._overflown:
            return
        try:
            self._waiting.put_nowait(item)
        except asyncio.QueueFull:
            self._overflown = True
            self._start(self._let_go())

    async def _let_go(self) -> None:
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(1.0):
                await self._send([_TOO_SLOW])
        await self._socket.close(1013)

    def _cursor(self) -> str | None:
        """Up to where everything has been sent: the position read, unless something still waits."""
        agent_id = self._session.agent_id
        if agent_id is None or self._sent_up_to is None:
            return None
        if self._waiting.empty():
            self._sent_up_to = self._hub.position(agent_id).write()
        return self._sent_up_to

    async def _carry_out(self, step: Step) -> bool:
        """Send the step's frames and do what its events ask. True: the connection is to be closed."""
        await self._send(step.frames)
        for event in step.events:
            match event:
                case Joined(role="agent"):
                    self._start(self._serve_agent(str(event.agent_id), event.cursor))
                case Joined():
                    self._start(self._serve_supervisor())
                case Reported():
                    self._report(event)
                case Watched():
                    self._watching = event.conversation_id
                    self._look_now.set()
        return step.closes

    def _report(self, event: Reported) -> None:
        if event.by_desk:
            self._start(self._store(event))
        else:
            self._outcomes.store_soon(event.outcome)
            if event.outcome.state == "expired":
                PROMPTS_STALE.inc()

    async def _store(self, event: Reported) -> None:
        stored = await self._outcomes.store(event.outcome)
        session = self._session
        await self._carry_out(session.stored(event.outcome) if stored else session.not_stored(event.outcome))

    async def _serve_agent(self, agent_id: str, cursor: str | None) -> None:
        try:
            joining = await self._hub.join(agent_id, cursor, self)
        except BusUnavailable:
            busy = Refused(
                code="unavailable", closes=True,
                message="What this desk missed cannot be read just now. It tries again by itself in a moment.",
            )  # fmt: skip
            await self._send([busy])
            await self._socket.close(1013)
            return
        SESSIONS.labels("agent").inc()
        at = joining.at.write()
        await self._carry_out(self._session.welcome(cursor=at, resumed=joining.reset is None, now=_now()))
        RESUMES.labels("replayed" if joining.reset is None else f"reset_{joining.reset[0]}").inc()
        if joining.reset is not None:
            why, conversations = joining.reset
            await self._carry_out(self._session.reset(why, at, conversations))  # type: ignore[arg-type]
        for offset, record in joining.missed:
            await self._deliver(joining.at.partition, offset, record)
        self._sent_up_to = at
        if not self._hub.live:
            await self._send([_DEGRADED])
        while True:
            item = await self._waiting.get()
            if isinstance(item, Contract):
                await self._send([item])
            else:
                await self._deliver(joining.at.partition, *item)

    async def _deliver(self, partition: int, offset: int, record: DeskRecord) -> None:
        agent_id = str(self._session.agent_id)
        after = self._hub.position(agent_id)
        cursor = type(after)(after.topic_id, partition, offset + 1).write()
        step = self._session.send(record, cursor, _now())
        await self._carry_out(step)
        if step.frames:
            DESK_RECORDS_SENT.labels(record.type).inc()
        self._sent_up_to = cursor

    async def _serve_supervisor(self) -> None:
        SESSIONS.labels("supervisor").inc()
        await self._carry_out(self._session.welcome(cursor=None, resumed=False, now=_now()))
        seen: tuple[str, int] | None = None
        walls = 0
        next_wall = 0.0
        loop = asyncio.get_running_loop()
        while True:
            frames: list[Contract] = []
            while not self._waiting.empty():
                item = self._waiting.get_nowait()
                if isinstance(item, Contract):
                    frames.append(item)
            if loop.time() >= next_wall:
                next_wall = loop.time() + _WALL_EVERY_S
                frames.append(self._hub.feed.wall(_now()))
                if walls % _TRENDS_EVERY == 0:
                    frames.append(self._hub.feed.trends(_now()))
                walls += 1
            if (watched := self._watching) is not None:
                now_at = (watched, self._hub.feed.version(watched))
                if now_at != seen:
                    seen = now_at
                    view = self._hub.feed.view(watched, _now())
                    frames.append(view if view is not None else _unknown(watched))
            else:
                seen = None
            await self._send(frames)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look_now.wait(), 0.5)
            self._look_now.clear()

    async def _send(self, frames: Sequence[Contract]) -> None:
        for frame in frames:
            await self._socket.send(encode(frame), text=True)

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(_until_closed(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def new_session(lets_in: Any) -> DeskSession:
    """A session under an id of its own."""
    return DeskSession(uuid4().hex, lets_in)


async def _until_closed(work: Any) -> None:
    try:
        await work
    except ConnectionClosed:
        pass
    except Exception:
        _LOG.exception("a desk session failed")
        raise


def _unknown(conversation_id: str) -> Refused:
    return Refused(code="unknown_conversation", closes=False, message=f"{conversation_id} is not live, or no longer.")


def _now() -> datetime:
    return datetime.now(UTC)
