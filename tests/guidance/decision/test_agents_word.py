"""What the agent says was wrong with a prompt, and what comes of it."""

import pytest

from guidance.decision.contact_policy import comes_too_late_or_to_nobody
from schemas.guidance import PromptState
from schemas.outcomes import DismissReason
from small_catalog import changed
from talking import Conversation, endings, reason, richer


def dismissed(why: DismissReason | None, *fired: str, rules=None) -> Conversation:
    dana = Conversation(rules or richer())
    dana.hears(10, *(fired or ("cancel_service",)))
    dana.answers(12, PromptState.DISMISSED, reason=why)
    return dana


def test_a_misheard_label_does_not_call_for_that_action_again_in_this_conversation():
    dana = dismissed(DismissReason.WRONG_INTENT)
    again = dana.hears(700, "cancel_service")
    assert reason(again, "keep") == "nothing said calls for it"
    assert dana.live.action_id == "review", "other actions believe it"
    elsewhere = dana.hears(1400, "cancel_service", conversation_id="c2")
    assert elsewhere.decision.winner == "keep"


def test_words_still_call_for_it_when_its_label_was_misheard():
    rules = richer()
    leaves = "- {intent: cancel_service, why: wants to leave}"
    catalog = changed((leaves, f"{leaves}\n      - {{phrases: [close it], why: asks}}"))
    dana = dismissed(DismissReason.WRONG_INTENT, rules=type(rules)(catalog))
    assert dana.hears(700, text="please close it").decision.winner == "keep"


@pytest.mark.parametrize(
    ("why", "counted"),
    [
        (DismissReason.WRONG_INTENT, 0),
        (DismissReason.NOT_NOW, 0),
        (DismissReason.NOT_SUITABLE, 1),
        (DismissReason.CUSTOMER_MOOD, 1),
        (DismissReason.ALREADY_SAID, 1),
        (None, 1),
    ],
)
def test_which_dismissals_count_towards_its_rest(why, counted):
    assert len(dismissed(why).state.journey.dismissals) == counted


def test_not_now_comes_back_once_after_its_pause_whatever_the_cooldown():
    rules = type(richer())(changed(("cooldown_minutes: 10", "cooldown_minutes: 600"), ("value: 100", "value: 300")))
    dana = dismissed(DismissReason.NOT_NOW, rules=rules)
    assert reason(dana.hears(20, "cancel_service"), "keep") == "put off by the agent until 09:03:12"
    dana.answers(21, PromptState.DISMISSED, reason=DismissReason.NOT_NOW)  # review, the second best
    assert dana.hears(200, "cancel_service").decision.winner == "keep"

    dana.answers(210, PromptState.DISMISSED, reason=DismissReason.NOT_NOW)
    assert dana.state.journey.dismissals == ()
    assert reason(dana.hears(900, "cancel_service"), "keep").startswith("cooling down")


def test_in_a_bad_mood_nothing_is_sold_for_some_turns_but_they_are_cared_for():
    dana = dismissed(DismissReason.CUSTOMER_MOOD, rules=richer(mood_rests_turns=2))
    for seconds in (20, 22):
        heard = dana.hears(seconds, "cancel_service", "upgrade_interest", "escalation")
        assert {reason(heard, each) for each in ("keep", "review", "faster")} == {"the agent says: not in this mood"}
    assert dana.live.action_id == "calm"
    assert reason(dana.hears(24, "upgrade_interest"), "faster").startswith("lost to the live calm")


def test_a_second_report_of_the_same_changes_nothing():
    dana = dismissed(DismissReason.WRONG_INTENT)
    word = dana.now.word
    dana.hears(14, "escalation")
    assert endings(dana.hears(15)) == []
    assert dana.now.word == word


def test_reasons_that_mean_that_a_moment_was_missed_are_those_that_the_policy_gives():
    late = Conversation(richer()).hears(10, "cancel_service", agent_id=None)
    assert comes_too_late_or_to_nobody(reason(late, "keep"))
    assert not comes_too_late_or_to_nobody("cooling down until 05 Jan 09:10")
