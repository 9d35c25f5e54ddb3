"""A worker's own little web server, for Prometheus and for whoever supervises it."""

import logging
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

log = logging.getLogger(__name__)


async def serve(port: int, readiness: Callable[[], tuple[bool, str]]) -> web.AppRunner:
    """Serve /metrics, /healthz (200 while the process lives) and /readyz (200 or 503, with why) on 127.0.0.1.

    Args:
        port: 0: any free one; which is logged.

    Returns:
        What to `cleanup()` when it is over.
    """

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def health(_: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def ready(_: web.Request) -> web.Response:
        is_ready, why = readiness()
        return web.Response(text=f"{why}\n", status=200 if is_ready else 503)

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.get("/healthz", health), web.get("/readyz", ready)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    log.info("metrics and health on http://127.0.0.1:%s", runner.addresses[0][1])
    return runner
