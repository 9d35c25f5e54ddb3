"""The telecom catalogue: whole, and saying the right thing in the situations it was written for."""

from functools import cache
from pathlib import Path

import pytest

from builders import at, customer_event, routed, scored, scores, started, turn
from guidance.decision.advance import advance
from guidance.decision.catalog import Catalog, parse_catalog
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState
from schemas.conversation import Channel
from schemas.guidance import ActionKind

_LABELS = {
    "cancel_service", "cancellation_terms", "competitor_mention", "price_complaint", "billing_dispute",
    "payment_trouble", "technical_problem", "upgrade_interest", "add_product", "plan_inquiry", "order_status",
    "refund_return", "account_access", "account_change", "repeat_contact", "escalation", "vulnerability",
    "accepts_offer", "declines_offer", "gratitude", "closing", "discloses_recording", "verifies_identity",
    "makes_offer", "apologises", "states_terms",
}  # fmt: skip
_KNOWN = {
    "tenure_months": 74, "monthly_bill": 48.0, "plan": "Fibre 500", "products": ("fibre", "mobile"),
    "value_band": "high", "consent_marketing": True, "household": 4, "competitor": "Northcom",
    "contract_ends": "31 March",
}  # fmt: skip


@cache
def telecom() -> Catalog:
    return parse_catalog((Path(__file__).parents[3] / "guidance/catalogs/telecom.yaml").read_text())


def decided(*fired, text="…", facts=None, channel=Channel.VOICE, churn_risk=1.8, sentiment="neutral", contacts=0):
    state = CustomerState()
    for number in range(contacts):
        failed = customer_event(
            event_id=f"f{number}", kind="selfservice.failed", intents=("technical_problem",), facts={}
        )
        state = advance(state, failed, Rules(telecom()), partition=3, now=at(0)).state
    if facts:
        state = advance(state, customer_event(facts=facts), Rules(telecom()), partition=3, now=at(0)).state
    state = advance(
        state, routed(started(channel=channel), channel=channel), Rules(telecom()), partition=3, now=at(1)
    ).state
    mood = {name: 0.9 if name == sentiment else 0.05 for name in ("negative", "neutral", "positive")}
    said = scored(turn(text), channel=channel, scores=scores(*fired, churn_risk=churn_risk, sentiment=mood))
    decision = advance(state, said, Rules(telecom()), partition=3, now=at(10)).decision
    assert decision is not None
    return decision


def test_it_speaks_the_models_labels():
    assert telecom().labels <= _LABELS


@pytest.mark.parametrize(
    ("fired", "more", "winner"),
    [
        (["cancel_service"], {"facts": _KNOWN}, "keep_loyalty_discount"),
        (["cancel_service"], {}, "review_contract"),
        (["cancel_service"], {"facts": {"tenure_months": 3, "value_band": "high"}}, "review_contract"),
        (["competitor_mention"], {"facts": {**_KNOWN, "tenure_months": 8}}, "match_competitor"),
        (["cancel_service"], {"facts": {"products": ("fibre",)}, "churn_risk": 1.0}, "save_part"),
        (["cancellation_terms"], {"churn_risk": 1.0}, "review_contract"),
        (["cancellation_terms"], {"churn_risk": 0.0}, None),
        (["upgrade_interest"], {"facts": _KNOWN, "churn_risk": 0.0}, "upgrade_fibre"),
        (["upgrade_interest"], {"churn_risk": 0.0}, None),
        (["upgrade_interest"], {"facts": {"products": ("mobile",)}, "churn_risk": 0.0}, "upgrade_unlimited"),
        (["plan_inquiry"], {"churn_risk": 0.0}, None),
        (["plan_inquiry"], {"facts": _KNOWN, "churn_risk": 0.0}, "upgrade_fibre"),
        (["add_product"], {"churn_risk": 0.0}, "add_line"),
        (["repeat_contact"], {"churn_risk": 0.0}, "own_third_contact"),
        (["technical_problem"], {"contacts": 2, "churn_risk": 0.0}, "own_third_contact"),
        (["technical_problem"], {"contacts": 1, "churn_risk": 0.0}, "credit_outage"),
        (["payment_trouble"], {"churn_risk": 0.0}, "offer_payment_plan"),
        (["vulnerability", "cancel_service"], {"facts": _KNOWN}, "show_empathy"),
        (["escalation"], {"sentiment": "negative", "churn_risk": 1.0}, "de_escalate"),
        (["gratitude"], {"churn_risk": 0.0}, None),
        ([], {"facts": _KNOWN, "churn_risk": 0.0}, None),
    ],
)
@pytest.mark.parametrize("channel", [Channel.VOICE, Channel.CHAT])
def test_the_right_thing_wins(fired, more, winner, channel):
    assert decided(*fired, channel=channel, **more).winner == winner


def test_the_discount_is_said_in_money():
    prompt = decided("cancel_service", facts=_KNOWN).prompts[0]
    assert f"{telecom().currency}38.40 a month" in prompt.words
    assert "6 years" in prompt.words
    assert prompt.why == ("wants to leave", "6 yrs a customer", f"pays {telecom().currency}48")
    mid = decided("cancel_service", facts={**_KNOWN, "value_band": "mid"}).prompts[0]
    assert f"{telecom().currency}43.20 a month" in mid.words


@pytest.mark.parametrize(
    ("fired", "pinned"),
    [
        ([], ["disclose_recording"]),
        (["account_change"], ["disclose_recording", "verify_identity"]),
        (["accepts_offer"], ["disclose_recording", "state_terms"]),
    ],
)
def test_compliance_is_pinned(fired, pinned):
    assert [prompt.action_id for prompt in decided(*fired, churn_risk=0.0).prompts if prompt.pinned] == pinned


def test_chats_are_not_told_of_a_recording():
    assert decided(channel=Channel.CHAT, churn_risk=0.0).prompts == ()


def _told(names) -> set[str]:
    """The facts that customer events must tell for `names` to be known."""
    told = set()
    for name in names:
        computed = telecom().facts[name].computed
        told |= _told(computed.facts) if computed else {name}
    return told


def test_every_action_can_be_said_on_each_of_its_channels_to_whom_it_is_for():
    for action in telecom().actions:
        known = {name for condition in action.eligible_if for name in condition.facts}
        for channel in action.channels:
            words = [each.words for each in action.treatments if channel in each.channels]
            assert words, (action.id, channel)
            assert _told(words[-1].facts) <= known, (action.id, channel)


def test_selling_stops_where_the_customer_turns():
    for action in telecom().actions:
        if action.kind in (ActionKind.RETENTION, ActionKind.UPSELL, ActionKind.CROSS_SELL):
            assert {"declines_offer", "accepts_offer", "vulnerability"} <= action.retracted_by.keys(), action.id
