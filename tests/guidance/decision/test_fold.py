"""The fold: what each kind of event leaves behind, and what is forgotten."""

from builders import at, customer_event, decision, ended, outcome, prompt, routed, scored, scores, started, turn
from guidance.decision.advance import closed_how
from guidance.decision.fold import fold, fold_decision
from guidance.decision.past import MOST_CONTACTS, MOST_FACTS
from guidance.decision.state import MOST_LIVE, CustomerState
from schemas.conversation import Channel, ConversationIdentified, ConversationTransferred, Speaker
from schemas.guidance import PromptState


def opened(**fields) -> CustomerState:
    return fold(CustomerState(), routed(**fields), at(0))


def heard(state: CustomerState, *fired: str, speaker: Speaker = Speaker.CUSTOMER, seconds: float = 10, **fields):
    of = turn(turn_id=f"t{state.sequence}", speaker=speaker, started_at=at(seconds - 2), ended_at=at(seconds))
    return fold(state, scored(of, *fired, **fields), at(seconds))


def test_a_conversation_opens_with_who_has_it_and_where_its_desk_records_begin():
    conversation = opened().live["c1"]
    assert (conversation.agent_id, conversation.customer_id, conversation.customer_name) == ("ada", "dana", "Dana W.")
    assert [(span.agent_id, span.since) for span in conversation.spans] == [("ada", at(0))]


def test_a_conversation_that_was_never_seen_opens_with_its_first_turn():
    assert heard(CustomerState()).live["c1"].turns == 1


def test_a_transfer_begins_another_span():
    moved = ConversationTransferred(event_id="e", conversation_id="c1", at=at(50), agent_id="ben", team="chat")
    conversation = fold(opened(), routed(moved, agent_id="ben", team="chat"), at(50)).live["c1"]
    assert (conversation.agent_id, conversation.team) == ("ben", "chat")
    assert [span.agent_id for span in conversation.spans] == ["ada", "ben"]


def test_identification_keeps_the_name_that_was_known():
    known = ConversationIdentified(event_id="e", conversation_id="c1", at=at(5), customer_id="dana")
    assert fold(opened(), routed(known), at(5)).live["c1"].customer_name == "Dana W."


def test_partials_and_prompts_merely_shown_change_nothing():
    state = opened()
    assert fold(state, scored(turn(is_final=False)), at(9)) is state
    assert fold(state, outcome(PromptState.SHOWN), at(9)) is state


def test_churn_risk_rises_at_once_and_fades():
    state = heard(opened(), scores=scores(churn_risk=2.0))
    assert state.live["c1"].churn_risk == 2.0
    assert heard(state, scores=scores(churn_risk=0.0)).live["c1"].churn_risk == 1.6


def test_a_label_is_remembered_for_as_many_turns_as_one_asks():
    state = heard(heard(opened(), "cancel_service"), speaker=Speaker.AGENT)
    assert state.live["c1"].heard_within("cancel_service", 1) is None
    assert state.live["c1"].heard_within("cancel_service", 2) == 0.9


def test_an_ended_conversation_is_a_contact_and_takes_nothing_more():
    state = fold(heard(opened(), "technical_problem"), routed(ended()), at(300))
    assert state.live == {}
    (contact,) = state.journey.contacts
    assert (contact.contact_id, contact.problems, contact.solved) == ("c1", ("technical_problem",), False)
    assert heard(state, seconds=310).live == {}


def test_a_contact_is_solved_where_the_customer_agreed_last_or_the_disposition_says_so():
    agreed = heard(heard(opened(), "technical_problem"), "accepts_offer")
    assert fold(agreed, routed(ended()), at(300)).journey.contacts[0].solved
    again = heard(agreed, "technical_problem")
    assert not fold(again, routed(ended()), at(300)).journey.contacts[0].solved
    assert fold(again, routed(ended(disposition="Resolved")), at(300)).journey.contacts[0].solved


