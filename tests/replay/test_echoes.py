"""What the agent was heard saying is part of a decision: it is made again with the same embeddings, or not at all."""

import asyncio
from pathlib import Path

import pytest

from deploy.embeddings import embed_treatments
from deploy.recording import read
from deploy.replaying import fed
from deploy.workers import load_catalog, load_model
from guidance.decision.echo import Echoes
from guidance.decision.replay import Again, LeftOut, Replay
from guidance.decision.rules import Rules
from replay.recorded import record
from schemas.codec import decode
from schemas.guidance import DECISION
from schemas.topics import DECISIONS
from streams.decisions.rulebook import Rulebook

CATALOG = load_catalog(None)
LINES = read([Path(__file__).parents[2] / "deploy" / "samples" / "churn.ndjson"])


@pytest.fixture(scope="module")
def echoes() -> Echoes:
    model = load_model(None)
    made = Echoes.of(embed_treatments(CATALOG, model), model.manifest.revision)
    assert made is not None
    return made


@pytest.fixture(scope="module")
def recorded(echoes) -> list:
    rules = Rules(CATALOG, echoes=echoes)
    return asyncio.run(record(lambda: rules, LINES))


def test_the_same_is_heard_again_byte_for_byte(recorded, echoes):
    decisions = [decode(DECISION, each.value) for each in recorded if each.topic == DECISIONS.name]
    assert {each.versions.echoes for each in decisions} == {echoes.model_revision}
    replay = Replay(Rulebook([(CATALOG, echoes)]))
    again = [*fed(replay, recorded), *replay.finish()]
    assert len(again) == len(decisions)
    assert all(isinstance(each, Again) and each.is_same for each in again)


def test_without_them_nothing_is_made_again_and_it_is_said_why(recorded):
    replay = Replay(Rulebook([(CATALOG, None)]))
    again = [*fed(replay, recorded), *replay.finish()]
    assert again
    assert all(isinstance(each, LeftOut) for each in again)
    assert "is not kept as the model" in str(again[0].why)
