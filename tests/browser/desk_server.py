"""A gateway that a test plays by hand: real pages with their real headers, real websockets, real frames."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from guidance.desktop import STATIC
from guidance.gateway.http import application
from schemas.agent_frames import ConversationReplay, RecordFrame, Reset
from schemas.base import Contract
from schemas.codec import decode, encode
from schemas.desk import DeskRecord
from schemas.desk_session import Hello, Ping, Pong, Welcome
from schemas.desktop import FROM_DESK

F = TypeVar("F", bound=Contract)
PATIENCE_S = 10.0


class Session:
    """One websocket that a page has opened; pings are answered by themselves."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._received: asyncio.Queue[Contract] = asyncio.Queue()
        self._sent = 0

    async def read(self) -> None:
        """Take what the page sends until it goes."""
        try:
            async for text in self._connection:
                frame = decode(FROM_DESK, text.encode() if isinstance(text, str) else text)
                if isinstance(frame, Ping):
                    await self.send(Pong(n=frame.n, cursor=f"cursor-{self._sent}", server_time=datetime.now(UTC)))
                else:
                    await self._received.put(frame)
        except ConnectionClosed:
            return

    async def received(self, kind: type[F]) -> F:
        """The next frame of this kind; others before it are passed over."""
        async with asyncio.timeout(PATIENCE_S):
            while not isinstance(frame := await self._received.get(), kind):
                pass
            return frame

    async def send(self, *frames: Contract) -> None:
        for frame in frames:
            await self._connection.send(encode(frame).decode())

    async def welcome(self, *, resumed: bool = False, heartbeat_s: float = 5) -> Hello:
        """Let the page in; its hello."""
        hello = await self.received(Hello)
        now = datetime.now(UTC)
        await self.send(
            Welcome(session_id="s1", resumed=resumed, cursor=hello.cursor, heartbeat_s=heartbeat_s, server_time=now)
        )
        return hello

    async def reset(self, *conversations: ConversationReplay) -> None:
        await self.send(Reset(why="no_cursor", cursor="cursor-0", conversations=conversations))

    async def records(self, *records: DeskRecord) -> None:
        """Each with a cursor of its own: cursor-1, cursor-2, …"""
        for record in records:
            self._sent += 1
            await self.send(RecordFrame(cursor=f"cursor-{self._sent}", record=record))

    async def drop(self) -> None:
        """Cut the line as a dying gateway does: without a closing handshake."""
        self._connection.transport.abort()


class DeskServer:
    def __init__(self) -> None:
        self.port = 0
        self._sessions: asyncio.Queue[Session] = asyncio.Queue()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def agent_page(self, agent_id: str = "ada") -> str:
        return f"{self.origin}/agent?agent={agent_id}#token=t0ken"

    @property
    def supervisor_page(self) -> str:
        return f"{self.origin}/supervisor#token=t0ken"

    async def session(self, within_s: float = PATIENCE_S) -> Session:
        """The next websocket that a page opens.

        Raises:
            TimeoutError: none did.
        """
        async with asyncio.timeout(within_s):
            return await self._sessions.get()

    async def accept(self, connection: ServerConnection) -> None:
        session = Session(connection)
        await self._sessions.put(session)
        await session.read()


@asynccontextmanager
async def desk_server() -> AsyncIterator[DeskServer]:
    """Serve the pages and a websocket on ports of this machine that are free."""
    server = DeskServer()
    async with serve(server.accept, "127.0.0.1", 0, compression=None) as websockets:
        websocket = f"ws://127.0.0.1:{websockets.sockets[0].getsockname()[1]}"
        runner = web.AppRunner(application(STATIC, lambda _: websocket, lambda: True))
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            server.port = runner.addresses[0][1]
            yield server
        finally:
            await runner.cleanup()
