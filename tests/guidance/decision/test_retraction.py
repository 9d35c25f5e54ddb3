"""What takes a prompt back: the customer declines, turns, agrees or is served; facts change; something is better."""

import pytest

from builders import customer_event
from guidance.decision.rules import Rules
from schemas.conversation import Channel
from schemas.guidance import PromptState
from small_catalog import changed
from talking import Conversation, endings, richer


def prompted(action_id: str, *fired: str, rules: Rules | None = None, text: str = "…", **fields) -> Conversation:
    dana = Conversation(rules or richer(), **fields)
    dana.hears(10, *fired, text=text)
    assert dana.live.action_id == action_id
    return dana


def test_a_no_to_it_takes_it_back_even_where_the_catalogue_does_not_say_so():
    dana = prompted("credit", "technical_problem")
    assert endings(dana.hears(20, "declines_offer")) == [("credit", "retracted", "said no")]


def test_a_no_on_another_channel_takes_it_back_from_the_desk():
    dana = prompted("keep", "cancel_service")
    no = customer_event(event_id="e2", kind="offer.declined", action_id="keep", channel=Channel.WEB, facts={})
    assert endings(dana.tell(no, 20)) == []
    late = no.model_copy(update={"event_id": "e3", "at": dana.live.created_at})
    assert endings(dana.tell(late, 21)) == [("keep", "retracted", "said no")]


def test_what_the_catalogue_says_makes_it_pointless():
    rules = Rules(changed(("defaults:\n", "defaults:\n  coaching: {retracted_by: {gratitude: calm again}}\n")))
    dana = prompted("calm", "escalation", rules=rules)
    assert endings(dana.hears(20, "gratitude")) == [("calm", "retracted", "calm again")]


def test_who_wants_more_is_not_kept_from_leaving():
    dana = prompted("keep", "cancel_service")
    assert endings(dana.hears(20, "upgrade_interest")) == [("keep", "retracted", "changed their mind")]
    assert dana.live.action_id == "faster", "and what they want now is prompted"


def test_who_wants_both_is_still_kept_from_leaving():
    dana = prompted("keep", "cancel_service")
    assert endings(dana.hears(20, "upgrade_interest", "price_complaint")) == []


def test_who_wants_to_leave_is_sold_nothing():
    dana = prompted("faster", "upgrade_interest")
    assert endings(dana.hears(20, "cancel_service")) == [("faster", "retracted", "changed their mind")]


def test_a_yes_to_another_of_its_kind_meets_the_need():
    dana = prompted("credit", "technical_problem")
    dana.answers(12, PromptState.ACCEPTED)
    dana.hears(14, text="can you not send somebody?")
    assert dana.live.action_id == "engineer"
    assert endings(dana.hears(20, "accepts_offer")) == [("engineer", "retracted", "agreed already")]


def test_a_yes_to_something_of_another_kind_meets_another_need():
    dana = prompted("credit", "technical_problem")
    dana.answers(12, PromptState.ACCEPTED)
    dana.hears(14, "escalation")
    assert endings(dana.hears(20, "accepts_offer")) == []
    assert dana.live.action_id == "calm"


def test_thanks_and_goodbye_settle_it_all_but_not_a_problem_that_goes_on():
    dana = prompted("credit", "technical_problem")
    assert endings(dana.hears(20, "gratitude", "closing", "technical_problem")) == []
    assert endings(dana.hears(30, "gratitude")) == []
    assert endings(dana.hears(40, "gratitude", "closing")) == [("credit", "retracted", "all is settled")]


def test_a_newer_fact_that_makes_it_ineligible_takes_it_back():
    dana = prompted("faster", "upgrade_interest")
    same = customer_event(event_id="e2", facts={"products": ("fibre",)})
    assert endings(dana.tell(same, 15)) == []
    gone = customer_event(event_id="e3", facts={"products": ("tv",)})
    assert endings(dana.tell(gone, 20)) == [("faster", "retracted", "no longer fits")]


def test_a_condition_of_the_moment_takes_nothing_back_when_the_moment_is_over():
    rules = Rules(changed(("eligible_if: [tenure_months >= 12]", "eligible_if: [turns <= 1, churn_risk >= 1]")))
    dana = Conversation(rules)
    dana.hears(10, "cancel_service", churn_risk=1.8)
    assert dana.live.action_id == "keep"
    assert endings(dana.hears(20)) == endings(dana.hears(22)) == endings(dana.hears(24)) == []


def test_nothing_stays_for_sale_once_the_crm_says_that_they_are_vulnerable():
    dana = prompted("keep", "cancel_service")
    told = customer_event(event_id="e2", facts={"vulnerable": True})
    assert endings(dana.tell(told, 20)) == [("keep", "retracted", "not the moment")]


def test_something_clearly_better_takes_its_place():
    dana = prompted("keep", "cancel_service")
    assert endings(dana.hears(20, "escalation")) == [("keep", "superseded", "something better")]


def test_its_time_runs_out():
    dana = prompted("keep", "cancel_service")
    assert endings(dana.tick(69)) == []
    assert endings(dana.tick(70)) == [("keep", "expired", "out of date")]


@pytest.mark.parametrize("fired", [("declines_offer",), ("upgrade_interest",), ("gratitude", "closing")])
def test_compliance_is_taken_back_by_nothing_that_the_customer_says(fired):
    dana = prompted("keep", "cancel_service")
    dana.hears(20, *fired)
    assert [prompt.action_id for prompt in dana.now.pinned] == ["record"]
