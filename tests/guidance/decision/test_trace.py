"""What decisions say of their past: where a chain begins, and what was folded since."""

from builders import at, customer_event, ended, outcome, routed, scored, scores, started, turn
from guidance.decision.advance import advance
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState
from guidance.decision.trace import MOST_FOLDED, tick_id, ticked_at
from schemas.conversation import Channel
from schemas.guidance import Decision, PromptState, Tick
from schemas.outcomes import outcome_id_of
from small_catalog import small

RULES = Rules(small())


class Owner:
    """One customer's state, carried along."""

    def __init__(self) -> None:
        self.state = CustomerState()

    def take(self, event: object, seconds: float) -> Decision | None:
        advanced = advance(self.state, event, RULES, partition=3, now=at(seconds))
        self.state = CustomerState.read(advanced.state.write())
        return advanced.decision

    def say(self, seconds: float, *fired: str, conversation_id: str = "c1") -> Decision:
        of = turn(turn_id=f"{conversation_id}-{seconds}", conversation_id=conversation_id, ended_at=at(seconds))
        decision = self.take(scored(of, scores=scores(*fired)), seconds)
        assert decision is not None
        return decision


def test_a_chain_begins_with_the_state_before_its_first_turn():
    owner = Owner()
    owner.take(customer_event(facts={"tenure_months": 74}), 0)
    owner.take(routed(started()), 1)
    before = owner.state

    first, second = owner.say(10), owner.say(20)

    assert first.state == before.write().decode()
    assert first.folded is None
    assert second.state is None
    assert second.folded == ("c1-10",)


def test_what_is_folded_in_between_is_named_in_order_and_what_changes_nothing_is_not():
    owner = Owner()
    owner.take(routed(started()), 0)
    prompt = owner.say(10, "cancel_service").prompts[0]
    told = {"prompt_id": prompt.prompt_id, "decision_id": prompt.decision_id, "action_id": prompt.action_id}
    for state in (PromptState.SHOWN, PromptState.ACCEPTED):
        owner.take(outcome(state, outcome_id=outcome_id_of(prompt.prompt_id, state), **told), 11)
    owner.take(Tick(at=at(12)), 12)
    owner.take(customer_event(event_id="mail-7"), 13)
    owner.take(scored(turn(turn_id="partial", is_final=False)), 14)

    decision = owner.say(20)

    assert decision.folded == ("c1-10", f"outcome:{prompt.prompt_id}:accepted", "event:mail-7")
    assert decision.sequence == 5


def test_a_tick_is_named_when_it_ends_something():
    owner = Owner()
    owner.take(routed(started()), 0)
    owner.say(10, "cancel_service")
    for second in (69, 70.5, 72):
        owner.take(Tick(at=at(second)), second)

    assert owner.say(80).folded == ("c1-10", tick_id(at(70.5)))
    assert ticked_at(tick_id(at(70.5))) == at(70.5)
    assert ticked_at("event:tick@7") is None


def test_a_new_chain_begins_where_nothing_was_live_or_too_much_went_by():
    owner = Owner()
    owner.take(routed(started()), 0)
    owner.say(10)
    owner.take(routed(ended()), 20)
    assert owner.state.folded is None
    owner.take(customer_event(event_id="in between"), 25)
    assert owner.say(30, conversation_id="c2").state is not None

    for number in range(MOST_FOLDED - 1):
        owner.take(customer_event(event_id=f"e{number}"), 31)
    assert len(owner.say(40, conversation_id="c2").folded or ()) == MOST_FOLDED
    for number in range(MOST_FOLDED):
        owner.take(customer_event(event_id=f"f{number}"), 41)
    assert owner.say(50, conversation_id="c2").state is not None


def test_a_second_conversation_beside_a_live_one_needs_no_state():
    owner = Owner()
    owner.take(routed(started()), 0)
    owner.say(10)
    other = started("c2", channel=Channel.CHAT)
    owner.take(routed(other), 15)

    decision = owner.say(20, conversation_id="c2")

    assert decision.state is None
    assert decision.folded == ("c1-10", f"lifecycle:{other.event_id}")
