"""One websocket and its session: moves bytes between them, and decides nothing."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from guidance.gateway.floor import Floor
from guidance.gateway.hub import Hub
from guidance.gateway.outcomes import Outcomes
from guidance.session.cursor import Place
from guidance.session.events import Close, Event, Follow, Join, Publish, PublishAnswer, Send
from guidance.session.protocol import COME_AGAIN, FAILED, GOING_AWAY, DeskSession
from schemas.base import Contract
from schemas.codec import encode
from schemas.desk import DeskRecord
from schemas.desk_session import Hello, Refused, Status
from schemas.guidance import PromptState
from schemas.outcomes import PromptOutcome
from streams.bus.metrics import DESK_RECORDS_SENT, PROMPTS_STALE, RESUMES, SESSIONS, SESSIONS_ENDED
from streams.bus.ports import BusUnavailable

_LOG = logging.getLogger(__name__)
HEARTBEAT_S = 5.0
"""How often a desk is to ping."""
_LOOK_EVERY_S = 0.5
"""How often it is looked whether a supervisor has something new to see."""
_MOST_REPORTS = 100
"""Outcomes of one desk on their way to Kafka; more are refused until some are stored."""
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
    """Serves one connection until it closes. `lets_in` says whether a token is good."""

    def __init__(
        self,
        socket: ServerConnection,
        lets_in: Callable[[str], bool],
        hub: Hub,
        floor: Floor,
        outcomes: Outcomes,
        queue_max: int,
    ) -> None:
        self._socket = socket
        self._lets_in = lets_in
        self._session = DeskSession(uuid4().hex, HEARTBEAT_S)
        self._hub = hub
        self._floor = floor
        self._outcomes = outcomes
        self._waiting: asyncio.Queue[tuple[int, DeskRecord] | Contract] = asyncio.Queue(queue_max)
        self._agent_id = ""
        self._sent_up_to: Place | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._watching: str | None = None
        self._look_now = asyncio.Event()
        self._reason = "left"

    async def serve(self) -> None:
        """Until the desk goes, is refused, or the gateway stops."""
        try:
            async for frame in self._socket:
                await self._carry_out(self._session.receive(frame, _now(), self._cursor()))
        except ConnectionClosed:
            self._reason = "broken"
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._hub.leave(self._agent_id, self)
            SESSIONS_ENDED.labels(self._session.role or "none", self._reason).inc()

    def offer(self, offset: int, record: DeskRecord) -> None:
        """See `hub.Desk`."""
        self._enqueue((offset, record))

    def tell_status(self) -> None:
        """Kafka has come or gone."""
        if self._session.role is not None:
            self._enqueue(_LIVE if self._hub.live else _DEGRADED)

    async def go_away(self) -> None:
        """The gateway stops."""
        self._reason = "going_away"
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(1.0):
                await self._send([_GOING])
        await self._socket.close(GOING_AWAY)

    def _enqueue(self, item: tuple[int, DeskRecord] | Contract) -> None:
        if self._reason == "too_slow":
            return
        try:
            self._waiting.put_nowait(item)
        except asyncio.QueueFull:
            self._reason = "too_slow"
            self._start(self._let_go())

    async def _let_go(self) -> None:
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(1.0):
                await self._send([_TOO_SLOW])
        await self._socket.close(COME_AGAIN)

    def _cursor(self) -> str | None:
        """Up to where everything has been sent: the place that was read, unless something still waits."""
        if self._sent_up_to is None:
            return None
        if self._waiting.empty():
            self._sent_up_to = max(self._sent_up_to, self._hub.place(self._agent_id))
        return self._sent_up_to.cursor

    async def _carry_out(self, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case Send():
                    await self._send([event.frame])
                case Join():
                    await self._join(event.hello)
                case Publish(reported=True) if len(self._tasks) < _MOST_REPORTS:
                    self._start(self._store(event.outcome))
                case Publish(reported=True):
                    await self._carry_out(self._session.not_stored(event.outcome))
                case Publish():
                    self._outcomes.store_soon(event.outcome)
                    PROMPTS_STALE.inc(event.outcome.state == PromptState.EXPIRED)
                case PublishAnswer() if len(self._tasks) < _MOST_REPORTS:
                    self._start(self._store_answer(event))
                case PublishAnswer():
                    await self._carry_out(self._session.answer_not_stored(event.ask_id))
                case Follow():
                    self._watching = event.conversation_id
                    self._look_now.set()
                case Close():
                    self._reason = event.reason
                    await self._socket.close(event.code)

    async def _join(self, hello: Hello) -> None:
        if not self._lets_in(hello.token):
            words = "The token is not valid, or no longer. Open the address you were given again."
            await self._carry_out(self._session.refuse("token", words))
        elif hello.role == "agent":
            self._agent_id = str(hello.agent_id)
            self._start(self._serve_agent(hello.cursor))
        else:
            self._start(self._serve_supervisor())

    async def _store(self, outcome: PromptOutcome) -> None:
        stored = await self._outcomes.store(outcome)
        await self._carry_out(self._session.stored(outcome) if stored else self._session.not_stored(outcome))

    async def _store_answer(self, answer: PublishAnswer) -> None:
        stored = await self._outcomes.store_all(answer.records)
        session, ask_id = self._session, answer.ask_id
        await self._carry_out(session.answer_stored(ask_id) if stored else session.answer_not_stored(ask_id))

    async def _serve_agent(self, cursor: str | None) -> None:
        try:
            joining = await self._hub.join(self._agent_id, cursor, self)
        except BusUnavailable:
            words = "What this desk missed cannot be read just now. It tries again by itself in a moment."
            await self._carry_out(self._session.refuse("unavailable", words, COME_AGAIN))
            return
        at, reset = joining.at, joining.reset
        RESUMES.labels("replayed" if reset is None else "reset").inc()
        with SESSIONS.labels("agent").track_inprogress():
            await self._carry_out(
                self._session.admit(resumed=reset is None, cursor=at.cursor, known=joining.known, now=_now())
            )
            if reset is not None:
                await self._carry_out(self._session.reset(reset[0], at.cursor, reset[1], _now()))
            for offset, record in joining.missed:
                await self._deliver(at, offset, record)
            self._sent_up_to = at  # only now: a pong must not carry a cursor past what is yet to be sent
            if not self._hub.live:
                await self._send([_DEGRADED])
            while True:
                item = await self._waiting.get()
                if isinstance(item, Contract):
                    await self._send([item])
                elif item[0] >= at.offset:
                    self._sent_up_to = await self._deliver(at, *item)

    async def _deliver(self, place: Place, offset: int, record: DeskRecord) -> Place:
        after = place._replace(offset=offset + 1)
        events = self._session.send(record, after.cursor, _now())
        await self._carry_out(events)
        if any(isinstance(event, Send) for event in events):
            DESK_RECORDS_SENT.labels(record.type).inc()
        return after

    async def _serve_supervisor(self) -> None:
        with SESSIONS.labels("supervisor").track_inprogress():
            await self._carry_out(self._session.admit(resumed=False, cursor=None, known=(), now=_now()))
            await self._show_the_floor()

    async def _show_the_floor(self) -> None:
        shown: set[bytes] = set()
        seen: tuple[str, int | None] | None = None
        while True:
            while not self._waiting.empty():
                item = self._waiting.get_nowait()
                if isinstance(item, Contract):
                    await self._send([item])
            now = {self._floor.wall(_now()), self._floor.trends(_now())}
            for frame in now - shown:
                await self._socket.send(frame, text=True)
            shown = now
            if (watched := self._watching) is None:
                seen = None
            elif seen != (looked := (watched, self._floor.feed.version(watched))):
                seen = looked
                view = self._floor.feed.view(watched)
                await self._send([view if view is not None else _unknown(watched)])
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look_now.wait(), _LOOK_EVERY_S)
            self._look_now.clear()

    async def _send(self, frames: Sequence[Contract]) -> None:
        for frame in frames:
            await self._socket.send(encode(frame), text=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._until_closed(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _until_closed(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except ConnectionClosed:
            pass
        except Exception:
            _LOG.exception("a desk session failed")  # the desk comes again, rather than wait for nothing
            self._reason = "failed"
            await self._socket.close(FAILED)


def _unknown(conversation_id: str) -> Refused:
    return Refused(code="unknown_conversation", closes=False, message=f"{conversation_id} is not live, or no longer.")


def _now() -> datetime:
    return datetime.now(UTC)
