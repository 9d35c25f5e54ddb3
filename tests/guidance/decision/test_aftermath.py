"""What a conversation leaves when it is over: a question to its agent, then what the CRM is to take up, each once."""

from datetime import timedelta

import pytest

from builders import at, business_outcome, customer_event, ended, outcome, routed, started, wrap_up
from guidance.decision.advance import deadline
from guidance.decision.promise import promised_by
from schemas.conversation import Channel
from schemas.guidance import PromptState
from schemas.outcomes import DismissReason, Disposition
from small_catalog import changed
from talking import FACTS, Conversation, richer


def told(advanced) -> dict[str, str]:
    """By kind, what the CRM was told."""
    return {each.kind: each.summary for each in advanced.crm_actions}


def end(dana: Conversation, seconds: float = 300, disposition: str | None = None):
    return dana.tell(routed(ended(disposition=disposition), **dana.route), seconds)


# The question


def test_the_agent_is_asked_what_came_of_the_offers_they_took():
    dana = Conversation(richer())
    dana.hears(10, "cancel_service")
    keep = dana.live
    dana.answers(12, PromptState.ACCEPTED)
    over = end(dana)
    [question] = over.questions
    assert (question.agent_id, question.conversation_id, question.ask_disposition) == ("ada", "c1", True)
    [offer] = question.offers
    assert (offer.prompt_id, offer.decision_id, offer.title) == (keep.prompt_id, keep.decision_id, "Keep them")
    assert question.until == at(300) + timedelta(minutes=3) == deadline(dana.state, dana.rules.catalog)
    assert over.crm_actions == (), "not before the agent has answered"


def test_nothing_is_asked_where_all_is_known():
    dana = Conversation(richer())
    dana.hears(10, "cancel_service")
    dana.answers(12, PromptState.ACCEPTED)
    dana.hears(20, "accepts_offer")
    assert end(dana).questions == ()
    assert dana.state.unanswered == {}


def test_nothing_is_asked_of_offers_that_were_waved_away_nor_of_compliance():
    dana = Conversation(richer())
    dana.hears(10, "cancel_service")
    record = dana.now.pinned[0]
    dana.answers(11, PromptState.DISMISSED)
    dana.answers(12, PromptState.ACCEPTED, record)
    assert end(dana).questions == ()


def test_a_disposition_that_is_known_is_not_asked():
    dana = Conversation(richer())
    dana.hears(10, "cancel_service")
    dana.answers(12, PromptState.ACCEPTED)
    assert [each.ask_disposition for each in end(dana, disposition="saved").questions] == [False]


def test_who_falls_silent_is_asked_about_too():
    dana = Conversation(richer())
    dana.hears(10, "cancel_service")
    dana.answers(12, PromptState.ACCEPTED)
    assert dana.tick(1809).questions == ()
    assert [each.agent_id for each in dana.tick(1812).questions] == ["ada"]


def test_the_answer_settles_it_and_the_crm_is_told_once():
    dana = Conversation(richer())
    dana.hears(10, "cancel_service", churn_risk=1.8)
    dana.answers(12, PromptState.ACCEPTED)
    end(dana)
    yes = business_outcome(action_id="keep", outcome_id="a", result="accepted")
    assert told(dana.tell(yes, 320)) == {}
    assert told(dana.tell(wrap_up(), 330)) == {}, "accepted: neither a lead nor a flag"
    assert dana.state.unanswered == {}
    assert told(dana.tick(900)) == {}


def test_a_no_makes_no_lead_but_a_flag():
    dana = Conversation(richer())
    dana.hears(10, "cancel_service", churn_risk=1.8)
    dana.answers(12, PromptState.ACCEPTED)
    end(dana)
    dana.tell(business_outcome(action_id="keep", outcome_id="a", result="declined"), 320)
    assert told(dana.tell(wrap_up(), 330)) == {
        "churn_flag": "May leave: churn risk 1.8 of 2 on voice, no retention offer accepted."
    }


def test_an_agent_who_does_not_answer_is_waited_for_so_long():
    dana = Conversation(richer())
    dana.hears(10, "cancel_service")
    dana.answers(12, PromptState.ACCEPTED)
    end(dana)
    assert told(dana.tick(479)) == {}
    assert told(dana.tick(480)) == {"lead": "Keep them: called for on voice, nothing was agreed."}
    assert told(dana.tell(wrap_up(disposition=Disposition.SOLVED), 500)) == {}
    assert dana.state.unanswered == {}


