"""The pages, health and metrics over plain HTTP."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

_PAGES = {"/": "index.html", "/agent": "agent.html", "/supervisor": "supervisor.html"}


def application(
    pages: Path,
    websocket_of: Callable[[web.Request], str],
    is_ready: Callable[[], bool],
    decisions: Callable[[web.Request], Any] | None = None,
) -> web.Application:
    """The routes. `websocket_of` names the websocket for whoever asks, `is_ready` says whether desks are served,
    `decisions` answers the API; None: there is none."""

    def page(name: str) -> Callable[[web.Request], web.StreamResponse]:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.FileResponse(pages / name)

        return answer  # type: ignore[return-value]

    async def config(request: web.Request) -> web.Response:
        return web.json_response({"websocket": websocket_of(request)})

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def readyz(_: web.Request) -> web.Response:
        ready = is_ready()
        return web.Response(text="ready\n" if ready else "not ready: Kafka is not read\n", status=200 if ready else 503)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    for path, name in _PAGES.items():
        app.router.add_get(path, page(name))  # type: ignore[arg-type]
    for path, handler in {
        "/config.json": config, "/healthz": healthz, "/readyz": readyz, "/metrics": metrics,
    }.items():  # fmt: skip
        app.router.add_get(path, handler)
    if decisions is not None:
        app.router.add_post("/v1/decisions", decisions)
    app.router.add_static("/static/", pages)
    app.on_response_prepare.append(_headers)
    return app


async def _headers(request: web.Request, response: web.StreamResponse) -> None:
    """Nothing from elsewhere runs in our pages, and nobody else's page frames them."""
    host = request.host.rpartition(":")[0] or request.host
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' ws://{host}:* wss://{host}:*; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Cache-Control", "no-cache")
