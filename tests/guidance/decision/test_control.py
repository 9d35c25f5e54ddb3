"""The control group: fixed by the customer alone, chance within the rules, and never more of a nuisance."""

from collections import Counter

import pytest

from builders import at, ended, routed, scored, scores, started, turn
from guidance.decision.advance import advance
from guidance.decision.control import group_of
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState
from schemas.conversation import ConversationIdentified
from schemas.guidance import Fate
from small_catalog import changed

ALL_IN_CONTROL = ("most_prompts_per_conversation: 4", "most_prompts_per_conversation: 4\n  control_share: 0.5")


def someone(group, share=0.5):
    return next(name for name in map(str, range(100)) if group_of(name, name, share) == group)


def test_the_share_is_the_share_and_a_larger_one_keeps_those_who_were_in_it():
    customers = [f"customer-{n}" for n in range(20_000)]
    tenth, half = ({each for each in customers if group_of(each, each, share) == "control"} for share in (0.1, 0.5))
    assert len(tenth) / len(customers) == pytest.approx(0.1, abs=0.01)
    assert len(half) / len(customers) == pytest.approx(0.5, abs=0.015)
    assert tenth < half
    assert {group_of(each, each, 0.0) for each in customers} == {"guided"}


def test_who_began_anonymous_is_in_neither_group():
    assert group_of(None, "c1", 0.5) is None
    assert group_of("dana", "c1", 0.5) is None


class Talk:
    def __init__(self, customer, catalog=None, **route):
        self.rules = Rules(catalog or changed(ALL_IN_CONTROL))
        self.route = {"customer_id": customer, "route_key": customer, **route}
        self.state = CustomerState()
        self.tell(routed(started(customer_id=self.route["customer_id"]), **self.route), 0)

    def tell(self, event, seconds):
        result = advance(self.state, event, self.rules, partition=3, now=at(seconds))
        self.state = result.state
        return result

    def says(self, seconds, *fired, **fields):
        of = turn("close my account", f"t{seconds}", started_at=at(seconds - 1), ended_at=at(seconds))
        return self.tell(scored(of, scores=scores(*fired), **self.route, **fields), seconds).decision


CALLS = ("cancel_service", "escalation")


def test_chance_chooses_among_all_that_reached_arbitration_and_says_so():
    talk = Talk(someone("control"))
    won, reckoned = Counter(), {}
    start = talk.state
    for number in range(600):
        talk.state = start
        of = turn("…", f"u{number}", started_at=at(5), ended_at=at(6))
        decision = talk.tell(scored(of, scores=scores(*CALLS), **talk.route), 6).decision
        assert decision.group == "control"
        won[decision.winner] += 1
        reckoned = {c.action_id: c.selection_probability for c in decision.candidates if c.selection_probability}
        assert [p.action_id for p in decision.prompts] == [decision.winner, "record"]
    assert reckoned == {"review": 0.5, "calm": 0.5}
    assert won["review"] / 600 == pytest.approx(0.5, abs=0.08)
    assert set(won) == {"review", "calm"}
    reasons = {c.fate: c.reason for c in decision.candidates}
    assert reasons[Fate.WON] == "won: drawn at random among 2, as this is the control group"
    assert reasons[Fate.LOST] == f"lost to {decision.winner}, drawn at random: the control group"


def test_the_guided_get_the_best():
    decision = Talk(someone("guided")).says(10, *CALLS)
    assert (decision.group, decision.winner) == ("guided", "calm")
    assert {c.action_id: c.selection_probability for c in decision.candidates if c.fate is not Fate.PINNED} == {
        "calm": 1.0, "review": 0.0, "keep": None,
    }  # fmt: skip


def test_nothing_replaces_a_standing_prompt_in_the_control_group():
    talk = Talk(someone("control"))
    first = talk.says(10, "cancel_service")
    assert first.winner == "review"
    second = talk.says(12, "escalation")
    assert (second.winner, second.endings, second.prompts) == (None, (), ())
    calm = next(c for c in second.candidates if c.action_id == "calm")
    assert (calm.fate, calm.selection_probability) == (Fate.LOST, 0.0)
    assert calm.reason == "lost to the live review, which stays: the control group"
    guided = Talk(someone("guided"))
    guided.says(10, "cancel_service")
    assert guided.says(12, "escalation").winner == "calm"


def test_the_group_is_fixed_while_the_conversation_lasts():
    talk = Talk(someone("control"))
    talk.rules = Rules(changed(("most_prompts_per_conversation: 4", "control_share: 0.0")))
    assert talk.says(10, *CALLS).group == "control"
    talk.tell(routed(ended(), **talk.route), 20)
    talk.tell(routed(started("c2", at=at(30)), **talk.route), 30)
    assert talk.state.live["c2"].group == "guided"


def test_who_is_recognised_later_stays_in_neither_group():
    control = someone("control")
    talk = Talk(None, route_key="c1")
    talk.route["customer_id"] = control
    told = ConversationIdentified(event_id="i", conversation_id="c1", at=at(5), customer_id=control)
    talk.tell(routed(told, **talk.route), 5)
    assert talk.says(10, *CALLS).group is None


def test_chance_is_the_same_again():
    talk = Talk(someone("control"))
    state = talk.state
    first = talk.says(10, *CALLS)
    talk.state = state
    assert talk.says(10, *CALLS) == first
