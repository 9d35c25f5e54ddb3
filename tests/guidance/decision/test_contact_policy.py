"""Limits are never exceeded, whatever the order of events: every prompt is held against an account of its own."""

from collections import defaultdict
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import at, customer_event, outcome, scored, scores, turn
from guidance.decision.advance import advance
from guidance.decision.contact_policy import MOST_PINNED
from guidance.decision.past import OFFERS_KEEP_FOR, VULNERABLE_FOR
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState
from guidance.decision.vocabulary import SELLING
from schemas.conversation import Channel, Speaker
from schemas.guidance import ActionKind, PromptState
from schemas.outcomes import outcome_id_of
from small_catalog import changed

CATALOG = changed(
    ("policy:\n", "policy:\n  most_per_customer: {times: 7, within_days: 1}\n"),
    ("cooldown_minutes: 10", "cooldown_minutes: 10\n    most_per_customer: {times: 2, within_days: 0.5}"),
    ("    title: Review", "    title: Review\n    once_only: true"),
    ("    title: Calm", "    title: Calm\n    most_per_customer: {times: 3, within_days: 0.05}"),
    ("{when: turns >= 1, why: must be said first}", "{absent: discloses_recording, why: must be said first}"),
)  # fmt: skip
POLICY, RULES = CATALOG.policy, Rules(CATALOG)
FACTS = {"tenure_months": 74, "monthly_bill": 48.0, "products": ("fibre",)}

conversations = st.sampled_from(["c1", "c2", "c3"])
offers = st.sampled_from(["keep", "review"])
labels = st.lists(st.sampled_from(["cancel_service", "escalation", "vulnerability", "declines_offer"]), max_size=3)
steps = st.one_of(
    st.tuples(st.just("says"), conversations, st.lists(st.sampled_from(["cancel_service", "escalation"]), min_size=1)),
    st.tuples(st.just("says"), conversations, st.lists(st.sampled_from(["cancel_service", "escalation"]), min_size=1)),
    st.tuples(st.just("says"), conversations, labels),
    st.tuples(st.just("agent"), conversations, st.sampled_from([(), (), ("discloses_recording",), ("makes_offer",)])),
    st.tuples(st.just("mail"), offers, st.sampled_from(["offer.made", "offer.made", "offer.declined"])),
    st.tuples(st.just("outcome"), conversations, st.sampled_from([PromptState.ACCEPTED, PromptState.DISMISSED])),
    st.tuples(st.just("crm"), st.sampled_from([True, False]), st.none()),
)
stories = st.lists(st.tuples(steps, st.sampled_from([1, 20, 70, 700, 4000, 30_000])), min_size=25, max_size=50)


class Account:
    """What was put to the customer, kept by the test alone."""

    def __init__(self) -> None:
        self.prompted: dict[str, list[datetime]] = defaultdict(list)
        self.mailed: dict[str, datetime] = {}
        self.put: list[tuple[datetime, str]] = []
        self.refused: dict[str, datetime] = {}
        self.dismissed: dict[str, list[datetime]] = defaultdict(list)
        self.heard_at: datetime | None = None
        self.told: tuple[datetime, bool] | None = None

    def times(self, now: datetime, days: float, action_id: str | None = None) -> int:
        since = now - timedelta(days=days)
        return sum(1 for when, of in self.put if since < when and action_id in (None, of))

    def waits(self, action_id: str, now: datetime) -> bool:
        """Mailed, open, and not raised since."""
        mailed = self.mailed.get(action_id)
        refused = self.refused.get(action_id)
        return (
            mailed is not None
            and now < mailed + OFFERS_KEEP_FOR
            and (refused is None or refused < mailed)
            and all(when <= mailed for when in self.prompted[action_id])
        )

    def is_vulnerable(self, now: datetime) -> bool:
        if self.told is not None and self.told[1]:
            return True
        if self.heard_at is None or now - self.heard_at >= VULNERABLE_FOR:
            return False
        return self.told is None or self.told[0] <= self.heard_at


