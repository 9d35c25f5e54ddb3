"""`livecue lift` and `livecue simulate`, on files and on a real Kafka."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from builders import lesson, posterior
from deploy.charts import Interval, Intervals, Lines, svg
from deploy.cli import app
from deploy.kafka import topics
from deploy.sim.play import Learner, play
from deploy.sim.trial import run
from deploy.sim.world import World
from deploy.sim_cli import write_log
from schemas.codec import encode
from schemas.errors import Malformed
from schemas.guidance import Decision
from schemas.learning import Lesson
from schemas.topics import DECISIONS, LESSONS, PROPENSITIES
from streams.bus.connection import KafkaSettings
from streams.bus.ports import Message
from streams.bus.producer import KafkaPublisher


def livecue(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "140"})


def figures(*arguments: str) -> dict:
    result = livecue("lift", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 400 decisions in which all are in the control group or all but nothing is learned."""
    path = tmp_path_factory.mktemp("lift") / "log.ndjson"
    write_log(path, World(1, offers=4, control_share=0.4), 400, batch=400)
    return path


def test_a_log_from_a_file_as_json(log: Path) -> None:
    found = figures("--file", str(log))
    lessons = [json.loads(line) for line in log.read_text().splitlines() if '"type":"lesson"' in line]
    by_group = {
        group: [each["reward"] for each in lessons if each["group"] == group] for group in ("guided", "control")
    }

    assert (found["lessons"], found["anonymous"], found["without_decision"]) == (400, 0, 0)
    assert found["too_few"] is None
    first = found["guided_against_control"][0]
    assert (first["measure"], first["per"]) == ("acceptance", "prompt")
    for group, rewards in by_group.items():
        assert first[group]["n"] == len(rewards)
        assert first[group]["value"] == pytest.approx(sum(rewards) / len(rewards))
    policies = {(each["policy"], each["measure"]): each for each in found["other_policies"]}
    as_it_was = policies["as it was", "acceptance"]
    assert as_it_was["snips"]["value"] == pytest.approx(sum(map(sum, by_group.values())) / 400)
    assert as_it_was["effective_sample_size"] == pytest.approx(400)
    for policy in ("random", "fixed", "learned"):
        told = policies[policy, "acceptance"]
        assert told["doubly_robust"]["low"] < told["doubly_robust"]["value"] < told["doubly_robust"]["high"]
        assert told["effective_sample_size"] < 400


def test_tables_and_a_picture(log: Path, tmp_path: Path) -> None:
    result = livecue("lift", "--file", str(log), "--plot", str(tmp_path / "lift.svg"))
    assert result.exit_code == 0, result.output
    for words in ("400 prompts with a known outcome", "Guided against control", "doubly robust", "learned, value"):
        assert words in result.stdout
    shown = (tmp_path / "lift.svg").read_text()
    ElementTree.fromstring(shown)
    assert "guided" in shown
    assert "Value of a prompt" in shown


def test_only_what_was_decided_since(log: Path) -> None:
    decided = sorted(json.loads(each)["decided_at"] for each in log.read_text().splitlines() if '"lesson"' in each)
    assert figures("--file", str(log), "--since", decided[300])["lessons"] == 100


def test_too_little_is_said_in_words(tmp_path: Path) -> None:
    path = tmp_path / "few.ndjson"
    few = [lesson(decision_id=f"d{each}", group=("guided", "control", None)[each % 3]) for each in range(9)]
    path.write_bytes(b"\n".join(map(encode, few)))
    result = livecue("lift", "--file", str(path))
    assert result.exit_code == 0, result.output
    plain = " ".join(result.stdout.split())
    assert "9 prompts with a known outcome; 3 of them began anonymous and are left out; the decisions of 9" in plain
    assert "the guided group has 3 prompts with a known outcome, 100 are needed" in plain
    assert "No figure: 0 decisions with a known outcome can be told from, 100 are needed" in plain
    nothing = tmp_path / "nothing.ndjson"
    nothing.write_bytes(b"")
    assert "0 prompts with a known outcome" in livecue("lift", "--file", str(nothing)).stdout


def test_a_line_that_is_none_of_them_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.ndjson"
    path.write_bytes(encode(lesson()) + b'\n{"type":"lesson"}\n')
    result = livecue("lift", "--file", str(path))
    assert isinstance(result.exception, Malformed)
    assert "bad.ndjson, line 2: lesson.decision_id" in str(result.exception)