def test_a_no_refuses_what_the_agent_last_proposed_on_whatever_channel():
    state = fold_decision(opened(), decision())
    state = heard(state, "makes_offer", speaker=Speaker.AGENT)
    refused = heard(state, "declines_offer", seconds=30)
    assert refused.journey.refusals["keep_loyalty_discount"].channel is Channel.VOICE
    assert refused.live["c1"].proposed is None


def test_a_no_without_anything_proposed_refuses_nothing():
    assert heard(opened(), "declines_offer").journey.refusals == {}


def test_offers_made_and_declined_elsewhere_are_remembered():
    made = customer_event(kind="offer.made", action_id="keep", at=at(5))
    declined = customer_event(kind="offer.declined", action_id="keep", at=at(6), channel=Channel.EMAIL)
    journey = fold(fold(CustomerState(), made, at(5)), declined, at(6)).journey
    assert journey.last_issued == {"keep": at(5)}
    assert journey.refusals["keep"].channel is Channel.EMAIL


def test_a_late_event_does_not_undo_a_newer_fact():
    newer = fold(CustomerState(), customer_event(at=at(10), facts={"plan": "new"}), at(10))
    late = fold(newer, customer_event(at=at(5), facts={"plan": "old", "tenure_months": 3}), at(11))
    assert {name: known.value for name, known in late.journey.facts.items()} == {"plan": "new", "tenure_months": 3}


def test_the_crm_can_say_that_somebody_is_no_longer_vulnerable():
    state = heard(opened(), "vulnerability")
    assert state.journey.is_vulnerable(at(86_400))
    assert not state.journey.is_vulnerable(at(31 * 86_400))
    told = customer_event(facts={"vulnerable": False}, at=at(20))
    assert not fold(state, told, at(20)).journey.is_vulnerable(at(30))


def test_a_late_crm_event_does_not_undo_what_was_heard_since():
    state = heard(opened(), "vulnerability")
    late = customer_event(facts={"vulnerable": False}, at=at(-3600))
    assert fold(state, late, at(20)).journey.is_vulnerable(at(30))


def test_a_dismissal_outlives_its_conversation():
    state = fold(fold_decision(opened(), decision()), outcome(PromptState.DISMISSED), at(20))
    assert [each.action_id for each in state.journey.dismissals] == ["keep_loyalty_discount"]
    assert state.live["c1"].settled == ("keep_loyalty_discount",)


def test_a_decision_puts_its_prompts_on_the_desk_and_counts_them():
    pinned = prompt("disclose_recording", pinned=True)
    state = fold_decision(opened(), decision(prompts=(prompt(), pinned)))
    conversation = state.live["c1"]
    assert conversation.live is not None
    assert (conversation.live.prompt, conversation.live.priority) == (prompt(), 38.4)
    assert conversation.pinned == (pinned,)
    assert conversation.issued == {"keep_loyalty_discount": 1}
    assert state.journey.last_issued == {"keep_loyalty_discount": at(10)}


def test_one_conversation_too_many_closes_the_quietest():
    state = CustomerState()
    for number in range(MOST_LIVE + 1):
        before = state
        state = fold(state, routed(started(f"c{number}")), at(number))
    assert "c0" not in state.live
    assert len(state.live) == MOST_LIVE
    assert closed_how(before, state, "c0") == "idle"


def test_the_oldest_is_forgotten():
    state = CustomerState()
    for number in range(60):
        told = customer_event(facts={f"fact_{number}": "x" * 90}, intents=("billing_dispute",), event_id=f"e{number}")
        state = fold(state, told.model_copy(update={"at": at(number)}), at(number))
    assert len(state.journey.facts) == MOST_FACTS
    assert "fact_59" in state.journey.facts
    assert [contact.contact_id for contact in state.journey.contacts][-1] == "e59"
    assert len(state.journey.contacts) == MOST_CONTACTS


def test_a_fact_too_long_to_keep_is_not_kept():
    assert fold(CustomerState(), customer_event(facts={"plan": "x" * 500}), at(0)).journey.facts == {}


def test_what_is_written_is_read_again():
    state = fold_decision(heard(opened(), "cancel_service"), decision())
    assert CustomerState.read(state.write()) == state
    assert CustomerState.read(None) == CustomerState()
