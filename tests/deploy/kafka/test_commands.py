"""`livecue kafka` and `livecue topics`, as scripts use them."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from deploy.kafka import node
from deploy.kafka.commands import NOT_RUNNING, kafka_app, topics_app
from schemas.topics import TOPICS

livecue = typer.Typer()
livecue.add_typer(kafka_app, name="kafka")
livecue.add_typer(topics_app, name="topics")


def said(*arguments: object, exit_code: int = 0) -> dict[str, Any]:
    """The JSON object that the command prints, after checking how it exits."""
    result = CliRunner().invoke(livecue, [*map(str, arguments), "--json"])
    assert exit_code == result.exit_code, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_where_no_node_runs_status_says_so_and_stop_has_nothing_to_do(tmp_path: Path) -> None:
    assert {"running": False} == said("kafka", "status", "--data", tmp_path, exit_code=NOT_RUNNING)
    assert {"stopped": False} == said("kafka", "stop", "--data", tmp_path)


@pytest.mark.broker
def test_a_node_is_started_provisioned_checked_and_stopped(tmp_path: Path) -> None:
    try:
        started = said("kafka", "start", "--data", tmp_path)
        bootstrap = started["bootstrap"]
        assert started == said("kafka", "status", "--data", tmp_path)
        assert Path(started["log_path"]).exists()

        missing = said("topics", "check", "--kafka", bootstrap, exit_code=1)
        assert {topic.name for topic in TOPICS} == {each["topic"] for each in missing["mismatches"]}
        created = said("topics", "create", "--kafka", bootstrap, "--partitions", 2)
        assert {"created": [topic.name for topic in TOPICS], "partitions": 2} == created
        assert {"ok": True, "partitions": 2} == said("topics", "check", "--kafka", bootstrap)
        wrong = said("topics", "check", "--kafka", bootstrap, "--partitions", 12, exit_code=1)
        assert {"2 partitions"} == {each["found"] for each in wrong["mismatches"]}

        table = CliRunner().invoke(livecue, ["topics", "create", "--kafka", bootstrap, "--partitions", "2"])
        assert table.stdout.count("was there") == len(TOPICS)

        assert {"stopped": True} == said("kafka", "stop", "--data", tmp_path)
        assert node.status(tmp_path) is None
    finally:
        node.stop(tmp_path)
