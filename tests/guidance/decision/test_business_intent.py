"""What the business wants just now: metrics, effort, flexibility, and how far supervisors may go."""

import pytest

from builders import at, customer_event, routed, scored, scores, started, turn
from guidance.decision.advance import advance
from guidance.decision.arbitration import Levers
from guidance.decision.business_intent import collections_flexibility, retention_effort, worth
from guidance.decision.catalog import parse_catalog
from guidance.decision.catalog_text import CatalogError
from guidance.decision.lever_settings import Settings, mistakes
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState
from schemas.guidance import Fate
from small_catalog import changed, changed_text, small


def test_worth_weighs_each_metric_and_the_cost():
    value_by = {"retention": 60.0, "revenue": 20.0}
    assert 70.0 == worth(value_by, 10.0, {})
    assert 60 * 2 + 20 * 0.5 - 10 * 3 == worth(value_by, 10.0, {"retention": 2.0, "revenue": 0.5, "cost": 3.0})


@pytest.mark.parametrize(
    ("facts", "churn_risk", "effort"),
    [
        ({"value_band": "high"}, 2.0, 1.0),
        ({"value_band": "low"}, 2.0, 0.3333),
        ({"value_band": "mid"}, 1.0, 0.3333),
        ({}, 2.0, 0.5),
        ({"value_band": "high"}, 0.0, 0.0),
        ({"value_band": "high"}, None, None),
    ],
)
def test_retention_effort_is_value_times_risk(facts, churn_risk, effort):
    assert effort == retention_effort(facts, churn_risk)


def test_who_always_paid_is_met_further():
    assert None is collections_flexibility({}, None)
    assert 0.9 == collections_flexibility({}, 0.9)
    assert 0.63 == collections_flexibility({"missed_payments": 2}, 0.9)
    assert 0.0 == collections_flexibility({"missed_payments": 12}, 0.9)


def decided(catalog, levers=None):
    state, rules = CustomerState(), Rules(catalog, levers)
    for event in (customer_event(), routed(started())):
        state = advance(state, event, rules, partition=3, now=at(0)).state
    said = scored(turn(), scores=scores("cancel_service", churn_risk=1.0))
    return advance(state, said, rules, partition=3, now=at(10)).decision


def test_a_metric_that_counts_more_changes_who_wins():
    """`review` (0.3 × 100) brings satisfaction here, `keep` (0.5 × (100 − 20)) retention."""
    catalog = changed(("prior: 0.3\n    value: 100", "prior: 0.3\n    value: 100\n    value_by: {satisfaction: 100}"))
    assert "keep" == decided(catalog).winner
    assert "review" == decided(catalog, Levers("l", by_metric={"satisfaction": 2.0})).winner
    assert "review" == decided(catalog, Levers("l", by_metric={"retention": 0.5})).winner


def test_what_costs_more_than_it_is_worth_is_kept_back_and_said_so():
    decision = decided(small(), Levers("l", by_metric={"cost": 6.0}))
    keep = next(each for each in decision.candidates if each.action_id == "keep")
    assert (Fate.SUPPRESSED, "costs more than it is worth, as the levers are set") == (keep.fate, keep.reason)


BOUNDED = changed(
    ("facts:", "levers:\n  any: [0.5, 2]\n  by_kind: {retention: [1, 3]}\n  by_action: {keep: [1, 1]}\nfacts:")
)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (Settings(by_kind={"retention": 3.0}, by_action={"review": 0.5}, by_metric={"cost": 2.0}), []),
        (Settings(by_kind={"retention": 0.9}), ["kind retention=0.9 is out of bounds: small allows 1 to 3"]),
        (Settings(by_action={"keep": 1.1}), ["action keep=1.1 is out of bounds: small allows 1 to 1"]),
        (Settings(by_metric={"revenue": 2.5}), ["metric revenue=2.5 is out of bounds: small allows 0.5 to 2"]),
        (Settings(by_kind={"retension": 1.5}), ["no kind is called “retension”; there are retention, upsell"]),
        (Settings(by_action={"kept": 1.5}), ["no action is called “kept”; there are calm, keep, record, review"]),
    ],
)
def test_supervisors_stay_within_the_catalogues_bounds(settings, told):
    found = mistakes(settings, BOUNDED)
    assert len(told) == len(found)
    assert all(each.startswith(start) for each, start in zip(found, told, strict=True))


def test_settings_go_on_top_of_each_other_and_neutral_ones_vanish():
    first = Settings(by_kind={"retention": 1.5, "upsell": 0.5})
    assert Settings(by_kind={"retention": 2.0}, by_metric={"cost": 2.0}) == first.changed(
        Settings(by_kind={"upsell": 1.0, "retention": 2.0}, by_metric={"cost": 2.0})
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("facts:", "levers: {any: [2, 1]}\nfacts:", "the least, 2, is more than the most, 1"),
        ("facts:", "levers: {by_action: {keeep: [1, 2]}}\nfacts:", "did you mean keep?"),
        ("facts:", "levers: {by_metric: {profit: [1, 2]}}\nfacts:", "profit"),
        ("    value: 100\n    cost: 20", "    value: 100\n    value_by: {revenue: 90}\n    cost: 20", "adds up to 90"),
        ("    value: 100\n    cost: 20", "    value: 100\n    value_by: {cost: 100}\n    cost: 20", "under cost"),
    ],
)
def test_levers_and_metrics_that_make_no_sense_are_refused_with_their_place(old, new, told):
    with pytest.raises(CatalogError) as refused:
        parse_catalog(changed_text((old, new)))
    assert told in str(refused.value)
    assert str(refused.value).startswith("line ")
