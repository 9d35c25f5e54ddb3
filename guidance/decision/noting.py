"""How what happens in a conversation is noted for its end: what was said, taken, agreed to, promised, missed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from guidance.decision import labels
from guidance.decision.agents_word import with_word
from guidance.decision.catalog import Catalog
from guidance.decision.contact_policy import comes_too_late_or_to_nobody
from guidance.decision.echo import said_on
from guidance.decision.fold import Event, proposed_lately, what_was_refused
from guidance.decision.journey import keep_latest, put_latest
from guidance.decision.notes import MOST_NOTED, Notes, Taken
from guidance.decision.promise import promised_by
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState, LiveConversation, Proposed
from guidance.decision.vocabulary import OFFERS, SELLING
from schemas.conversation import Speaker
from schemas.guidance import Decision, Fate, PromptState
from schemas.intent import ScoredTurn
from schemas.outcomes import BusinessOutcome, PromptOutcome


def note(before: CustomerState, after: CustomerState, event: Event, rules: Rules, now: datetime) -> CustomerState:
    """`after`, into which `event` is folded, with what is to be noted of it in its conversation."""
    conversation_id = getattr(event, "conversation_id", "")
    conversation = after.live.get(conversation_id)
    if conversation is None:
        return after
    match event:
        case ScoredTurn() if not event.turn.is_final:
            return after
        case ScoredTurn() if event.turn.speaker is Speaker.AGENT:
            noted = _note_agent(conversation, event, rules, now)
        case ScoredTurn():
            noted = _note_customer(before.live.get(conversation_id), conversation, event)
        case PromptOutcome(state=PromptState.ACCEPTED):
            noted = _taken(conversation, event.action_id, event.decision_id, event.agent_id, rules.catalog)
        case PromptOutcome(state=PromptState.DISMISSED):
            noted = with_word(conversation, event, rules.catalog, now)
        case BusinessOutcome():
            noted = with_result(conversation, event.action_id, accepted=event.result == "accepted")
        case _:
            return after
    return after if noted is conversation else after.with_conversation(conversation_id, noted)


def note_decision(state: CustomerState, decision: Decision, rules: Rules) -> CustomerState:
    """`state`, into which `decision` is folded, with the moments that it had, and the offers that it heard said."""
    conversation = state.live.get(decision.conversation_id)
    if conversation is None:
        return state
    noted = conversation
    moments = dict(conversation.notes.moments)
    for candidate in decision.candidates:
        if candidate.kind not in SELLING:
            continue
        missed = candidate.fate is Fate.SUPPRESSED and comes_too_late_or_to_nobody(candidate.reason)
        if missed or candidate.fate is Fate.WON:
            action = rules.catalog.by_id[candidate.action_id]
            worth = candidate.priority if candidate.priority is not None else action.prior * action.net_value
            put_latest(moments, candidate.action_id, round(worth, 4))
    if moments != conversation.notes.moments:
        noted = _with(noted, moments=keep_latest(moments, MOST_NOTED))
    for ending in decision.endings:
        if ending.state is PromptState.FULFILLED and decision.agent_id is not None:
            decision_id = ending.prompt_id.removesuffix(f".{ending.action_id}")
            noted = _taken(noted, ending.action_id, decision_id, decision.agent_id, rules.catalog)
    return state if noted is conversation else state.with_conversation(decision.conversation_id, noted)


def with_result(conversation: LiveConversation, action_id: str, *, accepted: bool) -> LiveConversation:
    """The conversation once it is known what the customer made of an offer."""
    notes = conversation.notes
    changes: dict[str, Any] = {}
    if (taken := notes.taken.get(action_id)) is not None:
        known = taken.model_copy(update={"result": "accepted" if accepted else "declined"})
        changes["taken"] = {**notes.taken, action_id: known}
    if accepted:
        agreed = dict(notes.agreed)
        put_latest(agreed, action_id, conversation.turns)
        changes["agreed"] = keep_latest(agreed, MOST_NOTED)
    return _with(conversation, **changes) if changes else conversation


def _note_agent(conversation: LiveConversation, turn: ScoredTurn, rules: Rules, now: datetime) -> LiveConversation:
    said = said_on(turn, rules.echoes, rules.catalog.policy.said_similarity)
    if said:
        times = dict(conversation.notes.said)
        for action_id in sorted(said):
            put_latest(times, action_id, conversation.turns)
        conversation = _with(conversation, said=keep_latest(times, MOST_NOTED))
        if (proposed := _proposed(said, conversation, rules.catalog)) is not None:
            spoken = Proposed(action_id=proposed, turn=conversation.turns)
            conversation = conversation.model_copy(update={"proposed": spoken})
    promised_at = promised_by(turn.turn.text, now)
    return conversation if promised_at is None else _with(conversation, promised_at=promised_at)


def _proposed(said: frozenset[str], conversation: LiveConversation, catalog: Catalog) -> str | None:
    """Which of what was said the customer will answer: the one on the desk, if it is among them."""
    offers = sorted(each for each in said if each in catalog.by_id and catalog.by_id[each].kind in OFFERS)
    live = conversation.live
    if live is not None and live.prompt.action_id in offers:
        return live.prompt.action_id
    return offers[0] if offers else None


def _note_customer(
    before: LiveConversation | None, conversation: LiveConversation, turn: ScoredTurn
) -> LiveConversation:
    fired = () if turn.scores is None else turn.scores.fired
    answered = {labels.ACCEPTS_OFFER, labels.DECLINES_OFFER} & set(fired)
    if before is None or len(answered) != 1:  # a yes and a no at once is no answer
        return conversation
    accepted = labels.ACCEPTS_OFFER in answered
    what = proposed_lately if accepted else what_was_refused
    action_id = what(before, conversation.turns)  # before: the answer has settled what was proposed
    return conversation if action_id is None else with_result(conversation, action_id, accepted=accepted)


def _taken(
    conversation: LiveConversation, action_id: str, decision_id: str, agent_id: str, catalog: Catalog
) -> LiveConversation:
    action, notes = catalog.by_id.get(action_id), conversation.notes
    if action is None or action.kind not in OFFERS:
        return conversation
    taken: dict[str, Taken] = dict(notes.taken)
    result = "accepted" if action_id in notes.agreed else None
    put_latest(taken, action_id, Taken(decision_id=decision_id, agent_id=agent_id, result=result))
    return _with(conversation, taken=keep_latest(taken, MOST_NOTED))


def _with(conversation: LiveConversation, **changes: object) -> LiveConversation:
    update: Mapping[str, object] = changes
    notes: Notes = conversation.notes.model_copy(update=update)
    return conversation.model_copy(update={"notes": notes})
