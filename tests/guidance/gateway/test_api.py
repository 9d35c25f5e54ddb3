"""`POST /v1/decisions` on a gateway with a real Kafka: answered by a worker, or told clearly that nobody answers."""

import time
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from builders import customer_event
from deploy.local import Child, LocalProcesses, free_port
from schemas.codec import encode
from schemas.topics import CUSTOMER_EVENTS
from streams.bus.ports import Message

pytestmark = pytest.mark.broker
KEY = "a-key-of-the-tests"
CATALOG = """\
id: web
name: Web
facts: {tenure_months: {type: number, about: months a customer}}
actions:
  stay:
    kind: retention
    title: Stay
    channels: [web]
    triggers: [{intent: cancel_service, why: wants to leave}]
    eligible_if: [tenure_months >= 12]
    prior: 0.5
    value: 100
    expires_after_s: 60
    treatments: [{channels: [web], words: "After {tenure_months} months with us, half price."}]
"""


async def post(serving: Any, body: Any, key: str | None = KEY) -> tuple[int, dict[str, Any]]:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    data = body if isinstance(body, bytes) else None
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{serving.http_url}/v1/decisions", json=None if data else body, data=data, headers=headers
        ) as answer,
    ):
        return answer.status, await answer.json()


@pytest.mark.timeout(180)
async def test_answered_within_a_second_from_the_customers_own_state(bus, start, tmp_path: Path):
    (tmp_path / "web.yaml").write_text(CATALOG, encoding="utf-8")
    port, customer = free_port(), f"dana-{uuid.uuid4().hex[:8]}"
    worker = Child(
        "decisions",
        f"worker decisions --http-port {port} --data {tmp_path}/t --catalog {tmp_path}/web.yaml".split(),
        f"http://127.0.0.1:{port}/readyz",
        tmp_path / "log",
        {"LIVECUE_KAFKA": ",".join(bus.settings.servers)},
    )  # fmt: skip
    known = customer_event(customer_id=customer, event_id=customer, facts={"tenure_months": 30})
    asked = {"customer_id": customer, "channel": "web", "intents": {"cancel_service": 0.8}, "request_id": customer}
    async with start(api_key=SecretStr(KEY)) as serving:
        async with LocalProcesses([worker]) as processes:
            await processes.ready(within_s=90)
            await bus.publisher.publish([Message(CUSTOMER_EVENTS.name, customer, encode(known))])
            (status, told), times = await post(serving, asked), []
            for _ in range(20):
                begun = time.perf_counter()
                again = await post(serving, asked)
                times.append(time.perf_counter() - begun)
            print(f"answered in {sorted(times)[10] * 1000:.0f} ms (median of 20), {max(times) * 1000:.0f} ms at most")
            stranger = {**asked, "customer_id": f"{customer}-2", "request_id": f"{customer}-2"}
            unknown = await post(serving, stranger)
        gone = await post(serving, {**asked, "request_id": f"{customer}-3"})

    assert (200, False) == (status, told["degraded"])
    assert [("stay", "After 30 months with us, half price.")] == [(a["action_id"], a["words"]) for a in told["actions"]]
    assert (200, told) == again, "the same request is the same answer"
    assert (200, []) == (unknown[0], unknown[1]["actions"]), "a missing fact is a no"
    assert max(times) < 1.0
    assert (503, True, []) == (gone[0], gone[1]["degraded"], gone[1]["actions"])
    assert "no decision within a second" in gone[1]["reason"]


@pytest.mark.parametrize(
    ("body", "key", "status", "told"),
    [
        ({"customer_id": "dana", "channel": "web"}, None, 401, "Authorization: Bearer"),
        ({"customer_id": "dana", "channel": "web"}, "wrong", 401, "Authorization: Bearer"),
        (b"{nonsense", KEY, 400, "not JSON"),
        ([1], KEY, 400, "not a JSON object"),
        ({"channel": "web"}, KEY, 400, "customer_id: Field required"),
        ({"customer_id": "dana", "channel": "fax"}, KEY, 400, "channel: Input should be"),
        ({"customer_id": "dana", "channel": "web", "intent": {}}, KEY, 400, "“intent” is not known here"),
        ({"customer_id": "dana", "channel": "web", "reply_to": "me"}, KEY, 400, "“reply_to” is not known here"),
        ({"customer_id": "unknown", "channel": "web"}, KEY, 400, "stands for nobody"),
        ({"customer_id": "dana", "channel": "web", "intents": {"x": 7}}, KEY, 400, "intents.x: Input should be less"),
        (b"x" * 70_000, KEY, 413, "longer than"),
    ],
)
async def test_what_is_refused_is_told_why(bus, start, body, key, status, told):
    async with start(api_key=SecretStr(KEY)) as serving:
        answered = await post(serving, body, key)
    assert status == answered[0]
    assert told in answered[1]["error"]


async def test_without_a_key_the_api_is_off(bus, start):
    async with start() as serving:
        status, told = await post(serving, {"customer_id": "dana", "channel": "web"})
    assert (404, True) == (status, "LIVECUE_API_KEY" in told["error"])
