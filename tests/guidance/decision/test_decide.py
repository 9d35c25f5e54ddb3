"""The decision: who wins, who loses to whom, who is kept back, and why."""

from datetime import timedelta

import pytest

from builders import at, customer_event, ended, outcome, posterior, routed, scored, scores, started, turn
from guidance.decision.advance import advance, deadline
from guidance.decision.arbitration import Levers
from guidance.decision.features import FEATURES_REVISION, prior_covariance, prior_mean
from guidance.decision.propensity import Propensities
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState
from schemas.conversation import Channel, Speaker
from schemas.guidance import Fate, PromptState, ServiceLevel, Tick
from schemas.outcomes import DismissReason, outcome_id_of
from small_catalog import changed, small

FACTS = {"tenure_months": 74, "monthly_bill": 48.0, "products": ("fibre", "tv")}


class Talk:
    """One customer's conversation, told turn by turn."""

    def __init__(self, catalog=None, facts=FACTS, **route):
        self.catalog = catalog or small()
        self.route = route
        self.state = CustomerState()
        if facts:
            self.tell(customer_event(facts=facts), 0)
        self.tell(routed(started(**{k: v for k, v in route.items() if k == "channel"}), **route), 0)

    def tell(self, event, seconds, **more):
        result = advance(self.state, event, Rules(self.catalog, **more), partition=3, now=at(seconds))
        self.state = result.state
        return result

    def says(self, seconds, *fired, text="…", speaker=Speaker.CUSTOMER, late_s=0, more=None, **fields):
        conversation_id = fields.pop("conversation_id", "c1")
        of = turn(
            text,
            f"t{seconds}",
            conversation_id=conversation_id,
            speaker=speaker,
            started_at=at(seconds - 2),
            ended_at=at(seconds),
        )
        fields = {"scores": scores(*fired), **self.route, **fields}
        return self.tell(scored(of, **fields), seconds + late_s, **(more or {})).decision

    @property
    def live(self):
        live = self.state.live["c1"].live
        return None if live is None else live.prompt

    def outcome(self, state, seconds, prompt, **fields):
        told = outcome(
            state, outcome_id=outcome_id_of(prompt.prompt_id, state), prompt_id=prompt.prompt_id,
            action_id=prompt.action_id, at=at(seconds), **fields,
        )  # fmt: skip
        return self.tell(told, seconds)


def fates(decision):
    return {candidate.action_id: candidate.fate for candidate in decision.candidates}


def reason(decision, action_id):
    return next(candidate.reason for candidate in decision.candidates if candidate.action_id == action_id)


def test_the_highest_priority_wins_and_every_action_is_explained():
    decision = Talk().says(10, "cancel_service", scores=scores("cancel_service", churn_risk=2.0))
    assert [each.action_id for each in decision.candidates] == ["keep", "review", "calm", "record"]
    assert fates(decision) == {
        "keep": Fate.WON, "review": Fate.LOST, "calm": Fate.NOT_TRIGGERED, "record": Fate.PINNED,
    }  # fmt: skip
    won = decision.candidates[0]
    assert (won.propensity, won.context_weight, won.value, won.lever) == (0.45, 1.5, 80.0, 1.0)
    assert won.priority == pytest.approx(0.9 * 0.5 * 1.5 * 80)
    assert reason(decision, "keep") == "won: 54.00 over review 27.00"
    assert reason(decision, "review") == "lost to keep 54.00 with 27.00"
    assert decision.winner == "keep"
    assert [prompt.action_id for prompt in decision.prompts] == ["keep", "record"]


def test_a_prompt_says_the_facts_and_why():
    prompt = Talk().says(10, "cancel_service").prompts[0]
    assert prompt.words == "I can bring your $48 down."
    assert prompt.steps == ("On fibre and tv", "Say thanks")
    assert prompt.why == ("wants to leave", "6 yrs a customer")
    assert (prompt.agent_id, prompt.turn_id, prompt.expires_at) == ("ada", "t10", at(70))


def test_ids_come_from_the_input_alone():
    decision = Talk().says(10, "cancel_service")
    assert decision.decision_id.startswith(f"003-{round(at(10).timestamp() * 1000)}-")
    assert decision.prompts[0].prompt_id == f"{decision.decision_id}.keep"
    assert Talk().says(10, "escalation").decision_id == decision.decision_id


