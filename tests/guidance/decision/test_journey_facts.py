"""What the journey comes to, in facts: contacts over channels, offers made elsewhere, signs of leaving, what worked."""

import pytest

from builders import at, business_outcome, customer_event, decision, ended, routed, scored, scores, started, turn
from guidance.decision.churn import HALF_LIFE
from guidance.decision.facts import JOURNEY_FACTS, facts_of, is_of_type
from guidance.decision.fold import fold, fold_decision
from guidance.decision.journey_facts import journey_facts
from guidance.decision.past import OFFERS_KEEP_FOR
from guidance.decision.state import CustomerState
from schemas.conversation import Channel, Speaker

DAY = 86_400
PROMPTED = decision()


def told(state: CustomerState, *events) -> CustomerState:
    for number, fields in enumerate(events):
        event = customer_event(**{"event_id": f"e{state.sequence}-{number}", "facts": {}, **fields})
        state = fold(state, event, event.at)
    return state


def calls(state: CustomerState, seconds: float = 0, **fields) -> CustomerState:
    return fold(state, routed(started(at=at(seconds)), **fields), at(seconds))


def says(state: CustomerState, *fired: str, seconds: float = 10, speaker=Speaker.CUSTOMER, churn_risk=0.0):
    of = turn(turn_id=f"t{state.sequence}", started_at=at(seconds), ended_at=at(seconds), speaker=speaker)
    return fold(state, scored(of, scores=scores(*fired, churn_risk=churn_risk)), at(seconds))


def facts(state: CustomerState, seconds: float = 20):
    return facts_of(JOURNEY_FACTS, state, state.live["c1"], at(seconds))


TRIED = (
    {"channel": Channel.CHAT, "kind": "chat.closed", "intents": ("technical_problem",), "at": at(-2 * DAY)},
    {"channel": Channel.EMAIL, "kind": "mail.received", "intents": ("technical_problem",), "at": at(-1 * DAY)},
    {"channel": Channel.IVR, "kind": "selfservice.failed", "at": at(-3 * DAY)},
)


def test_the_third_contact_knows_what_was_tried_before():
    known = facts(says(calls(told(CustomerState(), *TRIED)), "technical_problem"))
    assert known["recent_contacts"] == 3
    assert known["tried_channels"] == ("email", "chat", "ivr")
    assert (known["failed_self_service"], known["repeat_contact"]) == (True, True)


def test_another_problem_is_no_repeat_and_a_solved_one_does_not_count():
    state = told(CustomerState(), *TRIED[:1], {"kind": "case.solved", "intents": ("billing_dispute",), "at": at(-5)})
    known = facts(says(calls(state), "billing_dispute"))
    assert (known["recent_contacts"], known["repeat_contact"], known["failed_self_service"]) == (1, False, False)


def test_the_customer_may_say_that_it_is_a_repeat():
    assert facts(says(calls(CustomerState()), "repeat_contact"))["repeat_contact"] is True


def test_contacts_stop_counting_after_a_fortnight():
    later = 12 * DAY
    known = facts(calls(told(CustomerState(), *TRIED), later), later + 10)
    assert known["tried_channels"] == ("email",)


MAILED = {"kind": "offer.made", "channel": Channel.MAIL, "action_id": "keep", "at": at(-DAY)}


def test_a_mailed_offer_stands_until_it_expires():
    state = calls(told(CustomerState(), MAILED))
    assert state.journey.open_offer("keep", at(0)).channel is Channel.MAIL
    assert facts(state)["open_offers"] == ("keep",)
    assert state.journey.open_offer("keep", at(-DAY) + OFFERS_KEEP_FOR) is None


def test_an_offer_may_say_how_long_it_stands_and_the_customer_is_not_told_by_it():
    state = told(CustomerState(), {**MAILED, "facts": {"offer_valid_days": 2, "plan": "gold"}})
    assert state.journey.open_offer("keep", at(DAY - 1)) is not None
    assert state.journey.open_offer("keep", at(DAY)) is None
    assert state.journey.facts.keys() == {"plan"}


@pytest.mark.parametrize(
    "answer",
    [
        customer_event(event_id="a", kind="offer.declined", action_id="keep", at=at(0), facts={}),
        customer_event(event_id="a", kind="offer.accepted", action_id="keep", at=at(0), facts={}),
        business_outcome(action_id="keep", result="accepted", at=at(0)),
        business_outcome(action_id="keep", result="declined", at=at(0)),
    ],
    ids=lambda event: getattr(event, "kind", None) or event.result,
)
@pytest.mark.parametrize("late", [False, True])
def test_an_answer_closes_the_offer_in_whatever_order_they_come(answer, late):
    offer = customer_event(event_id="m", **{**MAILED, "facts": {}})
    state = CustomerState()
    for event in (answer, offer) if late else (offer, answer):
        state = fold(state, event, at(0))
    assert state.journey.open_offer("keep", at(1)) is None
    anew = told(state, {**MAILED, "at": at(60)})
    assert anew.journey.open_offer("keep", at(61)) is not None


