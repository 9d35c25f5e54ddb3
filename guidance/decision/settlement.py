"""Which prompts an event ends, and how."""

from datetime import datetime

from guidance.decision import labels
from guidance.decision.action import Action
from guidance.decision.catalog import Catalog
from guidance.decision.facts import Facts, facts_of
from guidance.decision.state import CustomerState, LiveConversation
from guidance.decision.vocabulary import OFFERS, SELLING
from schemas.conversation import Speaker
from schemas.customer import CustomerEvent
from schemas.guidance import ActionKind, Prompt, PromptEnding, PromptState, Tick
from schemas.intent import RoutedLifecycle, ScoredTurn
from schemas.outcomes import PromptOutcome

_BY_OUTCOME = {
    PromptState.ACCEPTED: "taken",
    PromptState.DISMISSED: "dismissed",
    PromptState.EXPIRED: "came too late",
}
_OF_THE_MOMENT = frozenset(("turns", "sentiment", "churn_risk"))
"""Facts that hold for a turn: that they no longer do takes back nothing that was called for while they did."""


def settle(
    state: CustomerState,
    conversation: LiveConversation,
    event: ScoredTurn | RoutedLifecycle | PromptOutcome | CustomerEvent | Tick,
    catalog: Catalog,
    now: datetime,
) -> tuple[PromptEnding, ...]:
    """The prompts of `conversation`, into which `event` is folded already, that end with it. `state`: its customer."""
    if not conversation.prompts:
        return ()
    endings = (_ending(prompt, state, conversation, event, catalog, now) for prompt in conversation.prompts)
    return tuple(ending for ending in endings if ending is not None)


def _ending(
    prompt: Prompt,
    state: CustomerState,
    conversation: LiveConversation,
    event: ScoredTurn | RoutedLifecycle | PromptOutcome | CustomerEvent | Tick,
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
    action = catalog.by_id.get(prompt.action_id)
    match event:
        case ScoredTurn() | CustomerEvent() if action is None:
            return ended(prompt, PromptState.RETRACTED, "no longer offered")
        case ScoredTurn(turn=turn) if action is not None and turn.is_final and turn.speaker is Speaker.AGENT:
            if _is_said(action, conversation, event):
                return ended(prompt, PromptState.FULFILLED, "said")
        case ScoredTurn(turn=turn) if action is not None and turn.is_final:
            why = retracted_because(action, event) or _turned_because(action, event, conversation, catalog)
            if why is not None:
                return ended(prompt, PromptState.RETRACTED, why)
    if action is not None and isinstance(event, ScoredTurn | CustomerEvent):
        facts = facts_of(catalog.facts, state, conversation, now)
        why = _pointless_because(action, prompt, state, facts)
        return None if why is None else ended(prompt, PromptState.RETRACTED, why)
    return None


def _is_said(action: Action, conversation: LiveConversation, turn: ScoredTurn) -> bool:
    """By label, or because it means what a treatment of the action says."""
    fired = () if turn.scores is None else turn.scores.fired
    by_label = any(label in action.fulfilled_by for label in fired)
    return by_label or conversation.notes.said.get(action.id) == conversation.turns


def _turned_because(action: Action, turn: ScoredTurn, conversation: LiveConversation, catalog: Catalog) -> str | None:
    """Why what the customer says makes `action` pointless whatever its catalogue says, in a few words."""
    fired = frozenset(() if turn.scores is None else turn.scores.fired)
    if action.kind is ActionKind.COMPLIANCE:
        return None
    if action.kind is ActionKind.RETENTION and fired & labels.GROWING and not fired & labels.LEAVING:
        return "changed their mind"
    if action.kind in SELLING and action.kind is not ActionKind.RETENTION and labels.CANCEL_SERVICE in fired:
        return "changed their mind"
    if action.kind in OFFERS and any(
        agreed == conversation.turns and action_id in catalog.by_id and catalog.by_id[action_id].kind is action.kind
        for action_id, agreed in conversation.notes.agreed.items()
    ):
        return "agreed already"
    if {labels.GRATITUDE, labels.CLOSING} <= fired and not fired & labels.PROBLEMS:
        return "all is settled"
    return None


def _pointless_because(action: Action, prompt: Prompt, state: CustomerState, facts: Facts) -> str | None:
    """Why what is known by now makes a prompt pointless, wherever it came from; what is not known ends nothing."""
    refusal = state.journey.refusals.get(action.id)
    if refusal is not None and refusal.at >= prompt.created_at:
        return "said no"
    if action.kind in SELLING and facts.get("vulnerable") is True:
        return "not the moment"
    lasting = (each for each in action.eligible_if if _OF_THE_MOMENT.isdisjoint(each.facts))
    holds = all(facts.missing(each.facts) or each.holds(facts) for each in lasting)
    return None if holds else "no longer fits"


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
