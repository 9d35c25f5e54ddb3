"""What supervisors see, the pages, and what a gateway refuses to start as."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr, ValidationError

from builders import at, decision, prompt, routed, scored, started, turn
from guidance.gateway.floor import Floor
from guidance.gateway.settings import GatewaySettings
from guidance.session.feed import SupervisorFeed
from schemas.codec import encode
from schemas.supervisor_frames import Unwatch, Watch
from schemas.topics import DECISIONS, INTENTS_TOPIC
from streams.bus.connection import KafkaSettings
from streams.bus.ports import Message

Start = Callable[..., AbstractAsyncContextManager[Any]]
Sit = Callable[..., AbstractAsyncContextManager[Any]]


@pytest.mark.broker
async def test_a_supervisor_sees_the_wall_and_looks_into_a_conversation(bus: Any, start: Start, sit: Sit) -> None:
    said = turn(turn_id="s-t1", conversation_id="s-call")
    asked = prompt(prompt_id="s-prompt", conversation_id="s-call")
    async with start() as serving, sit(serving, None) as socket:
        welcome = await socket.hear()
        assert (welcome["type"], welcome["cursor"]) == ("welcome", None)
        await socket.hear_of("trends")
        for topic, record in (
            (INTENTS_TOPIC, routed(started("s-call"))),
            (INTENTS_TOPIC, scored(said, "cancel_service")),
            (DECISIONS, decision(conversation_id="s-call", turn_id="s-t1", prompts=(asked,))),
        ):
            await bus.publisher.publish([Message(topic.name, "dana", encode(record))])
        row: dict[str, Any] | None = None
        while row is None or row["prompt"] is None:
            rows = (await socket.hear_of("wall"))["rows"]
            row = next((each for each in rows if each["conversation_id"] == "s-call"), None)
        assert (row["intents"], row["prompt"]["prompt_id"]) == (["cancel_service"], "s-prompt")
        await socket.say(Watch(conversation_id="s-call"))
        view = await socket.hear_of("conversation")
        assert [each["text"] for each in view["turns"]] == [said.text]
        assert view["decisions"][0]["candidates"][0]["reason"] == "highest priority"
        await socket.say(Watch(conversation_id="nobody's"))
        assert (await socket.hear_of("refused"))["code"] == "unknown_conversation"
        await socket.say(Unwatch())
        await socket.hear_of("wall")


@pytest.mark.broker
async def test_pages_health_and_metrics(bus: Any, start: Start) -> None:
    async with start() as serving, aiohttp.ClientSession(serving.http_url) as http:
        for path, kind in {
            "/": "text/html", "/agent": "text/html", "/supervisor": "text/html",
            "/static/icon.svg": "image/svg+xml", "/static/tokens.css": "text/css",
        }.items():  # fmt: skip
            async with http.get(path) as page:
                assert (page.status, page.content_type) == (200, kind), path
                policy = page.headers["Content-Security-Policy"]
                assert policy.startswith("default-src 'none'; script-src 'self';")
                assert "unsafe" not in policy
        async with http.get("/static/desk-client.js") as script:
            assert script.content_type in (
                "text/javascript",
                "application/javascript",
            )
        async with http.get("/config.json") as config:
            assert (await config.json())["websocket"].endswith(serving.websocket_url.rpartition(":")[2])
        for path in ("/healthz", "/readyz"):
            async with http.get(path) as health:
                assert health.status == 200
        async with http.get("/metrics") as metrics:
            assert "livecue_sessions" in await metrics.text()
        async with http.get("/static/../settings.py") as outside:
            assert outside.status == 404


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::"])
def test_the_development_token_stays_on_this_machine(host: str) -> None:
    with pytest.raises(ValidationError, match="refusing to listen"):
        GatewaySettings(kafka=KafkaSettings(servers=("127.0.0.1:9",)), host=host, token=SecretStr("12345678"))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_loopback_addresses_will_do(host: str) -> None:
    settings = GatewaySettings(kafka=KafkaSettings(servers=("127.0.0.1:9",)), host=host, token=SecretStr("12345678"))
    assert settings.host == host


def test_a_wall_is_made_once_for_all_supervisors() -> None:
    floor = Floor(SupervisorFeed())
    wall, trends = floor.wall(at(0)), floor.trends(at(0))
    assert floor.wall(at(1.9)) is wall
    assert floor.wall(at(2)) is not wall
    assert floor.trends(at(15.9)) is trends
    assert floor.trends(at(16)) is not trends
