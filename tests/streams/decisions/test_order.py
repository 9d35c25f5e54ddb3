"""Through the worker, too: customer events and outcomes in any order, and any of them twice, come to the same rows."""

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import at, business_outcome, customer_event, outcome
from guidance.decision.state import CustomerState
from schemas.codec import encode
from schemas.conversation import Channel
from schemas.guidance import PromptState
from schemas.topics import CUSTOMER_EVENTS, OUTCOMES
from streams.bus.ports import Message

ACTIONS = st.sampled_from(["keep", "review", "calm"])
MOMENTS = st.integers(0, 8).map(lambda step: at(60 * step))
EVENTS = st.builds(
    lambda kind, channel, action_id, when, facts, problem: ("event", kind, channel, action_id, when, facts, problem),
    st.sampled_from(["offer.made", "offer.declined", "offer.accepted", "profile.updated", "selfservice.failed"]),
    st.sampled_from(Channel), ACTIONS, MOMENTS,
    st.dictionaries(st.sampled_from(["plan", "vulnerable"]), st.sampled_from([True, False, "gold"]), max_size=2),
    st.sampled_from([(), ("billing_dispute",), ("cancel_service",)]),
)  # fmt: skip
OUTCOMES_TOLD = st.builds(
    lambda kind, action_id, when: (kind, action_id, when),
    st.sampled_from(["dismissed", "accepted", "declined"]), ACTIONS, MOMENTS,
)  # fmt: skip


def message(number: int, told: tuple) -> Message:
    match told:
        case ("event", kind, channel, action_id, when, facts, problem):
            event = customer_event(
                event_id=f"e{number}",
                kind=kind,
                channel=channel,
                action_id=action_id,
                at=when,
                facts=facts,
                intents=problem,
            )
            return Message(CUSTOMER_EVENTS.name, "dana", encode(event))
        case ("dismissed", action_id, when):
            of = outcome(
                PromptState.DISMISSED, outcome_id=f"o{number}", prompt_id=f"p{number}", action_id=action_id, at=when
            )
            return Message(OUTCOMES.name, "dana", encode(of))
        case (result, action_id, when):
            of = business_outcome(outcome_id=f"o{number}", action_id=action_id, result=result, at=when)
            return Message(OUTCOMES.name, "dana", encode(of))
    raise AssertionError(told)


async def state_after(new_worker, messages) -> CustomerState:
    worker = new_worker()
    for each in messages:
        await worker.take_message(each, at(600))
    return worker.state()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(EVENTS, OUTCOMES_TOLD), min_size=2, max_size=20), st.data())
async def test_any_order_and_any_of_them_twice(new_worker, told, data):
    messages = [message(*each) for each in enumerate(told)]
    again = data.draw(st.lists(st.sampled_from(messages), max_size=6))
    shuffled = data.draw(st.permutations([*messages, *again]))
    straight, other = await state_after(new_worker, messages), await state_after(new_worker, shuffled)
    assert straight.write() == other.write()
    assert straight.sequence == len(messages)
