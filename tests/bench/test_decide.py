"""What a decision costs, as a ratio to a floor measured beside it: this machine's pace falls out of the figure."""

from collections.abc import Callable, Sequence
from importlib.resources import files
from statistics import median
from time import perf_counter

import pytest

from builders import at, customer_event, routed, scored, scores, started, turn
from guidance.decision.advance import advance
from guidance.decision.catalog import parse_catalog
from guidance.decision.decide import decide
from guidance.decision.facts import samples
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState
from schemas.codec import encode

ROUNDS, CALLS = 40, 25
TELECOM = parse_catalog((files("guidance") / "catalogs" / "telecom.yaml").read_text(encoding="utf-8"))
RULES = Rules(TELECOM)
KNOWN = {"tenure_months": 74, "monthly_bill": 48.0, "value_band": "high", "plan": "Fibre 500", "products": ("fibre",)}
_KINDS = (
    {"kind": "selfservice.failed", "channel": "web", "intents": ("technical_problem",)},
    {"kind": "offer.made", "channel": "email", "action_id": "upgrade_fibre"},
    {"kind": "page.viewed", "channel": "web", "intents": ("cancellation_terms",)},
    {"kind": "offer.declined", "channel": "mail", "action_id": "bundle_tv"},
    {"kind": "ticket.solved", "channel": "chat", "intents": ("billing_dispute",)},
)
JOURNEY = tuple(
    customer_event(event_id=f"j{number}", at=at(number - 5000), facts={}, **_KINDS[number % len(_KINDS)])
    for number in range(50)
)


def interleaved_us(*each: Callable[[], object]) -> Sequence[float]:
    """The median of a call of each, µs; all take turns, so that a slow moment of the machine slows all of them."""
    taken: list[list[float]] = [[] for _ in each]
    for _ in range(ROUNDS):
        for call, times in zip(each, taken, strict=True):
            started_s = perf_counter()
            for _ in range(CALLS):
                call()
            times.append((perf_counter() - started_s) / CALLS * 1e6)
    return [median(times) for times in taken]


@pytest.mark.bench
def test_a_decision_costs_little_more_than_its_own_conditions_and_bytes():
    """The floor evaluates each condition of the catalogue's once and writes the decision down: it decides nothing."""
    state = CustomerState()
    for event in (customer_event(facts=KNOWN), *JOURNEY, routed(started())):
        state = advance(state, event, RULES, partition=3, now=at(0)).state
    said = scored(turn("my neighbour pays half"), scores=scores("cancel_service", "price_complaint", churn_risk=1.8))
    folded = advance(state, said, RULES, partition=3, now=at(10))
    assert folded.decision is not None
    assert folded.decision.winner is not None
    undecided = folded.state.with_conversation(
        "c1", folded.state.live["c1"].model_copy(update={"live": None, "pinned": (), "issued": {}})
    )
    undecided = undecided.model_copy(update={"journey": undecided.journey.model_copy(update={"last_issued": {}})})
    conditions = [
        (condition, samples(TELECOM.facts, condition.facts))
        for action in TELECOM.actions
        for condition in (
            *(trigger.when for trigger in action.triggers if trigger.when is not None),
            *(condition for _, _, conditions in action.steps_to_fit for condition in conditions),
            *(weight.when for weight in action.context),
        )
    ]

    def floor() -> None:
        for condition, facts in conditions:
            condition.holds(facts)
        encode(folded.decision)

    def decided() -> None:
        decide(undecided, said, RULES, partition=3, now=at(10), seed=7)

    def advanced() -> None:
        advance(state, said, RULES, partition=3, now=at(10))

    floor_us, decided_us, advanced_us = interleaved_us(floor, decided, advanced)
    print(
        f"\ndecide {decided_us:.0f} µs = {decided_us / floor_us:.2f}× the floor of {floor_us:.0f} µs"
        f" ({len(conditions)} conditions, {len(TELECOM.actions)} actions, {len(JOURNEY)} events before);"
        f" with the fold {advanced_us / floor_us:.2f}×"
    )
    assert decided_us < 5 * floor_us