def test_a_missing_fact_makes_ineligible_and_words_without_it_are_found():
    decision = Talk(facts={"tenure_months": 20}).says(10, "cancel_service")
    assert decision.prompts[0].words == "I can bring your bill down."
    decision = Talk(facts=None).says(10, "cancel_service")
    assert reason(decision, "keep") == "not eligible: tenure_months is not known"
    assert decision.winner == "review"
    assert reason(Talk(facts={"tenure_months": 3}).says(10, "cancel_service"), "keep") == (
        "not eligible: needs tenure_months >= 12 (tenure_months is 3)"
    )
    assert reason(Talk(facts={"tenure_months": "long"}).says(10, "cancel_service"), "keep") == (
        "not eligible: tenure_months is not known"
    )


def test_words_that_need_a_fact_and_have_no_other_make_ineligible():
    catalog = changed(("\n      - {channels: [voice], words: I can bring your bill down.}", ""))
    decision = Talk(catalog, facts={"tenure_months": 20}).says(10, "cancel_service")
    assert reason(decision, "keep") == "needs monthly_bill for its words"
    assert fates(decision)["keep"] is Fate.INELIGIBLE


def test_there_must_be_words_for_channel_and_language():
    chat = Talk(channel=Channel.CHAT).says(10, "cancel_service")
    assert reason(chat, "keep") == "no words for chat in en"
    assert reason(chat, "record") == "not on chat"
    assert Talk(language="de-AT").says(10, "cancel_service").winner is None
    assert Talk(language="en-GB").says(10, "cancel_service").winner == "keep"


def test_nothing_is_prompted_while_nobody_has_the_conversation():
    talk = Talk(agent_id=None)
    decision = talk.says(10, "cancel_service")
    assert decision.prompts == ()
    assert reason(decision, "record") == reason(decision, "keep") == "nobody has the conversation"


def test_one_prompt_is_live_and_gives_way_only_to_a_clearly_better_one():
    talk = Talk()
    talk.says(10, "cancel_service")
    first = talk.live
    second = talk.says(15, text="just close my account", scores=scores())
    assert (second.winner, second.endings, talk.live) == (None, (), first)
    assert reason(second, "review") == "lost to the live keep 36.00 with 30.00"
    third = talk.says(20, "escalation")
    assert third.winner == "calm"
    assert [(end.prompt_id, end.state) for end in third.endings] == [(first.prompt_id, PromptState.SUPERSEDED)]
    assert talk.live.action_id == "calm"


def test_what_was_prompted_cools_down_and_comes_back():
    talk = Talk()
    talk.says(10, "cancel_service")
    assert reason(talk.says(80, "cancel_service"), "keep") == "cooling down until 05 Jan 09:10"
    assert talk.says(700, "cancel_service").winner == "keep"


def test_no_more_than_so_many_in_a_conversation():
    talk = Talk()
    wins = [talk.says(10 + 700 * number, "cancel_service").winner for number in range(5)]
    assert wins == ["keep", "review", "keep", "review", None]


def test_dismissed_twice_it_rests_in_other_conversations_too():
    talk = Talk(changed(("cooldown_minutes: 10", "cooldown_minutes: 0"), ("value: 100", "value: 300")))
    for seconds in (10, 30):
        talk.says(seconds, "cancel_service")
        assert talk.live.action_id == "keep"
        ending = talk.outcome(PromptState.DISMISSED, seconds + 5, talk.live, reason=DismissReason.NOT_SUITABLE).endings
        assert [(each.state, each.reason) for _, each in ending] == [(PromptState.DISMISSED, "not suitable")]
    elsewhere = talk.says(60, "cancel_service", conversation_id="c2")
    assert reason(elsewhere, "keep") == "dismissed 2× within 7 days"
    later = 8 * 86_400
    assert talk.says(later, "cancel_service", conversation_id="c3").winner == "keep"


def test_refused_in_chat_is_not_offered_on_the_phone():
    talk = Talk()
    talk.tell(customer_event(event_id="e2", kind="offer.declined", action_id="keep", channel=Channel.CHAT, facts={}), 5)
    assert reason(talk.says(10, "cancel_service"), "keep") == "refused on chat, 05 Jan 09:00"


