"""What workers on a real Kafka decided, one of them killed on the way, decided again from the topics alone."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from builders import started, turn
from deploy.cli import app
from deploy.kafka import node
from deploy.player import play
from deploy.recording import Line, read, renamed, samples
from deploy.replaying import fed, records_since
from deploy.workers import catalog_text
from guidance.decision.catalog import parse_catalog
from guidance.decision.replay import Again, LeftOut, Replay
from replay.recorded import answers
from schemas.codec import decode, encode
from schemas.conversation import Channel
from schemas.guidance import DECISION, Decision
from schemas.requests import DecisionRequest
from schemas.topics import CUSTOMER_EVENTS, DECISIONS, INTENTS_TOPIC, OUTCOMES, REQUESTS
from stack import running_stack
from streams.bus.connection import KafkaSettings
from streams.bus.merge import read_merged
from streams.bus.ports import Message
from streams.bus.producer import KafkaPublisher
from streams.bus.readers import KafkaReaders, Tail
from streams.decisions.rulebook import Rulebook

pytestmark = [pytest.mark.broker, pytest.mark.long, pytest.mark.timeout(600)]  # a minute and a half
SPEED = 6.0
LINE = "    prior: 0.45\n    value: 240\n"
OUT_OF_DATE_S = 62.0
"""When all prompts that anybody would have on the desk are out of date."""


def livecue(*arguments: str, exit_code: int = 0) -> str:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)
    if result.exit_code != exit_code:
        raise AssertionError(f"{arguments}: {result.exit_code}\n{result.output}\n{result.exception!r}")
    return result.stdout


class Answering:
    """Agents: each prompt is shown, then taken, dismissed, or left."""

    def __init__(self, kafka: KafkaSettings, publisher: KafkaPublisher) -> None:
        self._kafka, self._publisher = kafka, publisher
        self.decisions: dict[str, Decision] = {}

    async def run(self, positions: Any) -> None:
        async with Tail(self._kafka, positions) as tail:
            async for batch in tail:
                for record in batch:
                    decision = decode(DECISION, record.value)
                    is_new = decision.decision_id not in self.decisions
                    if is_new and decision.prompts and decision.conversation_id != "patient":
                        told = answers(decision, datetime.now(UTC), len(self.decisions))
                        await self._publisher.publish(list(told))
                    self.decisions[decision.decision_id] = decision


async def run(bootstrap: str, home: Path) -> dict[str, Decision]:
    """The decisions of a run of all samples, by id; halfway the worker that decides is killed."""
    lines = tuple(renamed(read(samples()), "whatif"))
    expected = sum(line.is_final_turn for line in lines) + 2  # and those of the patient one
    async with running_stack(bootstrap, home) as stack, KafkaPublisher(stack.kafka) as publisher:
        positions = await KafkaReaders(stack.kafka).positions([DECISIONS.name], "latest")
        agents = Answering(stack.kafka, publisher)
        answering = asyncio.create_task(agents.run(positions))
        playing = asyncio.gather(play(lines, publisher, speed=SPEED), _wait_out_a_prompt(publisher))
        async with asyncio.timeout(240):
            while len(agents.decisions) < expected / 2:
                await asyncio.sleep(0.2)
            asked = [_request(decision) for decision in list(agents.decisions.values())[:5] if decision.customer_id]
            await publisher.publish(asked)
            expected += len(asked)
            worker = next(child for child in stack.workers if child.name.startswith("decisions"))
            worker.process.kill()
            await playing
            while len(agents.decisions) < expected:
                await asyncio.sleep(0.2)
        answering.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await answering
        assert worker.restarts > 0
    assert len(agents.decisions) == expected
    return agents.decisions


async def _wait_out_a_prompt(publisher: KafkaPublisher) -> None:
    """A customer who wants to leave, and an agent who lets the prompt lie until a tick takes it away."""
    names = {"conversation_id": "patient"}
    await play([Line(started(**names)), Line(turn("I want to cancel my contract", "patient-1", **names))], publisher)
    await asyncio.sleep(OUT_OF_DATE_S)
    await play([Line(turn("Are you still there?", "patient-2", **names))], publisher)


def _request(decision: Decision) -> Message:
    asked = DecisionRequest(
        request_id=f"r-{decision.turn_id}", customer_id=decision.customer_id, channel=Channel.WEB, reply_to="tests",
        intents={"cancel_service": 0.9}, asked_at=datetime.now(UTC),
    )  # fmt: skip
    return Message(REQUESTS.name, asked.customer_id, encode(asked))


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A node of its own: what is replayed is a whole log, in which other tests have written nothing."""
    with node.running(tmp_path_factory.mktemp("kafka")) as started_node:
        yield started_node.bootstrap


