"""What is learned changes while conversations go on: each decision is made again by what was known just then."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from builders import posterior
from deploy.recording import read
from deploy.replaying import fed
from deploy.workers import catalog_text
from guidance.decision.catalog import parse_catalog
from guidance.decision.features import FEATURES, FEATURES_REVISION
from guidance.decision.propensity import Propensities
from guidance.decision.replay import Again, LeftOut, Replay
from guidance.decision.rules import Rules
from replay.recorded import record
from schemas.codec import decode
from schemas.guidance import DECISION
from schemas.learning import Posterior
from schemas.topics import DECISIONS
from streams.decisions.rulebook import Rulebook

CATALOG = parse_catalog(catalog_text(None))
LINES = read([Path(__file__).parents[2] / "deploy" / "samples" / "churn.ndjson"])
ACTIONS = ("keep_loyalty_discount", "review_contract", "match_competitor")


def _posterior(action_id: str, version: int, at: datetime) -> Posterior:
    size = len(FEATURES)
    return posterior(
        action_id=action_id, version=version, features_revision=FEATURES_REVISION, at=at,
        mean=tuple(0.3 * (version + place) % 1.0 for place in range(size)),
        covariance=tuple(tuple(0.2 * (row == column) for column in range(size)) for row in range(size)),
    )  # fmt: skip


POSTERIORS = [
    _posterior(action_id, version, LINES[0].at + timedelta(seconds=20 * version + place))
    for version in range(1, 9)
    for place, action_id in enumerate(ACTIONS)
]


def learning() -> Iterator[Rules]:
    """Rules by one posterior more every few inputs; that of one action is heard of a little before an older other."""
    known = [POSTERIORS[1], POSTERIORS[0], *POSTERIORS[2:]]
    count = 0
    while True:
        yield Rules(CATALOG, propensities=Propensities.of(known[: 1 + count // 40]))
        count += 1


@pytest.fixture(scope="module")
def recorded() -> list:
    rules = learning()
    return asyncio.run(record(lambda: next(rules), LINES))


def test_each_is_made_again_by_what_was_known_just_then(recorded):
    decisions = [decode(DECISION, each.value) for each in recorded if each.topic == DECISIONS.name]
    assert len({each.versions.propensities for each in decisions}) > 5
    assert len({one.posterior for each in decisions for one in each.candidates if one.posterior is not None}) > 3

    replay = Replay(Rulebook([(CATALOG, None)], (), POSTERIORS))
    again = [*fed(replay, recorded), *replay.finish()]

    assert len(again) == len(decisions)
    assert all(isinstance(each, Again) and each.is_same for each in again)


def test_a_posterior_that_is_gone_is_named(recorded):
    used = next(
        one.posterior
        for each in recorded
        if each.topic == DECISIONS.name
        for one in decode(DECISION, each.value).candidates
        if one.posterior is not None
    )
    action_id, _, version = used.partition("@")
    left = [each for each in POSTERIORS if (each.action_id, str(each.version)) != (action_id, version)]

    replay = Replay(Rulebook([(CATALOG, None)], (), left))
    again = [*fed(replay, recorded), *replay.finish()]

    assert any(isinstance(each, LeftOut) and used in each.why for each in again)
    assert all(each.is_same for each in again if isinstance(each, Again))
