"""Customer events and outcomes leave the same journey in whatever order they come, and however often."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import at, business_outcome, customer_event, outcome, routed, started
from guidance.decision.fold import fold
from guidance.decision.journey import merged
from guidance.decision.past import MOST_ACTIONS, MOST_CONTACTS, MOST_DISMISSALS, MOST_FACTS
from guidance.decision.state import CustomerState
from schemas.conversation import Channel
from schemas.guidance import PromptState
from schemas.outcomes import DismissReason

MOMENTS = st.integers(0, 12).map(lambda step: at(step * 3600) + timedelta(microseconds=step % 7))
ACTIONS = st.one_of(st.just("keep"), st.sampled_from([f"action_{number}" for number in range(MOST_ACTIONS + 6)]))
FACTS = st.dictionaries(
    st.sampled_from(["vulnerable", "plan", "products", *(f"fact_{number}" for number in range(MOST_FACTS + 6))]),
    st.sampled_from([True, False, 1, 1.0, "1", "gold", ("fibre",), ("fibre", "tv")]), max_size=5,
)  # fmt: skip
EVENTS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(
            ["profile.updated", "offer.made", "offer.declined", "offer.accepted", "selfservice.failed", "case.solved"]
        ),
        "at": MOMENTS, "action_id": ACTIONS, "facts": FACTS, "channel": st.sampled_from(Channel),
        "intents": st.lists(st.sampled_from(["cancel_service", "technical_problem", "competitor_mention"]), max_size=2),
    }
)  # fmt: skip
DISMISSALS = st.fixed_dictionaries({"action_id": ACTIONS, "at": MOMENTS})
RESULTS = st.fixed_dictionaries(
    {"action_id": ACTIONS, "at": MOMENTS, "result": st.sampled_from(["accepted", "declined"])}
)
KINDS = st.one_of(
    EVENTS.map(lambda fields: ("event", fields)),
    DISMISSALS.map(lambda fields: ("dismissal", fields)),
    RESULTS.map(lambda fields: ("result", fields)),
)


def of(number, kind, fields):
    match kind:
        case "event":
            return customer_event(event_id=f"e{number}", **fields)
        case "dismissal":
            return outcome(
                PromptState.DISMISSED,
                outcome_id=f"o{number}",
                reason=DismissReason.NOT_SUITABLE,
                prompt_id=f"p{number}",
                **fields,
            )
    return business_outcome(outcome_id=f"b{number}", **fields)


def folded(events, state=None):
    """After each event the state is written and read, as it is between two batches."""
    state = state or CustomerState()
    for event in events:
        state = CustomerState.read(fold(state, event, at(10)).write())
    return state


HAPPENINGS = st.lists(KINDS, min_size=2, max_size=60).map(lambda kinds: [of(n, *kind) for n, kind in enumerate(kinds)])


@settings(max_examples=150, deadline=None)
@given(HAPPENINGS, st.data())
def test_any_order_and_any_repetition_is_the_same_journey_byte_for_byte(events, data):
    again = data.draw(st.lists(st.sampled_from(events), max_size=20))
    shuffled = data.draw(st.permutations([*events, *again]))
    straight, other = folded(events).journey, folded(shuffled).journey
    assert straight.model_dump_json() == other.model_dump_json()


@settings(max_examples=60, deadline=None)
@given(HAPPENINGS, st.integers(0, 60))
def test_two_halves_of_a_journey_merge_into_the_whole(events, cut):
    one, other = folded(events[:cut]).journey, folded(events[cut:]).journey
    whole = folded(events).journey
    assert merged(one, other).model_dump_json() == whole.model_dump_json() == merged(other, one).model_dump_json()


@settings(max_examples=60, deadline=None)
@given(HAPPENINGS, st.data())
def test_what_happens_outside_comes_to_the_same_before_and_after_what_is_heard(events, data):
    """A conversation in between: what is heard in it has its own time."""
    before = data.draw(st.integers(0, len(events)))
    opened = fold(CustomerState(), routed(started()), at(5))
    straight = folded(events, opened).journey
    interleaved = folded(events[before:], fold(folded(events[:before]), routed(started()), at(5))).journey
    assert straight.model_dump_json() == interleaved.model_dump_json()


def test_however_much_happens_the_journey_stays_bounded_and_keeps_the_newest():
    events = []
    for number in range(300):
        events += [
            customer_event(
                event_id=f"e{number}", kind=kind, at=at(number * 977 % 5000), action_id=f"action_{number % 80}",
                facts={f"fact_{number}": number, "vulnerable": number % 3 == 0}, intents=("cancel_service",),
            )
            for kind in ("offer.made", "offer.declined", "offer.accepted")
        ]  # fmt: skip
        events.append(of(number, "dismissal", {"action_id": f"action_{number % 80}", "at": at(number)}))
    journey = folded(events).journey
    assert (len(journey.contacts), len(journey.facts), len(journey.dismissals)) == (
        MOST_CONTACTS, MOST_FACTS, MOST_DISMISSALS,
    )  # fmt: skip
    by_action = (journey.offers, journey.refusals, journey.accepted, journey.last_issued)
    assert [len(each) for each in by_action] == [MOST_ACTIONS] * 4
    newest = max((event for event in events if hasattr(event, "facts")), key=lambda event: event.at)
    assert newest.at == journey.facts["vulnerable"].at == journey.contacts[-1].at
    assert journey.dismissals[-1].at == at(299)