@pytest.mark.parametrize(("disposition", "solved"), [(Disposition.SOLVED, True), (Disposition.UNSOLVED, False)])
def test_how_it_ended_is_kept_in_the_journey(disposition, solved):
    dana = Conversation(richer())
    dana.hears(10, "technical_problem")
    dana.answers(12, PromptState.ACCEPTED)
    end(dana)
    over = dana.tell(wrap_up(disposition=disposition), 330)
    assert dana.state.journey.contact("c1").solved is solved
    assert ("follow_up" in told(over)) is not solved


# Leads


def test_an_offer_whose_time_ran_out_is_a_lead():
    dana = Conversation(richer())
    dana.hears(10, "upgrade_interest")
    dana.tick(70)
    [lead] = end(dana).crm_actions
    assert (lead.kind, lead.action_id, lead.customer_id, lead.conversation_id) == ("lead", "faster", "dana", "c1")
    assert lead.summary == "Faster line: called for on voice, nothing was agreed."


def test_an_offer_that_nobody_was_there_to_make_is_a_lead():
    dana = Conversation(richer(), agent_id=None)
    dana.hears(10, "upgrade_interest")
    assert told(end(dana)) == {"lead": "Faster line: called for on voice, nothing was agreed."}


def test_of_several_the_one_worth_most_is_the_lead():
    dana = Conversation(richer())
    dana.hears(10, "price_complaint", "cancel_service")
    dana.hears(100, "upgrade_interest")
    assert [each.action_id for each in end(dana).crm_actions if each.kind == "lead"] == ["faster"]


def _refused(dana):
    dana.hears(20, "declines_offer")


def _agreed(dana):
    dana.answers(12, PromptState.ACCEPTED)
    dana.hears(20, "accepts_offer")


def _consent_withheld(dana):
    dana.tell(customer_event(event_id="e2", facts={"consent_marketing": False}), 20)


def _vulnerable(dana):
    dana.hears(20, "vulnerability")


def _unfit(dana):
    dana.answers(12, PromptState.DISMISSED, reason=DismissReason.NOT_SUITABLE)


def _misheard(dana):
    dana.answers(12, PromptState.DISMISSED, reason=DismissReason.WRONG_INTENT)


@pytest.mark.parametrize("then", [_refused, _agreed, _consent_withheld, _vulnerable, _unfit, _misheard])
def test_what_was_settled_or_must_not_be_sold_is_no_lead(then):
    dana = Conversation(richer())
    dana.hears(10, "upgrade_interest")
    assert dana.live.action_id == "faster"
    then(dana)
    assert "lead" not in told(end(dana))


def test_not_now_is_a_lead():
    dana = Conversation(richer())
    dana.hears(10, "upgrade_interest")
    dana.answers(12, PromptState.DISMISSED, reason=DismissReason.NOT_NOW)
    assert "lead" in told(end(dana))


# Churn flags, follow-ups, advice


def test_high_churn_risk_is_flagged_even_if_it_faded_in_the_end():
    dana = Conversation(richer())
    dana.hears(10, churn_risk=1.6)
    dana.hears(20, churn_risk=0.0)
    dana.hears(30, churn_risk=0.0)
    [flag] = end(dana).crm_actions
    assert (flag.kind, flag.churn_risk) == ("churn_flag", 1.6)


def test_some_churn_risk_is_not_flagged():
    dana = Conversation(richer())
    dana.hears(10, churn_risk=1.3)
    assert told(end(dana)) == {}


def test_an_unsolved_problem_is_followed_up_a_day_later():
    dana = Conversation(richer())
    dana.hears(10, "technical_problem", "repeat_contact")
    [action] = end(dana).crm_actions
    assert (action.kind, action.summary, action.due_at) == (
        "follow_up", "Unsolved: technical problem.", at(300) + timedelta(hours=24),
    )  # fmt: skip


@pytest.mark.parametrize("well", [("gratitude",), ("accepts_offer",)])
def test_a_problem_that_ended_well_is_not_followed_up(well):
    dana = Conversation(richer())
    dana.hears(10, "technical_problem")
    dana.hears(20, *well)
    assert told(end(dana)) == {}