@pytest.mark.broker
def test_on_a_real_kafka(kafka: str, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVECUE_KAFKA", kafka)
    settings = KafkaSettings(servers=(kafka,))
    topics.create(settings)
    now = datetime.now(UTC)
    messages = []
    learner = Learner()
    for step in play(World(7, offers=4, control_share=0.4), 300, learner=learner):
        again = step.lesson.model_copy(update={"decided_at": now, "settled_at": now})
        messages.append(Message(DECISIONS.name, step.decision.route_key, encode(step.decision)))
        messages += [Message(LESSONS.name, again.action_id, encode(again))] * 2  # a redelivery
    old = lesson(decision_id="long-ago", decided_at=now - timedelta(days=40))
    messages.append(Message(LESSONS.name, old.action_id, encode(old)))
    messages.append(Message(LESSONS.name, "broken", b"{}"))
    messages += [
        Message(PROPENSITIES.name, f"{each.action_id}@{each.version}", encode(each))
        for each in (*learner.posteriors.values(), posterior())
    ]

    async def publish(each: list[Message]) -> None:
        async with KafkaPublisher(settings) as publisher:
            await publisher.publish(each)

    asyncio.run(publish(messages))
    try:
        result = livecue("lift", "--since", "1h")
        assert result.exit_code == 0, result.output
        assert "300 prompts with a known outcome." in result.stdout
        assert "1 records could not be read" in result.stdout
        found = figures("--since", "1h")
        learned = [each for each in found["other_policies"] if each["policy"] == "learned"]
        assert [each["why_not"] for each in learned] == [None, None]
    finally:
        tombstones = [
            Message(PROPENSITIES.name, each.key, None) for each in messages if each.topic == PROPENSITIES.name
        ]
        asyncio.run(publish(tombstones))  # other tests use the same Kafka


def test_the_core_plays_and_what_it_teaches_is_what_it_decided() -> None:
    world = World(3, offers=5)
    steps = list(play(world, 60, batch=20))
    for step in steps:
        chances = {each.action_id: each.selection_probability for each in step.decision.candidates}
        assert sum(chances.values()) == pytest.approx(1.0, abs=1e-3)
        assert isinstance(step.decision, Decision)
        assert isinstance(step.lesson, Lesson)
        assert step.lesson.action_id == step.decision.winner == world.offers[step.chosen]
        assert step.lesson.selection_probability == chances[step.decision.winner]
        assert step.lesson.settled_by == "business"
    assert {each.lesson.decision_id for each in steps} == {each.decision.decision_id for each in steps}
    learned = [any(each.posterior for each in step.decision.candidates) for step in steps]
    assert learned == [False] * 20 + [True] * 40, "a batch is in force once it is over"
    again = [(each.chosen, each.lesson.reward) for each in play(World(3, offers=5), 60, batch=20)]
    assert again == [(each.chosen, each.lesson.reward) for each in steps]


def test_shares_and_regret_are_of_the_truth() -> None:
    trial = run(2, 150, offers=4, batch=50)
    assert len(trial.learned) + trial.in_control == 150
    assert (trial.oracle >= trial.learned).all()
    assert (trial.oracle >= trial.fixed).all()
    assert (trial.oracle > trial.random).all()
    assert trial.share(trial.oracle) == 1.0
    assert trial.share(trial.random, 50) == pytest.approx(trial.random[-50:].mean() / trial.oracle[-50:].mean())
    assert trial.regret(trial.fixed)[-1] == pytest.approx((trial.oracle - trial.fixed).sum())


def test_simulate_tells_how_well_it_learned(tmp_path: Path) -> None:
    arguments = ["simulate", "--decisions", "120", "--seeds", "2", "--offers", "3", "--plot", str(tmp_path / "s.svg")]
    told = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert [each["seed"] for each in told] == [1, 2]
    for each in told:
        assert each["decisions"] + each["in_control"] == 120
        assert 0.0 < each["share_of_oracle"]["random"] < 1.0
    ElementTree.fromstring((tmp_path / "s.svg").read_text())


def test_charts_are_drawn_within_their_frame() -> None:
    curves = {"up & away": [(0.0, 0.0), (1000.0, 1.0)], "flat": [(0.0, 0.5), (1000.0, 0.5)]}
    lines = Lines("Shares", "decisions", curves, faint={"flat": [curves["flat"]]}, percent=True)
    rows = Intervals("Lift", [Interval("a", 0.2, 0.1, 0.3), Interval("b", -0.1, -0.2, 0.0, colour=1)], percent=True)
    drawn = svg("Both", [lines, rows])
    root = ElementTree.fromstring(drawn)
    space = "{http://www.w3.org/2000/svg}"
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    polylines = root.findall(f"{space}polyline")
    assert [3, 2] == [len(polylines), len(root.findall(f"{space}circle"))]
    for each in polylines:
        for point in each.attrib["points"].split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width
            assert 0 <= y <= height
    first, last = (point.split(",") for point in polylines[0].attrib["points"].split())
    assert float(first[1]) > float(last[1]), "more is higher"
    assert "40%" in drawn
    assert "up &amp; away" in drawn
