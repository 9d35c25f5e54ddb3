"""Whatever happens in whatever order: one live prompt, nothing sold to the vulnerable, limits kept, state bounded."""

from datetime import timedelta
from pathlib import Path

from builders import at, customer_event, ended, outcome, routed, scored, scores, started, turn
from hypothesis import given, settings
from hypothesis import strategies as st

from guidance.decision.advance import advance
from guidance.decision.catalog import parse_catalog
from guidance.decision.contact_policy import MOST_PINNED
from guidance.decision.state import CustomerState
from guidance.decision.vocabulary import SELLING
from schemas.codec import encode
from schemas.conversation import Channel, ConversationTransferred, Speaker
from schemas.guidance import Fate, PromptState, Tick, outcome_id_of

CATALOG = parse_catalog((Path(__file__).parents[3] / "guidance/catalogs/telecom.yaml").read_text())
CUSTOMER_LABELS = sorted(
    {trigger.intent for action in CATALOG.actions for trigger in action.triggers if trigger.intent}
    | {"declines_offer", "accepts_offer", "gratitude", "closing"}
)
AGENT_LABELS = ["discloses_recording", "verifies_identity", "makes_offer", "apologises", "states_terms"]
CONVERSATIONS = st.sampled_from(["c1", "c2"])
AGENTS = st.sampled_from([None, "ada", "ben"])

turns = st.tuples(
    st.just("turn"), CONVERSATIONS, AGENTS, st.booleans(), st.lists(st.sampled_from(CUSTOMER_LABELS), max_size=4),
    st.lists(st.sampled_from(AGENT_LABELS), max_size=2), st.floats(0, 2), st.booleans(),
)  # fmt: skip
others = st.one_of(
    st.tuples(st.just("outcome"), st.sampled_from(["accepted", "dismissed", "expired", "shown"]), CONVERSATIONS),
    st.tuples(st.just("facts"), st.booleans(), st.integers(0, 200), st.sampled_from(["low", "mid", "high"])),
    st.tuples(st.just("offer"), st.sampled_from(["offer.made", "offer.declined"]), st.sampled_from(sorted(CATALOG.by_id))),
    st.tuples(st.just("start"), CONVERSATIONS, AGENTS),
    st.tuples(st.just("transfer"), CONVERSATIONS, AGENTS),
    st.tuples(st.just("end"), CONVERSATIONS),
    st.tuples(st.just("tick")),
)  # fmt: skip
happenings = st.lists(st.tuples(st.one_of(turns, turns, others), st.integers(0, 120)), max_size=40)


def event_of(happening, number, seconds, state):
    match happening:
        case ("turn", conversation, agent, by_agent, wants, said, churn, has_scores):
            of = turn(
                turn_id=f"t{number}", conversation_id=conversation, started_at=at(seconds), ended_at=at(seconds),
                speaker=Speaker.AGENT if by_agent else Speaker.CUSTOMER,
            )  # fmt: skip
            given = scores(*dict.fromkeys(said if by_agent else wants), churn_risk=churn) if has_scores else None
            return scored(of, scores=given, agent_id=agent)
        case ("outcome", name, conversation):
            live = state.live.get(conversation)
            if live is None or not live.prompts:
                return None
            prompt, to = live.prompts[0], PromptState(name)
            return outcome(
                to, outcome_id=outcome_id_of(prompt.prompt_id, to), prompt_id=prompt.prompt_id, at=at(seconds),
                action_id=prompt.action_id, conversation_id=conversation,
            )  # fmt: skip
        case ("facts", vulnerable, tenure, band):
            facts = {"vulnerable": vulnerable, "tenure_months": tenure, "value_band": band, "monthly_bill": 48}
            return customer_event(event_id=f"e{number}", at=at(seconds), facts=facts)
        case ("offer", kind, action):
            return customer_event(event_id=f"e{number}", at=at(seconds), kind=kind, action_id=action, facts={})
        case ("start", conversation, agent):
            return routed(started(conversation, at=at(seconds)), agent_id=agent, channel=Channel.VOICE)
        case ("transfer", conversation, agent):
            moved = ConversationTransferred(
                event_id=f"e{number}", conversation_id=conversation, at=at(seconds), agent_id=agent or "cyd"
            )
            return routed(moved, agent_id=agent)
        case ("end", conversation):
            return routed(ended(conversation, at=at(seconds)))
    return Tick(at=at(seconds))


def told(story):
    """Every step of a story: state before, event, what came of it, when."""
    state, seconds = CustomerState(), 0
    for number, (happening, pause) in enumerate(story):
        seconds += pause
        event = event_of(happening, number, seconds, state)
        if event is not None:
            result = advance(state, event, CATALOG, partition=7, now=at(seconds))
            yield state, event, result, at(seconds)
            state = result.state


@settings(max_examples=150, deadline=None)
@given(happenings)
def test_what_holds_whatever_happens(story):
    on_desk: dict[str, str] = {}
    for before, _event, result, now in told(story):
        after, decision = result.state, result.decision
        for prompt, ending in result.endings:
            assert on_desk.pop(prompt.prompt_id) == prompt.action_id == ending.action_id
        for prompt in decision.prompts if decision else ():
            assert prompt.prompt_id not in on_desk
            on_desk[prompt.prompt_id] = prompt.action_id
            assert prompt.expires_at > now
            if not prompt.pinned:
                issued_at = before.journey.last_issued.get(prompt.action_id)
                cooldown = timedelta(minutes=CATALOG.by_id[prompt.action_id].cooldown_minutes)
                assert issued_at is None or now - issued_at >= cooldown
                assert prompt.action_id not in before.journey.refusals
            if after.journey.is_vulnerable(now):
                assert prompt.kind not in SELLING
        for conversation in after.live.values():
            assert len(conversation.pinned) <= MOST_PINNED
            assert len({prompt.action_id for prompt in conversation.prompts}) == len(conversation.prompts)
            assert all(prompt.agent_id == conversation.agent_id for prompt in conversation.prompts)
            assert sum(conversation.issued.values()) <= CATALOG.policy.most_prompts_per_conversation
        shown = {prompt.prompt_id for conversation in after.live.values() for prompt in conversation.prompts}
        assert shown == set(on_desk)


@settings(max_examples=60, deadline=None)
@given(happenings)
def test_a_final_turn_has_one_decision_that_explains_every_action(story):
    for _, event, result, _ in told(story):
        assert (result.decision is not None) == hasattr(event, "turn")
        if result.decision is not None:
            candidates = result.decision.candidates
            assert sorted(each.action_id for each in candidates) == [action.id for action in CATALOG.actions]
            assert [each.action_id for each in candidates if each.fate is Fate.WON] == (
                [result.decision.winner] if result.decision.winner else []
            )
            assert all(each.reason for each in candidates)


@settings(max_examples=60, deadline=None)
@given(happenings)
def test_decided_again_it_is_the_same_byte_for_byte_even_from_what_was_written(story):
    for before, event, result, now in told(story):
        reread = CustomerState.read(before.write())
        again = advance(reread, event, CATALOG, partition=7, now=now)
        assert again.state.write() == result.state.write()
        if result.decision is not None and again.decision is not None:
            assert encode(again.decision) == encode(result.decision)


@settings(max_examples=60, deadline=None)
@given(happenings)
def test_the_state_is_bounded(story):
    for _, _, result, _ in told(story):
        for conversation in result.state.live.values():
            assert len(conversation.model_dump_json(exclude_defaults=True)) <= 6_000
        assert len(result.state.write()) <= 20_000
