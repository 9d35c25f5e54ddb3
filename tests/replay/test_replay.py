"""Recorded decisions decided again, byte for byte; and by other rules, which change just the turns they disagree on."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from deploy.replaying import fed
from deploy.whatif import Otherwise, Report
from deploy.workers import catalog_text
from guidance.decision.advance import advance
from guidance.decision.arbitration import Levers
from guidance.decision.catalog import parse_catalog
from guidance.decision.replay import Again, LeftOut, Replay
from guidance.decision.rules import Rules
from guidance.decision.whatif import ChangeKind
from replay.recorded import record
from schemas.codec import decode
from schemas.guidance import DECISION, Decision
from schemas.topics import CUSTOMER_EVENTS, DECISIONS, INTENTS_TOPIC, OUTCOMES
from streams.bus.ports import Record
from streams.decisions import processor
from streams.decisions.rulebook import Rulebook

OLD = parse_catalog(catalog_text(None))
LINE = "    prior: 0.45\n    value: 240\n"
"""The first of them is the line: of keep_loyalty_discount, and of nothing else."""
NEW = parse_catalog(catalog_text(None).replace(LINE, LINE.replace("0.45", "0.05")))
LEVERS = Levers("push@1", by_action={"review_contract": 9.0}, by_kind={"upsell": 0.5})
VARIANTS: dict[str, Otherwise] = {
    "one line": Otherwise(NEW, None),
    "levers": Otherwise(None, LEVERS),
}


@pytest.fixture(scope="module")
def brute_force() -> dict[str, dict[str, tuple[Decision, Decision]]]:
    """By variant and decision: what was decided, and what its rules make of the very same live state."""
    return {name: {} for name in VARIANTS}


@pytest.fixture(scope="module")
def recorded(brute_force: dict[str, Any]) -> Sequence[Record]:
    """The samples, decided by processors that decide each turn by every variant as well, on the state they hold."""

    def thrice(state: Any, event: Any, rules: Rules, *, partition: int, now: Any) -> Any:
        advanced = advance(state, event, rules, partition=partition, now=now)
        if advanced.decision is not None:
            for name, otherwise in VARIANTS.items():
                other = advance(state, event, otherwise(rules), partition=partition, now=now).decision
                brute_force[name][advanced.decision.decision_id] = (advanced.decision, other)
        return advanced

    rules = Rules(OLD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processor, "advance", thrice)
        return asyncio.run(record(lambda: rules))


def replayed(
    records: Sequence[Record], otherwise: Callable[[Rules], Rules] | None = None, rulebook: Rulebook | None = None
) -> list[Again | LeftOut]:
    replay = Replay(rulebook or Rulebook([(OLD, None)]), otherwise)
    return [*fed(replay, records), *replay.finish()]


def shown(decision: Decision) -> tuple[Any, ...]:
    return decision.prompts, frozenset(decision.endings)


def test_the_recording_has_all_that_happens(recorded):
    decisions = [decode(DECISION, each.value) for each in recorded if each.topic == DECISIONS.name]
    folded = [name.partition(":")[0].partition("@")[0] for each in decisions for name in each.folded or ()]
    assert {"outcome", "tick", "lifecycle"} <= set(folded)
    assert {each.topic for each in recorded} >= {INTENTS_TOPIC.name, CUSTOMER_EVENTS.name, OUTCOMES.name}
    with_state = sum(each.state is not None for each in decisions)
    assert with_state < len(decisions) / 5


def test_every_decision_comes_out_as_recorded_byte_for_byte(recorded):
    again = replayed(recorded)

    assert sum(each.topic == DECISIONS.name for each in recorded) == len(again) > 500
    assert all(isinstance(each, Again) and each.is_same for each in again)


def test_the_order_of_the_topics_among_each_other_does_not_matter(recorded):
    """Partitions come in whatever order Kafka gives them; only each topic's own order holds."""
    topics = sorted({each.topic for each in recorded})
    queues = {topic: [each for each in recorded if each.topic == topic] for topic in topics}
    shuffled, random = [], Random(5)
    while queues:
        topic = random.choice(sorted(queues))
        shuffled.append(queues[topic].pop(0))
        if not queues[topic]:
            del queues[topic]

    again = replayed(shuffled)

    assert len(again) == sum(each.topic == DECISIONS.name for each in recorded)
    assert all(isinstance(each, Again) and each.is_same for each in again)


