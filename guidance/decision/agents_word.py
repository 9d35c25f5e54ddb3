"""What the agent says of a prompt, and what it keeps back afterwards, in this conversation."""

from datetime import datetime, timedelta
from typing import Any

from guidance.decision.action import Action
from guidance.decision.catalog import Catalog, Policy
from guidance.decision.journey import keep_latest, put_latest
from guidance.decision.notes import MOST_NOTED, AgentsWord
from guidance.decision.state import LiveConversation
from guidance.decision.vocabulary import SELLING
from schemas.guidance import ActionKind, PromptState
from schemas.outcomes import DismissReason, PromptOutcome

_UNFIT = (None, DismissReason.WRONG_INTENT, DismissReason.NOT_SUITABLE, DismissReason.OTHER)


def is_dismissal(outcome: PromptOutcome) -> bool:
    """Whether the agent waved the action away, so that it counts towards its rest over all channels.

    Not so for “not now”, and for what was misheard: neither says anything of the action.
    """
    return outcome.state is PromptState.DISMISSED and outcome.reason not in (
        DismissReason.NOT_NOW,
        DismissReason.WRONG_INTENT,
    )


def with_word(
    conversation: LiveConversation, outcome: PromptOutcome, catalog: Catalog, now: datetime
) -> LiveConversation:
    """The conversation after the agent dismissed a prompt in it, by the reason they gave."""
    action_id, word = outcome.action_id, conversation.word
    changes: dict[str, Any] = {}
    said: dict[str, Any] = {}
    if outcome.reason in _UNFIT:
        said["unfit"] = (*(each for each in word.unfit if each != action_id), action_id)[-MOST_NOTED:]
    match outcome.reason:
        case DismissReason.WRONG_INTENT:
            said["disbelieved"] = _with_disbelieved(word, catalog.by_id.get(action_id), conversation)
        case DismissReason.NOT_NOW if action_id not in word.put_off:
            put_off = dict(word.put_off)
            put_latest(put_off, action_id, now + timedelta(minutes=catalog.policy.not_now_rests_minutes))
            said["put_off"] = keep_latest(put_off, MOST_NOTED)
            issued = conversation.issued.get(action_id, 0)
            changes["issued"] = {**conversation.issued, action_id: max(0, issued - 1)}  # it was not used up
        case DismissReason.CUSTOMER_MOOD:
            said["in_no_mood_until_turn"] = conversation.turns + catalog.policy.mood_rests_turns + 1
        case DismissReason.ALREADY_SAID:
            notes = conversation.notes
            changes["notes"] = notes.model_copy(update={"said": {**notes.said, action_id: conversation.turns}})
    return conversation.model_copy(update={**changes, "word": word.model_copy(update=said)})


def kept_back_because(action: Action, policy: Policy, conversation: LiveConversation, now: datetime) -> str | None:
    """Why `action` is not for now, by what the agent said, to the customer or of its prompts; None: it is."""
    word, notes = conversation.word, conversation.notes
    said = notes.said.get(action.id)
    if said is not None and action.kind is ActionKind.COMPLIANCE:
        return "the agent has said it"
    if said is not None and conversation.turns - said < policy.said_rests_turns:
        return "the agent has just said it"
    if action.kind in SELLING and conversation.turns < word.in_no_mood_until_turn:
        return "the agent says: not in this mood"
    until = word.put_off.get(action.id)
    return f"put off by the agent until {until:%H:%M:%S}" if until is not None and now < until else None


def is_back(action: Action, conversation: LiveConversation, issued_at: datetime, now: datetime) -> bool:
    """Whether the agent put off what was prompted at `issued_at`, and the pause is over: no cooldown holds it back."""
    until = conversation.word.put_off.get(action.id)
    return until is not None and issued_at < until <= now


def _with_disbelieved(
    word: AgentsWord, action: Action | None, conversation: LiveConversation
) -> dict[str, tuple[str, ...]]:
    if action is None:
        return word.disbelieved
    believed = {trigger.intent for trigger in action.triggers if trigger.intent in conversation.heard}
    known = word.disbelieved.get(action.id, ())
    wrong = tuple(sorted(label for label in {*believed, *known} if label is not None))
    disbelieved = dict(word.disbelieved)
    put_latest(disbelieved, action.id, wrong)
    return keep_latest(disbelieved, MOST_NOTED)
