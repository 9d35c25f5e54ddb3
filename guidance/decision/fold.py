"""How what happens changes what is remembered: from state and event to state."""

from datetime import datetime
from typing import Any, Literal

from guidance.decision import labels
from guidance.decision.agents_word import is_dismissal
from guidance.decision.churn import pressed, risk_of
from guidance.decision.journey import (
    keep_latest,
    put_latest,
    with_acceptance,
    with_business_outcome,
    with_closed,
    with_customer_event,
    with_dismissal,
    with_issued,
    with_refusal,
    with_vulnerability,
    with_wrap_up,
)
from guidance.decision.past import MOST_ACTIONS, Journey, Refusal
from guidance.decision.state import (
    MOST_HEARD,
    MOST_LIVE,
    MOST_SPANS,
    CustomerState,
    Heard,
    LiveConversation,
    LivePrompt,
    Proposed,
)
from guidance.decision.vocabulary import OFFERS
from schemas.conversation import ConversationEnded, ConversationIdentified, ConversationStarted, Speaker
from schemas.customer import CustomerEvent
from schemas.desk import DeskSpan
from schemas.guidance import Decision, PromptState
from schemas.intent import RoutedLifecycle, ScoredTurn, Scores
from schemas.outcomes import BusinessOutcome, PromptOutcome, WrapUp

Event = RoutedLifecycle | ScoredTurn | CustomerEvent | PromptOutcome | BusinessOutcome | WrapUp
"""What is folded as it arrives. Decisions are folded too, by `fold_decision`."""

_CHURN_FADES = 0.8
_ANSWERED_WITHIN = 8
"""Final turns after which a yes or no is no longer taken for the answer to what the agent proposed."""


def fold(state: CustomerState, event: Event, now: datetime) -> CustomerState:
    """The state after `event`, which reached Kafka at `now`.

    Partial turns, and prompts that were merely delivered or shown, change nothing. Prompts that the event ends are
    still in the state it returns: `settle` says which they are.
    """
    match event:
        case ScoredTurn() if not event.turn.is_final:
            return state
        case PromptOutcome(state=PromptState.DELIVERED | PromptState.SHOWN):
            return state
    state = state.model_copy(update={"sequence": state.sequence + 1})
    match event:
        case RoutedLifecycle(event=ConversationEnded() as ended):
            return close_conversation(state, event.conversation_id, now, "ended", ended.disposition)
        case RoutedLifecycle():
            return _fold_lifecycle(state, event, now)
        case ScoredTurn():
            return _fold_turn(state, event, now)
        case CustomerEvent():
            return state.model_copy(update={"journey": with_customer_event(state.journey, event)})
        case PromptOutcome():
            return _fold_outcome(state, event)
        case BusinessOutcome():
            return state.model_copy(update={"journey": with_business_outcome(state.journey, event)})
        case WrapUp():
            return state.model_copy(update={"journey": with_wrap_up(state.journey, event)})


def fold_decision(state: CustomerState, decision: Decision) -> CustomerState:
    """The state after `decision`: its endings carried out, its prompts on the desk and counted."""
    conversation = state.live.get(decision.conversation_id)
    if conversation is None:
        return state
    conversation = conversation.without(frozenset(ending.prompt_id for ending in decision.endings))
    issued = dict(conversation.issued)
    priorities = {candidate.action_id: candidate.priority for candidate in decision.candidates}
    live, pinned = conversation.live, list(conversation.pinned)
    for prompt in decision.prompts:
        if prompt.pinned:
            pinned.append(prompt)
        else:
            put_latest(issued, prompt.action_id, issued.get(prompt.action_id, 0) + 1)
            live = LivePrompt(prompt=prompt, priority=priorities[prompt.action_id] or 0.0)
    conversation = conversation.model_copy(
        update={"live": live, "pinned": tuple(pinned), "issued": keep_latest(issued, MOST_ACTIONS)}
    )
    throttled = tuple(prompt.action_id for prompt in decision.prompts if not prompt.pinned)
    journey = with_issued(state.journey, throttled, decision.now) if throttled else state.journey
    return state.model_copy(update={"journey": journey}).with_conversation(decision.conversation_id, conversation)


def close_conversation(
    state: CustomerState,
    conversation_id: str,
    now: datetime,
    how: Literal["ended", "idle"],
    disposition: str | None = None,
) -> CustomerState:
    """The state once that conversation is over: it becomes a contact of the journey."""
    conversation = state.live.get(conversation_id)
    if conversation is None:
        return state
    live = {key: value for key, value in state.live.items() if key != conversation_id}
    journey = with_closed(state.journey, conversation_id, conversation, now, how, disposition)
    return state.model_copy(update={"live": live, "journey": journey})


def _fold_lifecycle(state: CustomerState, event: RoutedLifecycle, now: datetime) -> CustomerState:
    conversation = _conversation(state, event, event.event.at, now)
    if conversation is None:
        return state
    told = event.event
    if isinstance(told, ConversationStarted | ConversationIdentified) and told.customer_name is not None:
        conversation = conversation.model_copy(update={"customer_name": told.customer_name})
    return with_live(state, event.conversation_id, conversation)


def _fold_turn(state: CustomerState, event: ScoredTurn, now: datetime) -> CustomerState:
    conversation = _conversation(state, event, event.turn.started_at, now)
    if conversation is None:
        return state
    conversation = conversation.model_copy(update={"turns": conversation.turns + 1})
    journey = state.journey
    if event.scores is not None:
        conversation = _with_heard(conversation, event.scores)
        if event.turn.speaker is Speaker.CUSTOMER:
            journey = _with_customer_labels(journey, conversation, event.scores, now)
            conversation = _with_mood(conversation, event.scores)
        else:
            conversation = _with_agent_labels(conversation, event.scores)
    return with_live(state.model_copy(update={"journey": journey}), event.conversation_id, conversation)