def test_a_yes_to_what_the_agent_proposed_closes_the_offer():
    state = told(CustomerState(), {**MAILED, "action_id": PROMPTED.winner})
    state = says(fold_decision(says(calls(state), "cancel_service"), PROMPTED), "makes_offer", speaker=Speaker.AGENT)
    assert state.journey.open_offer(PROMPTED.winner, at(20)) is not None
    state = says(state, "accepts_offer", seconds=20)
    assert state.journey.open_offer(PROMPTED.winner, at(20)) is None
    assert state.journey.accepted == {PROMPTED.winner: at(20)}


def test_a_yes_to_nothing_that_was_proposed_accepts_nothing():
    state = says(fold_decision(says(calls(CustomerState()), "cancel_service"), PROMPTED), "accepts_offer")
    assert state.journey.accepted == {}


def test_signs_of_leaving_add_up_over_turns_and_channels_and_fade():
    once = says(calls(CustomerState()), churn_risk=1.0)
    twice = says(once, churn_risk=1.0)
    assert facts(once)["journey_churn_risk"] == pytest.approx(1.0, abs=1e-3)
    assert 1.3 < facts(twice)["journey_churn_risk"] < 1.5
    web = {"kind": "page.viewed", "channel": Channel.WEB, "intents": ("cancel_service",), "at": at(0)}
    both = told(once, web)
    assert facts(both)["journey_churn_risk"] == pytest.approx(2 * (1 - 0.5 * 0.4), abs=1e-3)
    only_web = calls(told(CustomerState(), web), 0)
    assert facts(only_web, 0)["journey_churn_risk"] == pytest.approx(1.2, abs=1e-3)
    faded = facts(only_web, HALF_LIFE.total_seconds())["journey_churn_risk"]
    assert faded == pytest.approx(2 * (1 - 0.4**0.5), abs=1e-3)


def test_churn_risk_stays_within_bounds_and_noise_is_no_sign():
    state = calls(CustomerState())
    calm = state
    for _ in range(40):
        state, calm = says(state, churn_risk=2.0), says(calm, churn_risk=0.2)
    assert 1.9 < facts(state)["journey_churn_risk"] <= 2.0
    assert facts(calm)["journey_churn_risk"] == 0.0


def test_a_conversation_that_showed_it_is_remembered_after_it_is_over():
    state = fold(says(says(calls(CustomerState()), churn_risk=1.6), churn_risk=0.0), routed(ended()), at(300))
    assert state.journey.contacts[-1].churn_risk == pytest.approx(1.6, abs=1e-3)
    again = fold(state, routed(started("c2", at=at(400))), at(400))
    known = facts_of(JOURNEY_FACTS, again, again.live["c2"], at(400))
    assert known["journey_churn_risk"] == pytest.approx(1.6, abs=1e-2)


def solved(channel: Channel, problem: str, seconds: float) -> dict:
    return {"kind": "case.solved", "channel": channel, "intents": (problem,), "at": at(seconds)}


def test_the_best_channel_is_where_this_problem_was_solved_else_where_most_was():
    state = told(
        CustomerState(),
        solved(Channel.CHAT, "billing_dispute", -400), solved(Channel.CHAT, "order_status", -300),
        solved(Channel.EMAIL, "technical_problem", -200),
    )  # fmt: skip
    state = calls(state)
    assert facts(says(state, "technical_problem"))["best_channel"] == "email"
    assert facts(says(state, "refund_return"))["best_channel"] == "chat"
    assert facts(state)["best_channel"] == "chat"
    assert "best_channel" not in facts(calls(told(CustomerState(), *TRIED)))


def test_refusals_are_told_for_a_while():
    state = calls(told(CustomerState(), {**MAILED, "kind": "offer.declined"}))
    assert facts(state)["refused_offers"] == ("keep",)
    assert facts(state, 90 * DAY)["refused_offers"] == ()


def test_every_fact_of_the_journey_is_of_its_declared_type():
    state = says(
        calls(told(CustomerState(), *TRIED, MAILED, solved(Channel.CHAT, "order_status", -9))), "refund_return"
    )
    known = facts(state)
    of_journey = journey_facts(state, state.live["c1"], at(20))
    assert "best_channel" in of_journey
    assert of_journey.keys() <= set(known)
    assert all(is_of_type(value, JOURNEY_FACTS[name].type) for name, value in known.items())