def test_nothing_is_sold_to_the_vulnerable_but_they_are_cared_for():
    decision = Talk().says(10, "cancel_service", "vulnerability", "escalation")
    assert reason(decision, "keep") == reason(decision, "review") == "vulnerable: nothing is sold"
    assert decision.winner == "calm"


def test_a_no_retracts_the_prompt_and_refuses_the_action():
    talk = Talk()
    talk.says(10, "cancel_service")
    decision = talk.says(20, "declines_offer", "cancel_service")
    assert [(end.action_id, end.state, end.reason) for end in decision.endings] == [
        ("keep", PromptState.RETRACTED, "said no")
    ]
    assert reason(decision, "keep") == "just ended: said no"
    assert "keep" in talk.state.journey.refusals


def test_compliance_is_pinned_until_the_agent_says_it_and_then_never_again():
    talk = Talk()
    first = talk.says(10)
    assert [prompt.pinned for prompt in first.prompts] == [True]
    assert reason(talk.says(12), "record") == "on the desk already"
    said = talk.says(14, "discloses_recording", speaker=Speaker.AGENT)
    assert [end.state for end in said.endings] == [PromptState.FULFILLED]
    assert fates(talk.says(16))["record"] is Fate.NOT_TRIGGERED
    assert talk.state.live["c1"].pinned == ()


def test_a_turn_that_comes_late_prompts_nothing():
    decision = Talk().says(10, "cancel_service", late_s=60)
    assert reason(decision, "keep") == "expired: the turn ended 60 s ago, it keeps for 60 s"
    assert [prompt.action_id for prompt in decision.prompts] == ["record"]


def test_without_scores_phrases_and_facts_still_call():
    decision = Talk().says(10, text="I want to Close  my account!", scores=None)
    assert decision.winner == "review"
    assert decision.service_level is ServiceLevel.RULES_ONLY
    assert decision.versions.model is None
    assert Talk().says(10, text="close my accounts", scores=None).winner is None


def test_an_agent_turn_has_a_decision_too():
    assert Talk().says(10, speaker=Speaker.AGENT) is not None


def test_levers_and_learned_propensities_change_who_wins_and_are_named():
    levers = Levers("l1", by_action={"review": 3.0}, by_kind={"retention": 0.5})
    decision = Talk().says(10, "cancel_service", more={"levers": levers})
    assert (decision.winner, decision.versions.levers) == ("review", "l1")
    hopeless = posterior(
        action_id="keep", version=3, features_revision=FEATURES_REVISION, mean=(-5.0, *prior_mean(0.5)[1:]),
        covariance=prior_covariance(),
    )  # fmt: skip
    learned = Propensities.of([hopeless])
    decision = Talk().says(10, "cancel_service", more={"propensities": learned})
    assert (decision.winner, decision.versions.propensities) == ("review", learned.version)
    assert {each.action_id: each.posterior for each in decision.candidates} == {
        "review": None, "keep": "keep@3", "calm": None, "record": None,
    }  # fmt: skip


def test_ticks_expire_prompts_and_close_what_has_fallen_silent():
    talk = Talk()
    talk.says(10, "cancel_service")
    keep = talk.live
    assert deadline(talk.state, talk.catalog) == at(70)
    assert talk.tell(Tick(at=at(69)), 69).endings == ()
    assert [(prompt, end.state) for prompt, end in talk.tell(Tick(at=at(70)), 70).endings] == [
        (keep, PromptState.EXPIRED)
    ]
    talk.tell(Tick(at=at(700)), 700)
    assert deadline(talk.state, talk.catalog) == at(10) + timedelta(minutes=30)
    talk.tell(Tick(at=at(1810)), 1810)
    assert talk.state.live == {}
    settled_at = at(1810) + timedelta(hours=24)
    assert deadline(talk.state, talk.catalog) == settled_at
    talk.tell(Tick(at=settled_at), 1810 + 86_400)
    assert deadline(talk.state, talk.catalog) is None


def test_a_transfer_takes_the_prompts_from_the_old_desk():
    talk = Talk()
    talk.says(10, "cancel_service")
    talk.route = {"agent_id": "ben"}
    decision = talk.says(12)
    assert {(end.action_id, end.reason) for end in decision.endings} == {
        ("keep", "handed over"),
        ("record", "handed over"),
    }


