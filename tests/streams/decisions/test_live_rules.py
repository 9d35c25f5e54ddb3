"""What is in force, of what arrives on the compacted topics."""

import logging

import pytest

from builders import at, posterior
from guidance.decision.catalog import parse_catalog
from guidance.decision.features import FEATURES, FEATURES_REVISION
from schemas.codec import encode
from schemas.published import PublishedCatalog, PublishedLevers
from schemas.topics import CATALOGS, LEVERS_TOPIC, PROPENSITIES
from small_catalog import TEXT, changed_text, small
from streams.bus.connection import KafkaSettings
from streams.bus.ports import Record
from streams.decisions.live_rules import LiveRules

NOWHERE = KafkaSettings(servers=("127.0.0.1:1",))
COVARIANCE = tuple(tuple(float(row == column) for column in range(len(FEATURES))) for row in range(len(FEATURES)))
OTHER = changed_text(("value: 200", "value: 300"))


def live(**more) -> LiveRules:
    return LiveRules(NOWHERE, small(), **more)


def record(topic, key: str, value: bytes | None, second: int) -> Record:
    return Record(topic.name, 0, second, round(at(second).timestamp() * 1000), key.encode(), value)


def catalog(text: str, second: int, version: str | None = None) -> Record:
    named = version or parse_catalog(text).version
    told = PublishedCatalog(version=named, text=text, published_at=at(second), published_by="mia")
    return record(CATALOGS, named, encode(told), second)


def levers(revision: str, second: int, **by_kind: float) -> Record:
    told = PublishedLevers(version=f"levers@{revision}", by_kind=by_kind, set_at=at(second), set_by="mia")
    return record(LEVERS_TOPIC, told.version, encode(told), second)


async def test_the_standing_catalogue_holds_until_one_is_published():
    rules = live()
    assert rules().catalog.version == small().version

    assert await rules.take(catalog(OTHER, 1))
    assert rules().catalog.version == parse_catalog(OTHER).version != small().version


async def test_a_fixed_one_holds_whatever_is_published_and_levers_are_followed_anyway():
    rules = live(fixed=True)
    await rules.take_all([catalog(OTHER, 1), levers("1", 2, retention=2.0)])

    assert rules().catalog.version == small().version
    assert rules().levers.by_kind == {"retention": 2.0}


async def test_the_last_published_holds_in_whichever_order_the_partitions_give_them():
    rules = live()
    await rules.take_all([catalog(OTHER, 9), catalog(TEXT, 5)])
    assert rules().catalog.version == parse_catalog(OTHER).version

    assert not await rules.take(catalog(TEXT, 8))
    assert rules().catalog.version == parse_catalog(OTHER).version

    assert await rules.take(catalog(TEXT, 10)), "rollback is publishing an older one again"
    assert rules().catalog.version == small().version


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (catalog("id: small\nactions: {}\n", 9, "small@bad"), "actions"),
        (catalog(OTHER, 9, "small@another"), "calls itself small@another"),
        (catalog(TEXT.replace("churn_risk >= 1.5", "rand() > 0.5"), 9, "small@chance"), "rand"),
        (record(CATALOGS, "small@x", b"{not json", 9), "cannot be used"),
    ],
    ids=["broken", "misnamed", "hostile", "no json"],
)
async def test_what_cannot_be_used_is_refused_and_the_running_one_stays(bad, told, caplog):
    rules = live()
    await rules.take(catalog(OTHER, 1))
    with caplog.at_level(logging.ERROR):
        assert not await rules.take(bad)

    assert rules().catalog.version == parse_catalog(OTHER).version
    assert told in caplog.text
    assert "catalog check" in caplog.text
    assert await rules.take(catalog(TEXT, 10)), "the next good one is taken"


def learned(action_id: str, version: int, second: int, value: bytes | None = None) -> Record:
    told = posterior(action_id=action_id, version=version, features_revision=FEATURES_REVISION,
                     mean=(0.0,) * len(FEATURES), covariance=COVARIANCE)  # fmt: skip
    return record(PROPENSITIES, f"{action_id}@{version}", value or encode(told), second)


async def test_each_actions_highest_version_is_what_was_learned():
    rules = live()
    assert rules().propensities is None

    await rules.take_all([learned("keep", 2, 5), learned("review", 1, 6), learned("keep", 1, 7)])
    names = {action: rules().propensities.weights(small().by_id[action]).name for action in ("keep", "review", "calm")}
    assert names == {"keep": "keep@2", "review": "review@1", "calm": None}

    before = rules()
    await rules.take_all([learned("keep", 3, 8, b"{nonsense"), learned("keep", 2, 9)])
    assert rules() is before


async def test_a_tombstone_changes_nothing():
    rules = live()
    await rules.take(catalog(OTHER, 1))
    assert not await rules.take(record(CATALOGS, "any", None, 5))
    assert rules().catalog.version == parse_catalog(OTHER).version
