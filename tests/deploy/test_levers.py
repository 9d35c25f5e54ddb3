"""Levers set on a real Kafka by the command, within the bounds, and every setting kept."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.kafka import topics
from schemas.topics import LEVERS_TOPIC
from small_catalog import small
from streams.bus.connection import KafkaSettings
from streams.bus.ports import Message
from streams.bus.producer import KafkaPublisher
from streams.decisions.live_rules import LiveRules

pytestmark = pytest.mark.broker


def livecue(*arguments: str):
    return CliRunner().invoke(app, ["levers", *arguments])


@pytest.mark.timeout(120)
async def test_set_on_top_refused_out_of_bounds_reset_and_all_kept(kafka: str, monkeypatch):
    monkeypatch.setenv("LIVECUE_KAFKA", kafka)
    settings = KafkaSettings(servers=(kafka,))
    topics.create(settings)

    run = asyncio.to_thread
    versions = []
    try:
        for arguments in (
            ["set", "--kind", "retention=1.5", "--by", "mia", "--note", "quiet week", "--json"],
            ["set", "--metric", "revenue=0.8", "--by", "ben", "--json"],
        ):
            told = await run(livecue, *arguments)
            assert told.exit_code == 0, told.output
            versions.append(json.loads(told.stdout)["version"])
        rules = LiveRules(settings, small())
        await rules.load()
        assert ({"retention": 1.5}, {"revenue": 0.8}) == (rules().levers.by_kind, rules().levers.by_metric)
        assert versions[-1] == rules().levers.version

        refused = await run(livecue, "set", "--kind", "retention=9", "--json")
        assert isinstance(refused.exception, ValueError)
        assert "out of bounds" in str(refused.exception)
        assert (await run(livecue, "set", "--kind", "retention")).exit_code == 2

        told = await run(livecue, "reset", "--json")
        versions.append(json.loads(told.stdout)["version"])
        history = json.loads((await run(livecue, "show", "--json")).stdout)
        assert list(reversed(versions)) == [each["version"] for each in history]
        assert ["ben", "mia"] == [each["set_by"] for each in history[1:]]
        assert {} == history[0]["by_kind"] == history[0]["by_metric"]
    finally:
        async with KafkaPublisher(settings) as publisher:  # other tests use the same Kafka
            await publisher.publish([Message(LEVERS_TOPIC.name, each, None) for each in versions])
