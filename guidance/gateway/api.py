"""`POST /v1/decisions`: what a web page, an IVR or a mailing may offer a customer now, by the rules of agents' prompts.

Answered within a second, or told that there is no answer.
"""

import hmac
import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from guidance.gateway.asking import Asking
from schemas.conversation import known_customer
from schemas.requests import DecisionRequest
from streams.bus.metrics import API_SECONDS

WITHIN_S = 1.0
"""How long an answer may take, all told."""
MAX_BODY_BYTES = 64 * 1024
_OWN = frozenset(("type", "asked_at", "reply_to"))
"""Fields of the contract that are not the caller's to say."""
_ASKED = tuple(name for name in DecisionRequest.model_fields if name not in _OWN)


class _Refused(Exception):
    """`str(error)` says what is wrong and how to mend it."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(what)
        self.status = status


def decisions(asking: Asking, key: str | None) -> Callable[[web.Request], Any]:
    """The route's handler. `key` is what callers show as a bearer token; None: the API is switched off."""

    async def handle(http: web.Request) -> web.Response:
        started = time.perf_counter()
        try:
            _check_key(http, key)
            request = await _read(http, asking.reply_to)
        except _Refused as error:
            API_SECONDS.labels("refused").observe(time.perf_counter() - started)
            return web.json_response({"error": str(error)}, status=error.status)
        reply = await asking.ask(request, WITHIN_S - (time.perf_counter() - started))
        how = "degraded" if reply is None else "answered"
        API_SECONDS.labels(how).observe(time.perf_counter() - started)
        if reply is None:
            told = {
                "request_id": request.request_id,
                "degraded": True,
                "actions": [],
                "reason": "no decision within a second: offer nothing, or ask again with the same request_id",
            }
            return web.json_response(told, status=503, headers={"Retry-After": "2"})
        return web.json_response({"degraded": False, **reply.model_dump(mode="json", exclude={"type", "reply_to"})})

    return handle


def _check_key(http: web.Request, key: str | None) -> None:
    if key is None:
        raise _Refused(404, "the decision API is switched off: start the gateway with LIVECUE_API_KEY set")
    shown = http.headers.get("Authorization", "")
    if not hmac.compare_digest(shown.encode(), f"Bearer {key}".encode()):
        raise _Refused(401, "show the key as “Authorization: Bearer KEY”")


async def _read(http: web.Request, reply_to: str) -> DecisionRequest:
    body = await http.content.read(MAX_BODY_BYTES + 1)
    while len(body) <= MAX_BODY_BYTES and (more := await http.content.read(MAX_BODY_BYTES + 1)):
        body += more
    if len(body) > MAX_BODY_BYTES:
        raise _Refused(413, f"the body is longer than {MAX_BODY_BYTES} bytes")
    try:
        asked = json.loads(body)
    except ValueError:
        raise _Refused(400, "the body is not JSON") from None
    if not isinstance(asked, dict):
        raise _Refused(400, 'the body is not a JSON object, as {"customer_id": "…", "channel": "web"}')
    unknown = sorted(asked.keys() - set(_ASKED))
    if unknown:
        raise _Refused(400, f"“{unknown[0]}” is not known here; there are {', '.join(_ASKED)}")
    own = {"request_id": uuid.uuid4().hex, **asked, "reply_to": reply_to, "asked_at": datetime.now(UTC)}
    try:
        request = DecisionRequest.model_validate(own)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(each) for each in first["loc"])
        raise _Refused(400, f"{where}: {first['msg']}") from None
    if known_customer(request.customer_id) is None:
        raise _Refused(400, f"customer_id: “{request.customer_id}” stands for nobody; ask for a known customer")
    return request