def test_a_second_delivery_of_everything_changes_nothing(recorded):
    assert len(replayed([*recorded, *recorded])) == len(replayed(recorded))


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_what_if_names_just_the_decisions_that_differ(recorded, brute_force, variant):
    report = Report(None)
    report.take(replayed(recorded, VARIANTS[variant]))

    expected = {name for name, (was, other) in brute_force[variant].items() if shown(was) != shown(other)}
    assert {row.decision_id for row in report.rows} == expected
    assert report.effect.decisions == len(brute_force[variant])
    assert report.effect.weighed_otherwise == sum(
        was.candidates != other.candidates for was, other in brute_force[variant].values()
    )
    assert (report.differing, report.left_out.total()) == (0, 0)
    assert len(expected) >= 3


def test_one_line_of_catalogue_changes_only_turns_on_which_that_action_competes(recorded):
    assert catalog_text(None).count(LINE) == 1
    changed = [
        each for each in replayed(recorded, VARIANTS["one line"]) if shown(each.decision) != shown(each.otherwise)
    ]

    assert changed
    for each in changed:
        competing = {one.action_id for one in each.decision.candidates if one.priority is not None}
        assert "keep_loyalty_discount" in competing


def test_the_same_rules_change_nothing(recorded):
    report = Report(None)
    report.take(replayed(recorded, lambda rules: replace(rules)))
    assert (report.effect.changed, report.effect.weighed_otherwise) == (0, 0)
    assert report.rows == []


def test_an_action_that_is_gone_is_lost_wherever_it_was_prompted(recorded):
    start = catalog_text(None).index("  credit_outage:")
    end = catalog_text(None).index("\n  ", start + 3)
    while catalog_text(None)[end + 3] in " #\n":
        end = catalog_text(None).index("\n  ", end + 3)
    without = parse_catalog(catalog_text(None)[:start] + catalog_text(None)[end + 1 :])
    assert set(OLD.by_id) - set(without.by_id) == {"credit_outage"}
    report = Report(None)
    report.take(replayed(recorded, Otherwise(without, None)))

    counts = report.effect.by_action["credit_outage"]
    assert counts.after == 0
    assert counts.before == counts.lost > 0
    assert report.effect.by_kind[ChangeKind.LOST] + report.effect.by_kind[ChangeKind.CHANGED] == counts.lost
    assert any("credit_outage: not in the catalogue" in row.why for row in report.rows)


def test_where_the_log_begins_too_late_decisions_are_left_out_until_a_chain_begins(recorded):
    decisions = [decode(DECISION, each.value) for each in recorded if each.topic == DECISIONS.name]
    midway = recorded[len(recorded) // 2].timestamp_ms
    late = [each for each in recorded if each.timestamp_ms > midway]

    again = replayed(late)

    there = {decode(DECISION, each.value).decision_id for each in late if each.topic == DECISIONS.name}
    left_out = {each.decision_id for each in again if isinstance(each, LeftOut)}
    assert all(each.is_same for each in again if isinstance(each, Again))
    assert len(again) == len(there)
    assert 0 < len(left_out) < len(there) / 2
    chains = {each.decision_id for each in decisions if each.state is not None}
    assert not left_out & chains


def test_an_input_that_is_gone_leaves_out_what_builds_on_it(recorded):
    decision = next(
        decode(DECISION, each.value) for each in recorded if each.topic == DECISIONS.name and b'"outcome:' in each.value
    )
    gone = next(each for each in decision.folded if each.startswith("outcome:")).removeprefix("outcome:").encode()
    without = [each for each in recorded if not (each.topic == OUTCOMES.name and gone in each.value)]

    left_out = {each.decision_id: each.why for each in replayed(without) if isinstance(each, LeftOut)}

    assert decision.decision_id in left_out
    assert set(left_out.values()) == {"an input that it builds on is not in what was read"}


def test_a_catalogue_that_is_not_to_be_had_is_named(recorded):
    again = replayed(recorded, rulebook=Rulebook([(NEW, None)]))
    assert all(isinstance(each, LeftOut) for each in again)
    assert all(OLD.version in each.why for each in again)


def test_what_does_not_come_out_as_recorded_is_told_with_its_place(recorded):
    spoiled = [
        replace(each, value=each.value.replace(b'"propensity":0.', b'"propensity":0.9', 1))
        if each.topic == DECISIONS.name
        else each
        for each in recorded
    ]
    spoilt = sum(b'"propensity":0.' in each.value for each in recorded if each.topic == DECISIONS.name)
    report = Report(None)
    report.take(replayed(spoiled, VARIANTS["levers"]))

    assert report.differing == spoilt > 0
    assert "propensity: 0.9" in report.differ_by[0]
