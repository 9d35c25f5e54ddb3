"""Which prompts an event ends, and how."""

from datetime import datetime

from guidance.decision.action import Action
from guidance.decision.catalog import Catalog
from guidance.decision.state import LiveConversation
from schemas.conversation import Speaker
from schemas.guidance import Prompt, PromptEnding, PromptOutcome, PromptState, Tick
from schemas.intent import RoutedLifecycle, ScoredTurn

_BY_OUTCOME = {
    PromptState.ACCEPTED: "taken",
    PromptState.DISMISSED: "dismissed",
    PromptState.EXPIRED: "came too late",
}


def settle(
    conversation: LiveConversation,
    event: ScoredTurn | RoutedLifecycle | PromptOutcome | Tick,
    catalog: Catalog,
    now: datetime,
) -> tuple[PromptEnding, ...]:
    """The prompts of `conversation`, into which `event` is folded already, that end with it."""
    endings = (_ending(prompt, conversation, event, catalog, now) for prompt in conversation.prompts)
    return tuple(ending for ending in endings if ending is not None)


def _ending(
    prompt: Prompt,
    conversation: LiveConversation,
    event: ScoredTurn | RoutedLifecycle | PromptOutcome | Tick,
    catalog: Catalog,
    now: datetime,
) -> PromptEnding | None:
    if prompt.agent_id != conversation.agent_id:
        return ended(prompt, PromptState.RETRACTED, "handed over")
    if isinstance(event, PromptOutcome) and event.prompt_id == prompt.prompt_id:
        reason = _BY_OUTCOME.get(event.state)
        if reason is not None:
            spoken = event.reason.value.replace("_", " ") if event.reason else reason
            return ended(prompt, PromptState(event.state), spoken)
    if now >= prompt.expires_at:
        return ended(prompt, PromptState.EXPIRED, "out of date")
    if isinstance(event, ScoredTurn) and event.turn.is_final and event.scores is not None:
        return _ended_by_labels(prompt, event, event.scores.fired, catalog)
    return None


def _ended_by_labels(
    prompt: Prompt, event: ScoredTurn, fired: tuple[str, ...], catalog: Catalog
) -> PromptEnding | None:
    action = catalog.by_id.get(prompt.action_id)
    if action is None:
        return ended(prompt, PromptState.RETRACTED, "no longer offered")
    if event.turn.speaker is Speaker.AGENT:
        said = any(label in action.fulfilled_by for label in fired)
        return ended(prompt, PromptState.FULFILLED, "said") if said else None
    why = retracted_because(action, event)
    return None if why is None else ended(prompt, PromptState.RETRACTED, why)


def retracted_because(action: Action, turn: ScoredTurn) -> str | None:
    """Why what the customer says on `turn` makes `action` pointless, in a few words; None: it does not."""
    if turn.scores is None or turn.turn.speaker is not Speaker.CUSTOMER:
        return None
    return next((action.retracted_by[label] for label in turn.scores.fired if label in action.retracted_by), None)


def ended(prompt: Prompt, state: PromptState, reason: str) -> PromptEnding:
    """The ending of `prompt`."""
    return PromptEnding.model_validate(
        {"prompt_id": prompt.prompt_id, "action_id": prompt.action_id, "state": state, "reason": reason}
    )
