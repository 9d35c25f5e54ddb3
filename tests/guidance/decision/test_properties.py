"""Whatever happens in whatever order: one live prompt, nothing sold to the vulnerable, limits kept, state bounded."""

from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import at, customer_event, ended, outcome, routed, scored, scores, turn
from guidance.decision.advance import advance
from guidance.decision.catalog import parse_catalog
from guidance.decision.contact_policy import MOST_PINNED
from guidance.decision.honour import is_waiting
from guidance.decision.lessons import MOST_PENDING
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState
from guidance.decision.vocabulary import SELLING
from schemas.codec import encode
from schemas.conversation import ConversationTransferred, Speaker
from schemas.guidance import Fate, PromptState, Tick
from schemas.outcomes import outcome_id_of

CATALOG = parse_catalog((Path(__file__).parents[3] / "guidance/catalogs/telecom.yaml").read_text())
RULES = Rules(CATALOG)
CUSTOMER_LABELS = sorted(
    {trigger.intent for action in CATALOG.actions for trigger in action.triggers if trigger.intent}
    | {"declines_offer", "accepts_offer", "gratitude", "closing"}
)
AGENT_LABELS = ["discloses_recording", "verifies_identity", "makes_offer", "apologises", "states_terms"]
CONVERSATIONS = st.sampled_from(["c1", "c1", "c2", "c3"])
ACTIONS = st.sampled_from(sorted(CATALOG.by_id))
AGENTS = st.sampled_from(["ada", "ada", "ada", "ada", "ben", None])

customer_turns = st.tuples(
    st.just("customer"), CONVERSATIONS, AGENTS, st.lists(st.sampled_from(CUSTOMER_LABELS), min_size=1, max_size=4),
    st.sampled_from([0.0, 1.0, 2.0]), st.sampled_from([True, True, True, False]),
)  # fmt: skip
agent_turns = st.tuples(st.just("agent"), CONVERSATIONS, AGENTS, st.lists(st.sampled_from(AGENT_LABELS), max_size=2))
others = st.one_of(
    st.tuples(st.just("outcome"), st.sampled_from(["accepted", "dismissed", "expired", "shown"]), CONVERSATIONS),
    st.tuples(st.just("facts"), st.sampled_from([True, False, None, None]), st.sampled_from(["low", "mid", "high"])),
    st.tuples(st.just("offer"), st.sampled_from(["offer.made", "offer.declined"]), ACTIONS),
    st.tuples(st.just("transfer"), CONVERSATIONS, AGENTS),
    st.tuples(st.just("tick")),
    st.tuples(st.just("end"), st.sampled_from(["c1", "c2", "c3", "nobody's", "nobody's", "nobody's"])),
)  # fmt: skip
kinds = st.sampled_from([customer_turns, customer_turns, customer_turns, customer_turns, agent_turns, others, others])
pauses = st.sampled_from([1, 5, 5, 20, 90, 700, 4000])
# Long stories from the start: hypothesis would spend its examples on ones in which nothing can go wrong yet.
happenings = st.lists(st.tuples(kinds.flatmap(lambda kind: kind), pauses), min_size=40, max_size=60)


def event_of(happening, number, seconds, state):
    match happening:
        case ("customer", conversation, agent, wants, churn, has_scores):
            of = turn(turn_id=f"t{number}", conversation_id=conversation, started_at=at(seconds), ended_at=at(seconds))
            given = scores(*dict.fromkeys(wants), churn_risk=churn) if has_scores else None
            return scored(of, scores=given, agent_id=agent)
        case ("agent", conversation, agent, said):
            of = turn(
                turn_id=f"t{number}", conversation_id=conversation, started_at=at(seconds), ended_at=at(seconds),
                speaker=Speaker.AGENT,
            )  # fmt: skip
            return scored(of, *dict.fromkeys(said), agent_id=agent)
        case ("outcome", name, conversation):
            live = state.live.get(conversation)
            if live is None or not live.prompts:
                return None
            prompt, to = live.prompts[0], PromptState(name)
            return outcome(
                to, outcome_id=outcome_id_of(prompt.prompt_id, to), prompt_id=prompt.prompt_id, at=at(seconds),
                action_id=prompt.action_id, conversation_id=conversation,
            )  # fmt: skip
        case ("facts", vulnerable, band):
            facts = {"tenure_months": 74, "value_band": band, "monthly_bill": 48, "products": ("fibre", "mobile")}
            told_too = {} if vulnerable is None else {"vulnerable": vulnerable}
            return customer_event(event_id=f"e{number}", at=at(seconds), facts=facts | told_too)
        case ("offer", kind, action):
            return customer_event(event_id=f"e{number}", at=at(seconds), kind=kind, action_id=action, facts={})
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
    story = [(("facts", None, "high"), 0), *story]
    for number, (happening, pause) in enumerate(story):
        seconds += pause
        event = event_of(happening, number, seconds, state)
        if event is not None:
            result = advance(state, event, RULES, partition=7, now=at(seconds))
            yield state, event, result, at(seconds)
            state = result.state


@settings(max_examples=100, deadline=None)
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
                waited = is_waiting(before.journey, prompt.action_id, now)
                assert issued_at is None or waited or now - issued_at >= cooldown
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


@settings(max_examples=25, deadline=None)
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


@settings(max_examples=25, deadline=None)
@given(happenings)
def test_decided_again_it_is_the_same_byte_for_byte_even_from_what_was_written(story):
    for before, event, result, now in told(story):
        reread = CustomerState.read(before.write())
        again = advance(reread, event, RULES, partition=7, now=now)
        assert again.state.write() == result.state.write()
        if result.decision is not None and again.decision is not None:
            assert encode(again.decision) == encode(result.decision)


@settings(max_examples=25, deadline=None)
@given(happenings)
def test_the_state_is_bounded(story):
    for _, _, result, _ in told(story):
        for conversation in result.state.live.values():
            assert len(conversation.model_dump_json(exclude_defaults=True)) <= 6_000
        assert len(result.state.write()) <= 20_000


@settings(max_examples=60, deadline=None)
@given(happenings)
def test_whatever_happens_a_decision_gives_one_lesson_or_none(story):
    prompted, settled_ids = {}, set()
    for _, _, result, now in told(story):
        if result.decision is not None and result.decision.winner is not None:
            prompted[result.decision.decision_id] = result.decision
        for lesson in result.lessons:
            assert lesson.decision_id not in settled_ids
            settled_ids.add(lesson.decision_id)
            decision = prompted[lesson.decision_id]
            assert (lesson.action_id, lesson.decided_at) == (decision.winner, decision.now)
            assert lesson.settled_at == now
        assert len(result.state.journey.pending) <= MOST_PENDING
        assert result.state.journey.pending.keys() <= prompted.keys() - settled_ids