def test_a_disposition_says_that_it_is_solved():
    dana = Conversation(richer())
    dana.hears(10, "technical_problem")
    assert told(end(dana, disposition="resolved")) == {}


def test_a_promise_is_followed_up_when_it_is_due():
    dana = Conversation(richer())
    dana.says(10, text="I'll call you back today, I promise.")
    [action] = end(dana).crm_actions
    assert action.summary == "The agent promised to come back to them."
    assert action.due_at == at(10) + timedelta(hours=8)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("I'll call you back today.", 8),
        ("we will get back to you within the hour", 1),
        ("i'll personally ring you this afternoon", 8),
        ("I’ll message you tomorrow when it's done", 24),
        ("I'm going to write you this week", 72),
        ("we'll text you", 24),
        ("I'll call the engineer for you", None),
        ("did somebody call you back?", None),
        ("I called you back yesterday", None),
        ("you can call us back today", None),
    ],
)
def test_what_promises_and_what_does_not(text, hours):
    assert promised_by(text, at(0)) == (None if hours is None else at(0) + timedelta(hours=hours))


def test_where_matters_were_solved_is_where_they_are_best_met_and_that_is_said_once():
    dana = Conversation(richer())
    for number, channel in enumerate((Channel.CHAT, Channel.CHAT, Channel.EMAIL)):
        dana.tell(
            customer_event(
                event_id=f"k{number}", kind="ticket.solved" if channel is Channel.CHAT else "ticket.opened",
                channel=channel, intents=("technical_problem",), facts={},
            ),
            1,
        )  # fmt: skip
    [advice] = end(dana).crm_actions
    assert (advice.kind, advice.channel) == ("channel_advice", Channel.CHAT)
    dana.tell(routed(started("c2", at=at(400))), 400)
    assert told(dana.tell(routed(ended("c2")), 500)) == {}


def test_too_few_contacts_tell_nothing():
    dana = Conversation(richer())
    dana.tell(customer_event(event_id="k", kind="ticket.solved", intents=("technical_problem",), facts={}), 1)
    assert told(end(dana)) == {}


# Once, and of whom


def test_an_anonymous_conversation_leaves_nothing():
    dana = Conversation(richer(), facts=None, customer_id=None)
    dana.hears(10, "technical_problem", churn_risk=2.0)
    assert end(dana).crm_actions == ()


def test_a_conversation_that_fell_silent_and_went_on_is_told_of_once():
    dana = Conversation(richer())
    dana.hears(10, "technical_problem", churn_risk=2.0)
    assert set(told(dana.tick(1811))) == {"churn_flag", "follow_up"}
    dana.hears(2000, "technical_problem", churn_risk=2.0)
    assert told(end(dana, 2100)) == {}


def test_ids_come_from_customer_conversation_and_kind_alone():
    first, second = Conversation(richer()), Conversation(richer())
    first.hears(10, churn_risk=2.0)
    second.hears(11, churn_risk=1.5)
    ids = {end(each, seconds).crm_actions[0].crm_action_id for each, seconds in ((first, 300), (second, 310))}
    assert len(ids) == 1


def test_no_more_than_so_many_are_waited_for_and_the_oldest_is_told_of():
    rules = richer()
    dana = Conversation(type(rules)(changed(("cooldown_minutes: 10", "cooldown_minutes: 0"))), facts=FACTS)
    for number in range(9):
        name, seconds = f"d{number}", 10 + 10 * number
        dana.tell(routed(started(name)), seconds)
        [keep, *_] = dana.hears(seconds + 2, "cancel_service", conversation_id=name).decision.prompts
        told_outcome = outcome(
            outcome_id=f"{name}-accepted", prompt_id=keep.prompt_id, decision_id=keep.decision_id, action_id="keep",
            conversation_id=name, at=at(seconds + 3),
        )  # fmt: skip
        dana.tell(told_outcome, seconds + 3)
        over = dana.tell(routed(ended(name)), seconds + 4)
        assert [each.conversation_id for each in over.questions] == [name]
    assert list(dana.state.unanswered) == [f"d{number}" for number in range(1, 9)]
    assert [(each.kind, each.conversation_id) for each in over.crm_actions] == [("lead", "d0")]
