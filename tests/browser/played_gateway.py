"""A gateway that a test plays by hand: the frames of `schemas/desktop.py` on a real websocket, the pages over real HTTP.

It keeps an agent's records, so that a desk that comes with a cursor gets exactly what it missed.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve

from guidance.desktop import STATIC
from schemas.desk import DeskRecord
from schemas.desktop import (
    FROM_DESK,
    TO_DESK,
    Ack,
    ConversationReplay,
    ConversationView,
    DeskFrame,
    GatewayFrame,
    Hello,
    OutcomeReport,
    Ping,
    Pong,
    RecordFrame,
    Refused,
    Reset,
    Watch,
    Welcome,
)
from schemas.guidance import outcome_id_of

HEARTBEAT_S = 0.5


class PlayedGateway:
    """What the desks said is in `heard`; what they are told is up to the test."""

    def __init__(self) -> None:
        self.pages = ""
        self.websocket = ""
        self.heard: list[DeskFrame] = []
        self.records: list[DeskRecord] = []
        self.standing: tuple[ConversationReplay, ...] = ()
        self.views: dict[str, ConversationView] = {}
        self.refusal: Refused | None = None
        self.answering = True
        """False: desks are hung up on before the welcome, as by a gateway that is gone."""
        self.acknowledging = True
        self._desks: set[ServerConnection] = set()
        self._changed = asyncio.Condition()

    async def issue(self, *records: DeskRecord) -> None:
        """Write records for the agent; a connected desk gets them."""
        for record in records:
            self.records.append(record)
            await self.say(RecordFrame(cursor=str(len(self.records)), record=record))

    async def say(self, frame: GatewayFrame) -> None:
        """Send a frame to all desks."""
        for desk in list(self._desks):
            await desk.send(TO_DESK.dump_json(frame).decode())

    async def drop(self, *, answering: bool) -> None:
        """Hang up on all desks; whether they may come back at once."""
        self.answering = answering
        for desk in list(self._desks):
            desk.transport.abort()

    async def hears(self, wanted: Callable[[Any], bool], within_s: float = 10) -> Any:
        """Wait for the first frame that is `wanted`. Raises TimeoutError."""
        async with asyncio.timeout(within_s), self._changed:
            while True:
                for frame in self.heard:
                    if wanted(frame):
                        return frame
                await self._changed.wait()

    def outcomes(self) -> list[tuple[str, str]]:
        """(prompt id, state) of every report heard, repetitions included."""
        return [(frame.prompt_id, frame.state.value) for frame in self.heard if isinstance(frame, OutcomeReport)]

    async def _serve(self, desk: ServerConnection) -> None:
        try:
            async for message in desk:
                frame = FROM_DESK.validate_json(message)
                async with self._changed:
                    self.heard.append(frame)
                    self._changed.notify_all()
                for answer in self._answers(frame):
                    await desk.send(TO_DESK.dump_json(answer).decode())
                if isinstance(frame, Hello):
                    if self.refusal or not self.answering:
                        return
                    self._desks.add(desk)
        finally:
            self._desks.discard(desk)

    def _answers(self, frame: DeskFrame) -> list[GatewayFrame]:
        head = str(len(self.records))
        match frame:
            case Hello() if self.refusal:
                return [self.refusal]
            case Hello() if not self.answering:
                return []
            case Hello(role="supervisor"):
                return [_welcome(resumed=False, cursor=None)]
            case Hello(cursor=None):
                return [
                    _welcome(resumed=False, cursor=head),
                    Reset(why="no_cursor", cursor=head, conversations=self.standing),
                ]
            case Hello(cursor=str() as cursor):
                missed = list(enumerate(self.records, start=1))[int(cursor) :]
                return [
                    _welcome(resumed=True, cursor=head),
                    *(RecordFrame(cursor=str(place), record=record) for place, record in missed),
                ]
            case OutcomeReport(prompt_id=prompt_id, state=state) if self.acknowledging:
                return [Ack(outcome_id=outcome_id_of(prompt_id, state), prompt_id=prompt_id, state=state)]
            case Ping(n=n):
                return [Pong(n=n, cursor=head, server_time=datetime.now(UTC))]
            case Watch(conversation_id=conversation_id) if conversation_id in self.views:
                return [self.views[conversation_id]]
        return []


def _welcome(*, resumed: bool, cursor: str | None) -> Welcome:
    now = datetime.now(UTC)
    return Welcome(session_id="s1", resumed=resumed, cursor=cursor, heartbeat_s=HEARTBEAT_S, server_time=now)


@asynccontextmanager
async def played_gateway() -> AsyncIterator[PlayedGateway]:
    """A played gateway on free ports of this machine, until the block ends."""
    gateway = PlayedGateway()
    runner = web.AppRunner(_pages(gateway), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        gateway.pages = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with serve(gateway._serve, "127.0.0.1", 0, compression=None) as server:
            gateway.websocket = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
            yield gateway
    finally:
        await runner.cleanup()


def _pages(gateway: PlayedGateway) -> web.Application:
    async def config(_: web.Request) -> web.Response:
        return web.json_response({"websocket": gateway.websocket})

    def page(name: str) -> Callable[[web.Request], Any]:
        async def answer(_: web.Request) -> web.FileResponse:
            return web.FileResponse(STATIC / f"{name}.html")

        return answer

    app = web.Application()
    app.router.add_get("/config.json", config)
    for path, name in {"/": "index", "/agent": "agent", "/supervisor": "supervisor"}.items():
        app.router.add_get(path, page(name))
    app.router.add_static("/static", STATIC)
    return app