def test_a_turn_after_the_end_is_decided_and_prompts_nothing():
    talk = Talk()
    talk.tell(routed(ended()), 20)
    decision = talk.says(22, "cancel_service")
    assert {each.reason for each in decision.candidates} == {"the conversation is over"}
    assert decision.prompts == ()


def test_what_has_not_been_said_calls_for_a_line_from_its_turn_on():
    catalog = changed(
        ("{when: turns >= 1, why: must be said first}", "{absent: states_terms, after_turns: 3, why: late}")
    )
    talk = Talk(catalog)
    assert [len(talk.says(seconds, speaker=Speaker.AGENT).prompts) for seconds in (10, 20, 30)] == [0, 0, 1]
    talk = Talk(catalog)
    talk.says(10, "states_terms", speaker=Speaker.AGENT)
    assert [len(talk.says(seconds).prompts) for seconds in (20, 30, 40)] == [0, 0, 0]


def test_without_a_model_absence_proves_nothing_but_compliance_is_called_for_all_the_same():
    absent = "{absent: apologises, why: not said}"
    coaching = changed(("{intent: escalation, why: wants a supervisor}", absent))
    assert Talk(coaching).says(10, scores=None).winner is None
    assert Talk(coaching).says(10).winner == "calm"
    compliance = changed(("{when: turns >= 1, why: must be said first}", "{absent: discloses_recording, why: first}"))
    assert [prompt.action_id for prompt in Talk(compliance).says(10, scores=None).prompts] == ["record"]


def test_an_intent_with_absence_keeps_its_probability():
    catalog = changed(("{intent: escalation, why: wants", "{intent: escalation, absent: [apologises, x2], why: wants"))
    assert Talk(catalog).says(10, "escalation").candidates[0].propensity == pytest.approx(0.9 * 0.9)


@pytest.mark.parametrize(
    ("text", "winner"), [("close my account", "review"), ("close my account? Just kidding!", None)]
)
def test_words_keep_an_action_from_being_called_for(text, winner):
    catalog = changed(("    prior: 0.3", "    unless: [just kidding]\n    prior: 0.3"))
    assert Talk(catalog).says(10, text=text, scores=None).winner == winner


def test_either_apostrophe_is_heard():
    catalog = changed(("[close my account]", "[i'm off]"))
    assert Talk(catalog).says(10, text="I’m off", scores=None).winner == "review"
    assert Talk(catalog).says(10, text="I'm  off.", scores=None).winner == "review"


@pytest.mark.parametrize(
    ("step", "reason_of"),
    [
        ("eligible_if", "not eligible: needs tenure_months >= 100 (tenure_months is 74)"),
        ("applicable_if", "not applicable: needs tenure_months >= 100 (tenure_months is 74)"),
        ("suitable_if", "not suitable: needs tenure_months >= 100 (tenure_months is 74)"),
    ],
)
def test_the_three_steps_are_told_apart(step, reason_of):
    catalog = changed(("    eligible_if: [tenure_months >= 12]", f"    {step}: [tenure_months >= 100]"))
    decision = Talk(catalog).says(10, "cancel_service")
    assert (reason(decision, "keep"), fates(decision)["keep"]) == (reason_of, Fate.INELIGIBLE)


def test_the_steps_are_taken_in_their_order():
    catalog = changed(
        ("    eligible_if: [tenure_months >= 12]", "    suitable_if: [vulnerable]\n    applicable_if: [anonymous]")
    )
    assert reason(Talk(catalog).says(10, "cancel_service"), "keep").startswith("not applicable: needs anonymous")


def test_once_only_is_once_for_good():
    talk = Talk(changed(("cooldown_minutes: 10", "once_only: true")))
    assert talk.says(10, "cancel_service").winner == "keep"
    later = talk.says(400 * 86_400, "cancel_service", conversation_id="c2")
    assert reason(later, "keep") == "once only, and it was on 05 Jan 09:00"


def test_no_more_than_so_many_to_one_customer_within_a_window():
    talk = Talk(changed(("cooldown_minutes: 10", "most_per_customer: {times: 2, within_days: 7}")))
    day = 86_400
    wins = [talk.says(10 + n * day, "cancel_service", conversation_id=f"c{n}").winner for n in range(3)]
    assert wins == ["keep", "keep", "review"]
    third = talk.says(100 + 2 * day, "cancel_service", conversation_id="c9")
    assert reason(third, "keep") == "put to this customer 2× within 7 days, at most 2"
    assert talk.says(20 + 7 * day, "cancel_service", conversation_id="c4").winner == "keep"


