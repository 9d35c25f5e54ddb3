"""What agents report as misheard becomes candidates for training."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from builders import at, decision, outcome, scored, scores, turn
from deploy.cli import app
from deploy.feedback import join
from deploy.kafka import topics
from schemas.codec import encode
from schemas.guidance import PromptState, Versions
from schemas.outcomes import DismissReason
from schemas.topics import DECISIONS, INTENTS_TOPIC, OUTCOMES
from small_catalog import TEXT, small
from streams.bus.connection import KafkaSettings
from streams.bus.ports import Message
from streams.bus.producer import KafkaPublisher

VERSION = small().version


def report(number: int = 1, action_id: str = "keep", **fields):
    return outcome(
        PromptState.DISMISSED, outcome_id=f"o{number}", action_id=action_id,
        **{"reason": DismissReason.WRONG_INTENT, "decision_id": f"d{number}", **fields},
    )  # fmt: skip


def decided(number: int = 1, **fields):
    versions = Versions(catalog=fields.pop("catalog", VERSION), model="m1")
    return decision(decision_id=f"d{number}", turn_id=f"t{number}", prompts=(), versions=versions, **fields)


def heard(number: int = 1, *fired: str):
    return scored(turn(f"words {number}", f"t{number}"), scores=scores(*fired))


def joined(*of, catalogs=None):
    reports, decisions, turns = zip(*of, strict=True)
    return join(
        reports,
        {each.decision_id: each for each in decisions},
        {each.turn.turn_id: each for each in turns},
        {VERSION: small()} if catalogs is None else catalogs,
    )


def test_the_label_that_called_for_it_is_said_not_to_hold_and_the_others_to_stand():
    feedback = joined((report(note="he meant the parcel"), decided(), heard(1, "cancel_service", "price_complaint")))
    assert feedback.candidates == [
        {
            "text": "words 1", "speaker": "customer", "labels": ["price_complaint"], "not_labels": ["cancel_service"],
            "turn_id": "t1", "conversation_id": "c1", "channel": "voice", "language": "en", "model_revision": "m1",
            "reports": [{"action_id": "keep", "note": "he meant the parcel", "at": "2026-01-05T09:00:20.000Z"}],
        }
    ]  # fmt: skip


def test_two_reports_on_one_turn_are_one_candidate():
    both = heard(1, "cancel_service", "escalation")
    again = report(2, "calm", decision_id="d1")
    feedback = joined((report(), decided(), both), (again, decided(), both))
    [candidate] = feedback.candidates
    assert (candidate["labels"], candidate["not_labels"]) == ([], ["cancel_service", "escalation"])
    assert [each["action_id"] for each in candidate["reports"]] == ["keep", "calm"]


def test_what_cannot_be_joined_is_counted():
    feedback = joined(
        (report(1), decided(1), heard(1)),
        (report(2), decided(2, catalog="other@1"), heard(2, "cancel_service")),
        (report(3), decided(3), heard(4, "cancel_service")),
    )
    assert feedback.as_dict() == {
        "reports": 3, "candidates": 0, "no_longer_kept": 1, "by_no_label": 1, "unknown_catalog": 1,
    }  # fmt: skip


def test_a_time_that_cannot_be_read_is_refused_with_its_mend():
    result = CliRunner().invoke(app, ["feedback", "export", "--out", "x.jsonl", "--since", "yesterday"])
    assert result.exit_code != 0
    assert "is no time: write 90m" in str(result.exception)


@pytest.mark.broker
async def test_export_reads_what_is_on_kafka(kafka, tmp_path):
    settings = KafkaSettings(servers=(kafka,))
    await asyncio.to_thread(topics.create, settings)
    now = datetime.now(UTC)
    other = outcome(PromptState.DISMISSED, outcome_id="o9", reason=DismissReason.NOT_NOW, at=now)
    old = report(8, at=at(0))
    messages = [
        Message(INTENTS_TOPIC.name, "dana", encode(heard(1, "cancel_service", "gratitude"))),
        Message(DECISIONS.name, "dana", encode(decided())),
        *(Message(OUTCOMES.name, "dana", encode(each)) for each in (report(at=now), report(at=now), other, old)),
    ]
    async with KafkaPublisher(settings) as publisher:
        await publisher.publish(messages)
    catalog, out = tmp_path / "actions.yaml", tmp_path / "candidates.jsonl"
    catalog.write_text(TEXT)
    arguments = ["feedback", "export", "--out", str(out), "--since", "1h", "--kafka", kafka, "--catalog", str(catalog)]
    result = await asyncio.to_thread(CliRunner().invoke, app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout.splitlines()[-1])
    assert (told["reports"], told["candidates"], told["no_longer_kept"]) == (2, 1, 1), "the one redelivered counts once"
    assert datetime.fromisoformat(told["since"]) < now - timedelta(minutes=59)
    [candidate] = map(json.loads, out.read_text().splitlines())
    assert (candidate["labels"], candidate["not_labels"]) == (["gratitude"], ["cancel_service"])