@pytest.fixture(scope="module")
def decided(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Decision]:
    return asyncio.run(run(kafka, tmp_path_factory.mktemp("stack")))


async def test_all_that_a_killed_worker_decided_comes_out_again_byte_for_byte(kafka, decided):
    settings, again = KafkaSettings(servers=(kafka,)), []
    replay = Replay(await Rulebook.published(settings, [parse_catalog(catalog_text(None))]))
    async for batch in records_since(settings, None):
        again += fed(replay, batch)
    again += replay.finish()
    ours = [each for each in again if isinstance(each, LeftOut) or each.decision.decision_id in decided]

    assert len(ours) == len(decided)
    assert all(isinstance(each, Again) and each.is_same for each in ours)
    folded = {name.partition(":")[0].partition("@")[0] for each in decided.values() for name in each.folded or ()}
    assert {"outcome", "tick"} <= folded


def test_a_what_if_of_one_line_tells_just_what_it_would_have_changed(kafka, decided, tmp_path):
    new = tmp_path / "new.yaml"
    new.write_text(catalog_text(None).replace(LINE, LINE.replace("0.45", "0.05")), encoding="utf-8")

    told = json.loads(livecue("whatif", "--kafka", kafka, "--catalog", str(new), "--since", "30m", "--json"))

    assert told["decisions"] >= len(decided)
    assert (told["recorded_differently"], told["left_out"]) == (0, {})
    changes = {each["decision_id"]: each for each in told["changes"] if each["decision_id"] in decided}
    assert changes
    for decision_id in changes:
        competing = {one.action_id for one in decided[decision_id].candidates if one.priority is not None}
        assert "keep_loyalty_discount" in competing
    lost = {
        each.decision_id
        for each in decided.values()
        if each.winner == "keep_loyalty_discount"
        for one in each.candidates
        if one.action_id == "keep_loyalty_discount" and "unopposed" not in one.reason
    }
    assert lost & changes.keys()
    shown = livecue("whatif", "--kafka", kafka, "--catalog", str(new), "--since", "30m")
    assert f"{len(told['changes'])} of {told['decisions']} decisions would have shown something else" in shown
    assert "byte for byte" in shown


def test_why_is_told_of_any_decision_by_its_id_or_its_prompts(kafka, decided):
    decision = next(each for each in decided.values() if each.prompts and not each.prompts[0].pinned)

    told = json.loads(livecue("explain", decision.prompts[0].prompt_id, "--kafka", kafka, "--json"))
    shown = livecue("explain", decision.decision_id, "--kafka", kafka)

    assert told["decision"] == decision.model_dump(mode="json")
    assert told["made_on"]["turn"]["turn_id"] == decision.turn_id
    for candidate in decision.candidates:
        assert candidate.action_id in shown
    assert told["made_on"]["turn"]["text"][:40] in shown
    assert decision.prompts[0].words[:30] in shown
    request = next(each for each in decided.values() if each.occasion == "request")
    asked = json.loads(livecue("explain", request.decision_id, "--kafka", kafka, "--json"))
    assert asked["made_on"]["intents"] == {"cancel_service": 0.9}
    assert "web, r-" in livecue("explain", request.decision_id, "--kafka", kafka)


def test_an_unknown_id_is_answered_with_where_it_was_looked_for_and_how_far_the_log_goes(kafka, decided):
    newest = max(decided.values(), key=lambda each: each.now)
    partition = newest.decision_id[:3]
    unknown, older, elsewhere = (
        f"{newest.decision_id[:17]}-000000000000",
        f"{partition}-1000000000000-{'0' * 12}",
        f"099{newest.decision_id[3:]}",
    )
    for wanted, words in (
        (unknown, f"partition {int(partition)}, was read from offset"),
        (older, "the log goes back to"),
        (elsewhere, "has partitions 0 to 11"),
        ("nonsense", "no decision's id"),
    ):
        result = CliRunner().invoke(app, ["explain", wanted, "--kafka", kafka])
        assert result.exit_code == 1
        assert words in str(result.exception)


async def test_a_stretch_of_the_log_comes_in_order_of_time(kafka, decided):
    settings = KafkaSettings(servers=(kafka,))
    readers, topics = KafkaReaders(settings), [INTENTS_TOPIC.name, DECISIONS.name, OUTCOMES.name, CUSTOMER_EVENTS.name]
    starts, ends = await readers.positions(topics, "earliest"), await readers.positions(topics, "latest")

    records = [record async for batch in read_merged(settings, starts, ends) for record in batch]

    assert len(records) == sum(ends[each] - starts[each] for each in starts)
    for source, start in starts.items():
        offsets = [each.offset for each in records if (each.topic, each.partition) == source]
        assert offsets == list(range(start, ends[source]))
    assert [each.timestamp_ms for each in records] == sorted(each.timestamp_ms for each in records)