def test_no_more_than_so_many_of_all_actions_within_a_window():
    talk = Talk(changed(("policy:\n", "policy:\n  most_per_customer: {times: 2, within_days: 1}\n")))
    assert talk.says(10, "cancel_service").winner == "keep"
    assert talk.says(700, "escalation", conversation_id="c2").winner == "calm"
    third = talk.says(1400, "escalation", conversation_id="c3")
    assert reason(third, "calm") == "2 offers and prompts to this customer within 1 days, at most 2"
    assert [prompt.action_id for prompt in third.prompts] == ["record"]


def mailed(seconds=0, **fields):
    values = {"event_id": "m1", "kind": "offer.made", "action_id": "review", "channel": Channel.MAIL, "at": at(seconds)}
    return customer_event(**{**values, "facts": {}, **fields})


def test_what_was_mailed_goes_before_offers_of_its_kind_whatever_its_cooldown():
    talk = Talk(changed(("    prior: 0.3", "    cooldown_minutes: 1000\n    once_only: true\n    prior: 0.3")))
    talk.tell(mailed(5), 5)
    decision = talk.says(10, "cancel_service")
    assert decision.winner == "review"
    assert reason(decision, "keep") == "mailed offer review stands"
    assert fates(decision)["keep"] is Fate.SUPPRESSED
    assert decision.prompts[0].why == ("wants to leave", "mailed offer of 05 Jan")


def test_once_it_has_been_raised_an_open_offer_rests_like_any_other():
    talk = Talk(changed(("    prior: 0.3", "    cooldown_minutes: 1000\n    prior: 0.3")))
    talk.tell(mailed(5), 5)
    assert talk.says(10, "cancel_service").winner == "review"
    again = talk.says(100, "cancel_service", conversation_id="c2")
    assert reason(again, "review").startswith("cooling down until")
    assert again.winner == "keep"


def test_an_open_offer_takes_the_place_of_another_of_its_kind_on_the_desk():
    talk = Talk()
    assert talk.says(10, "cancel_service").winner == "keep"
    talk.tell(mailed(12), 12)
    decision = talk.says(15, text="close my account")
    assert decision.winner == "review"
    assert [(end.action_id, end.state) for end in decision.endings] == [("keep", PromptState.SUPERSEDED)]


def test_an_open_offer_of_another_kind_stands_against_nothing():
    talk = Talk(changed(("kind: retention\n    title: Review", "kind: service\n    title: Review")))
    talk.tell(mailed(5), 5)
    assert talk.says(10, "cancel_service").winner == "keep"


def test_an_open_offer_that_nothing_calls_for_stands_against_nothing():
    talk = Talk(changed(("{intent: cancel_service, why: wants to leave}\n      - {phrases", "{phrases")))
    talk.tell(mailed(5), 5)
    assert talk.says(10, "cancel_service").winner == "keep"


def test_words_may_say_that_an_offer_stands_and_only_then():
    catalog = changed(
        (
            "{channels: [voice, chat], words: Let us look",
            "{channels: [voice], honours_offer: true, words: The letter stands.}\n"
            "      - {channels: [voice, chat], words: Let us look",
        )
    )
    talk = Talk(catalog, facts=None)
    assert talk.says(10, "cancel_service").prompts[0].words == "Let us look at your plan together."
    talk = Talk(catalog, facts=None)
    talk.tell(mailed(5), 5)
    assert talk.says(10, "cancel_service").prompts[0].words == "The letter stands."


def test_what_was_mailed_is_still_not_sold_to_the_vulnerable_nor_to_who_refused_it():
    talk = Talk()
    talk.tell(mailed(5), 5)
    assert reason(talk.says(10, "cancel_service", "vulnerability"), "review") == "vulnerable: nothing is sold"
    talk = Talk()
    talk.tell(mailed(5), 5)
    talk.tell(mailed(6, event_id="m2", kind="offer.declined"), 6)
    assert reason(talk.says(10, "cancel_service"), "review").startswith("refused on mail")
