"""Published on a real Kafka: in force in a running worker within seconds, and back again."""

import asyncio
import contextlib
import json
import time
import uuid
from importlib.resources import files
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from typer.testing import CliRunner

from builders import routed, scored, started, turn
from deploy.cli import app
from deploy.kafka import topics
from deploy.local import Child, LocalProcesses, free_port
from schemas.codec import encode
from schemas.topics import CATALOGS, DECISIONS, INTENTS_TOPIC
from streams.bus.connection import KafkaSettings
from streams.bus.ports import Message
from streams.bus.producer import KafkaPublisher

pytestmark = pytest.mark.broker
TELECOM = (files("guidance") / "catalogs" / "telecom.yaml").read_text(encoding="utf-8")


def livecue(*arguments: str) -> dict | list:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@contextlib.asynccontextmanager
async def deciding(bootstrap: str, home: Path):
    """A running worker of `decisions`, and a way to ask it by which catalogue it decides a turn."""
    port = free_port()
    arguments = ["worker", "decisions", "--http-port", str(port), "--data", str(home / "tables")]
    worker = Child(
        "decisions", arguments, f"http://127.0.0.1:{port}/readyz", home / "log", {"LIVECUE_KAFKA": bootstrap}
    )
    consumer = KafkaConsumer(DECISIONS.name, bootstrap_servers=bootstrap, auto_offset_reset="latest", group_id=None)
    consumer.poll(timeout_ms=2000)
    async with LocalProcesses([worker]) as processes, KafkaPublisher(KafkaSettings(servers=(bootstrap,))) as publisher:
        await processes.ready(within_s=90)

        async def decided_by() -> str:
            run = uuid.uuid4().hex[:8]
            route = {"route_key": f"dana-{run}", "customer_id": f"dana-{run}"}
            of = turn(turn_id=run, conversation_id=f"c-{run}")
            events = [routed(started(f"c-{run}"), **route), scored(of, "cancel_service", **route)]
            await publisher.publish([Message(INTENTS_TOPIC.name, route["route_key"], encode(each)) for each in events])
            end = time.monotonic() + 20
            while time.monotonic() < end:
                for records in (await asyncio.to_thread(consumer.poll, timeout_ms=200)).values():
                    for each in records:
                        decision = json.loads(each.value)
                        if decision["turn_id"] == run:
                            return decision["versions"]["catalog"]
            raise AssertionError("no decision")

        try:
            yield decided_by, worker
        finally:
            consumer.close()


@pytest.mark.timeout(180)
async def test_published_rolled_back_and_refused_on_a_running_worker(kafka: str, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("LIVECUE_KAFKA", kafka)
    settings = KafkaSettings(servers=(kafka,))
    topics.create(settings)
    (first, second) = (TELECOM, TELECOM.replace("name: Telecom", "name: Another telecom"))
    for name, text in (("first", first), ("second", second)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    versions = []
    try:
        async with deciding(kafka, tmp_path) as (decided_by, worker):
            before = await decided_by()
            took = []
            for command in (
                ["publish", str(tmp_path / "second.yaml"), "--by", "mia", "--note", "another name"],
                ["publish", str(tmp_path / "first.yaml"), "--by", "mia"],
                ["rollback"],
            ):
                published = await asyncio.to_thread(livecue, "catalog", *command)
                begun = time.monotonic()
                versions.append(published["version"])
                while (found := await decided_by()) != published["version"]:
                    assert time.monotonic() - begun < 5, f"still decides by {found}"
                took.append(time.monotonic() - begun)
            print(f"effective after {max(took):.2f} s at most")
            assert [before, versions[0], versions[1]] == [versions[1], versions[2], before]

            broken = Message(CATALOGS.name, "telecom@0bad", b'{"type":"catalog","version":"telecom@0bad"}')
            async with KafkaPublisher(settings) as publisher:
                await publisher.publish([broken])
            await asyncio.sleep(1)
            assert await decided_by() == versions[2], "what cannot be used changes nothing"
            assert (worker.restarts, worker.is_running()) == (0, True)
        listed = [(each["version"], each["in_force"]) for each in await asyncio.to_thread(livecue, "catalog", "list")]
        assert listed == [(versions[2], True), (versions[1], False)]
    finally:
        async with KafkaPublisher(settings) as publisher:  # other tests use the same Kafka
            await publisher.publish([Message(CATALOGS.name, each, None) for each in {*versions, "telecom@0bad"}])


def test_a_catalogue_with_mistakes_is_not_published(kafka: str, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("LIVECUE_KAFKA", kafka)
    bad = tmp_path / "bad.yaml"
    bad.write_text(TELECOM.replace("\n    kind: retention", "\n    kind: retension", 1), encoding="utf-8")
    result = CliRunner().invoke(app, ["catalog", "publish", str(bad)])
    assert result.exit_code != 0
    assert "retention" in str(result.exception)
