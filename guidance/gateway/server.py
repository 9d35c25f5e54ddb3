"""A gateway: websockets for desks, HTTP for their pages, Kafka behind both."""

import asyncio
import contextlib
import hmac
import logging
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from guidance.desktop import STATIC
from guidance.gateway.api import decisions
from guidance.gateway.asking import Asking
from guidance.gateway.desk import DeskConnection
from guidance.gateway.floor import Floor
from guidance.gateway.http import application
from guidance.gateway.hub import Hub
from guidance.gateway.outcomes import Outcomes
from guidance.gateway.settings import GatewaySettings
from schemas.desktop import MAX_DESK_FRAME_BYTES

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    """A gateway that is up."""

    http_url: str
    websocket_url: str


@contextlib.asynccontextmanager
async def gateway(settings: GatewaySettings) -> AsyncIterator[Serving]:
    """A gateway for the duration of the block. On the way out every desk is told to come again elsewhere.

    Raises:
        BusUnavailable: no broker answered.
        LookupError: a topic is missing.
    """
    hub, outcomes = Hub(settings.kafka, settings.window), Outcomes(settings.kafka)
    asking, api_key = Asking(settings.kafka), settings.api_key.get_secret_value() if settings.api_key else None
    floor = Floor(hub.feed)
    connections: set[DeskConnection] = set()
    token = settings.token.get_secret_value()

    def lets_in(shown: str) -> bool:
        return hmac.compare_digest(shown.encode(), token.encode())

    async def serve_desk(socket: ServerConnection) -> None:
        connection = DeskConnection(socket, lets_in, hub, floor, outcomes, settings.queue_max)
        connections.add(connection)
        try:
            await connection.serve()
        finally:
            connections.discard(connection)

    def tell_status() -> None:
        for connection in list(connections):
            connection.tell_status()

    hub.on_status = tell_status
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(hub.running())
        await stack.enter_async_context(outcomes.running())
        await stack.enter_async_context(asking.running())
        desks = await stack.enter_async_context(
            serve(
                serve_desk, settings.host, settings.desk_port, compression=None, max_size=MAX_DESK_FRAME_BYTES,
                ping_interval=20, ping_timeout=20, process_request=_origin_check(settings), close_timeout=2,
            )
        )  # fmt: skip
        desk_port = next(iter(desks.sockets)).getsockname()[1]
        runner = web.AppRunner(
            application(
                settings.pages or STATIC,
                lambda request: f"ws://{_host_of(request.host)}:{desk_port}",
                lambda: hub.ready and hub.live,
                decisions(asking, api_key),
            ),
            access_log=None,
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, settings.host, settings.http_port)
        await site.start()
        http_port = runner.addresses[0][1]
        try:
            yield Serving(f"http://{settings.host}:{http_port}", f"ws://{settings.host}:{desk_port}")
        finally:
            await asyncio.gather(*(connection.go_away() for connection in list(connections)), return_exceptions=True)


async def run_gateway(settings: GatewaySettings) -> None:
    """Serve until SIGTERM or SIGINT. Raises as `gateway`."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with gateway(settings) as serving:
        _LOG.info("pages at %s, desks at %s", serving.http_url, serving.websocket_url)
        await stop.wait()
        _LOG.info("stopping")


def _origin_check(settings: GatewaySettings) -> Any:
    """Browsers say which page connects; a page from elsewhere must not use a token it happened on."""

    def check(connection: ServerConnection, request: Request) -> Response | None:
        origin = request.headers.get("Origin")
        if origin is None or origin in settings.origins:
            return None
        if _host_of(origin.partition("://")[2]) == _host_of(request.headers.get("Host", "")):
            return None
        return connection.respond(403, "Pages from this origin may not connect: see the gateway's `origins`.\n")

    return check


def _host_of(address: str) -> str:
    return address.rpartition(":")[0] if address.rpartition(":")[2].isdigit() else address