def event_of(step, number, now, state):
    match step:
        case ("says" | "agent" as who, conversation, fired):
            speaker = Speaker.CUSTOMER if who == "says" else Speaker.AGENT
            of = turn("…", f"t{number}", conversation_id=conversation, speaker=speaker, started_at=now, ended_at=now)
            return scored(of, scores=scores(*dict.fromkeys(fired)))
        case ("mail", action_id, kind):
            return customer_event(
                event_id=f"e{number}", at=now, kind=kind, action_id=action_id, channel=Channel.MAIL, facts={}
            )
        case ("outcome", conversation, to):
            live = state.live.get(conversation)
            if live is None or live.live is None:
                return None
            prompt = live.live.prompt
            return outcome(
                to, outcome_id=outcome_id_of(prompt.prompt_id, to), prompt_id=prompt.prompt_id, at=now,
                action_id=prompt.action_id, conversation_id=conversation,
            )  # fmt: skip
    return customer_event(event_id=f"e{number}", at=now, facts={**FACTS, "vulnerable": step[1]})


@settings(max_examples=60, deadline=None)
@given(stories)
def test_no_limit_is_ever_exceeded(story):
    state, account, seconds = CustomerState(), Account(), 0
    state = advance(state, customer_event(facts=FACTS), RULES, partition=3, now=at(0)).state
    for number, (step, pause) in enumerate(story):
        seconds += pause
        now = at(seconds)
        event = event_of(step, number, now, state)
        if event is None:
            continue
        before, said = state, step[0] in ("says", "agent")
        result = advance(before, event, RULES, partition=3, now=now)
        state = result.state
        note_what_was_told(account, step, event, now, before, state)
        if said:
            for prompt in result.decision.prompts:
                hold(account, prompt, now, before)
            compliance_is_never_throttled(result, before, event)
        for conversation in state.live.values():
            live = [prompt for prompt in conversation.prompts if not prompt.pinned]
            assert len(live) <= 1


def hold(account, prompt, now, before):
    """Hold a prompt against every limit that there is, then enter it."""
    if prompt.kind is ActionKind.COMPLIANCE:
        return
    action, action_id = CATALOG.by_id[prompt.action_id], prompt.action_id
    conversation = before.live.get(prompt.conversation_id)
    issued = {} if conversation is None else conversation.issued
    assert issued.get(action_id, 0) < action.most_per_conversation
    assert sum(issued.values()) < POLICY.most_prompts_per_conversation
    assert account.times(now, POLICY.most_per_customer.within_days) < POLICY.most_per_customer.times
    assert not (prompt.kind in SELLING and account.is_vulnerable(now))
    refused = account.refused.get(action_id)
    assert refused is None or now - refused >= timedelta(days=POLICY.refusal_rests_days)
    recent = [
        when for when in account.dismissed[action_id] if now - when < timedelta(days=POLICY.dismissals_within_days)
    ]
    assert len(recent) < POLICY.most_dismissals
    if not account.waits(action_id, now):
        puts = [when for when, of in account.put if of == action_id]
        assert all(now - when >= timedelta(minutes=action.cooldown_minutes) for when in puts)
        assert not (action.once_only and puts)
        most = action.most_per_customer
        assert most is None or account.times(now, most.within_days, action_id) < most.times
    account.prompted[action_id].append(now)
    account.put.append((now, action_id))


def note_what_was_told(account, step, event, now, before, after):
    match step:
        case ("says", _, fired) if "vulnerability" in fired:
            account.heard_at = now
        case ("mail", action_id, "offer.made"):
            account.mailed[action_id] = now
            account.put.append((now, action_id))
        case ("mail", action_id, _):
            account.refused[action_id] = now
        case ("outcome", _, PromptState.DISMISSED):
            account.dismissed[event.action_id].append(now)
        case ("crm", vulnerable, _):
            account.told = (now, vulnerable)
    for action_id, refusal in after.journey.refusals.items():
        if before.journey.refusals.get(action_id) != refusal:
            account.refused[action_id] = refusal.at


def compliance_is_never_throttled(result, before, event):
    """The recording is pinned on every turn, unless it stands there, has been said, or the agent has settled it."""
    conversation = result.state.live[event.conversation_id]
    earlier = before.live.get(event.conversation_id)
    settled = earlier is not None and "record" in earlier.settled
    said = "discloses_recording" in conversation.heard
    pinned = [prompt.action_id for prompt in conversation.pinned]
    assert len(pinned) <= MOST_PINNED
    assert ("record" in pinned) == (not said and not settled)