def _with_heard(conversation: LiveConversation, scores: Scores) -> LiveConversation:
    heard = dict(conversation.heard)
    for label in scores.fired:
        probability = round(scores.intents.get(label, 1.0), 4)
        put_latest(heard, label, Heard(turn=conversation.turns, probability=probability))
    return conversation.model_copy(update={"heard": keep_latest(heard, MOST_HEARD)})


def _with_mood(conversation: LiveConversation, scores: Scores) -> LiveConversation:
    changes: dict[str, Any] = {}
    if scores.sentiment:
        changes["sentiment"] = likeliest(scores.sentiment)
    if scores.churn_risk is not None:
        changes["churn_risk"] = round(max(scores.churn_risk, _CHURN_FADES * (conversation.churn_risk or 0.0)), 4)
        changes["churn_pressure"] = pressed(conversation.churn_pressure, scores.churn_risk)
        changes["churn_peak"] = max(conversation.churn_peak, risk_of(changes["churn_pressure"]))
    if not {labels.DECLINES_OFFER, labels.ACCEPTS_OFFER}.isdisjoint(scores.fired):
        changes["proposed"] = None
    return conversation.model_copy(update=changes)


def likeliest(sentiment: dict[str, float]) -> str:
    """The likeliest sentiment; of equals the first by name."""
    return max(sorted(sentiment.items()), key=lambda each: each[1])[0]


def _with_customer_labels(journey: Journey, conversation: LiveConversation, scores: Scores, now: datetime) -> Journey:
    if labels.VULNERABILITY in scores.fired:
        journey = with_vulnerability(journey, now)
    if labels.DECLINES_OFFER in scores.fired:
        refused = what_was_refused(conversation, conversation.turns)
        if refused is not None:
            journey = with_refusal(journey, refused, Refusal(at=now, channel=conversation.channel))
    elif labels.ACCEPTS_OFFER in scores.fired:
        accepted = proposed_lately(conversation, conversation.turns)
        if accepted is not None:
            journey = with_acceptance(journey, accepted, now)
    return journey


def what_was_refused(conversation: LiveConversation, turn: int) -> str | None:
    """What a no on final turn number `turn` is an answer to: what was proposed, else the offer on the desk."""
    return proposed_lately(conversation, turn) or live_offer(conversation)


def proposed_lately(conversation: LiveConversation, turn: int) -> str | None:
    """What a yes on final turn number `turn` is an answer to: what the agent last proposed."""
    proposed = conversation.proposed
    if proposed is not None and turn - proposed.turn < _ANSWERED_WITHIN:
        return proposed.action_id
    return None


def live_offer(conversation: LiveConversation) -> str | None:
    """The offer on the desk; None: there is none, or it is no offer."""
    live = conversation.live
    return live.prompt.action_id if live is not None and live.prompt.kind in OFFERS else None


def _with_agent_labels(conversation: LiveConversation, scores: Scores) -> LiveConversation:
    offer = live_offer(conversation)
    if labels.MAKES_OFFER not in scores.fired or offer is None:
        return conversation
    return conversation.model_copy(update={"proposed": Proposed(action_id=offer, turn=conversation.turns)})


def _fold_outcome(state: CustomerState, outcome: PromptOutcome) -> CustomerState:
    if is_dismissal(outcome):
        state = state.model_copy(update={"journey": with_dismissal(state.journey, outcome)})
    conversation = state.live.get(outcome.conversation_id)
    if conversation is None or outcome.state is PromptState.EXPIRED:
        return state
    others = (action_id for action_id in conversation.settled if action_id != outcome.action_id)
    changes: dict[str, Any] = {"settled": (*others, outcome.action_id)[-MOST_ACTIONS:]}
    if outcome.state is PromptState.ACCEPTED and live_offer(conversation) == outcome.action_id:
        changes["proposed"] = Proposed(action_id=outcome.action_id, turn=conversation.turns)
    return state.with_conversation(outcome.conversation_id, conversation.model_copy(update=changes))


def _conversation(
    state: CustomerState, event: RoutedLifecycle | ScoredTurn, started_at: datetime, now: datetime
) -> LiveConversation | None:
    """The event's conversation with what every routed record says of it; None: it has ended for good.

    One that was never seen starts with the first record of it. One that was closed for silence starts anew.
    """
    conversation = state.live.get(event.conversation_id)
    if conversation is None:
        past = state.journey.contact(event.conversation_id)
        if past is not None and past.closed == "ended":
            return None
        conversation = LiveConversation(channel=event.channel, started_at=started_at, heard_at=now)
    changes: dict[str, Any] = {
        "route_key": event.route_key,
        "customer_id": event.customer_id,
        "team": event.team,
        "language": event.language,
        "heard_at": max(now, conversation.heard_at),
    }
    if event.agent_id != conversation.agent_id:
        changes["agent_id"] = event.agent_id
        if event.agent_id is not None:
            changes["spans"] = (*conversation.spans, DeskSpan(agent_id=event.agent_id, since=now))[-MOST_SPANS:]
    return conversation.model_copy(update=changes)


def with_live(state: CustomerState, conversation_id: str, conversation: LiveConversation) -> CustomerState:
    """The state with that conversation among its live ones; if they are too many, the quietest is closed."""
    state = state.with_conversation(conversation_id, conversation)
    if len(state.live) <= MOST_LIVE:
        return state
    quietest = min(state.live.items(), key=lambda item: (item[0] == conversation_id, item[1].heard_at, item[0]))[0]
    return close_conversation(state, quietest, conversation.heard_at, "idle")
