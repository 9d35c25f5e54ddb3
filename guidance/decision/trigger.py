"""Step 1: what a turn calls for."""

from dataclasses import dataclass
from re import Pattern

from guidance.decision.action import Action, Trigger
from guidance.decision.facts import Facts
from guidance.decision.state import LiveConversation
from schemas.conversation import Speaker
from schemas.guidance import ActionKind
from schemas.intent import ScoredTurn


@dataclass(frozen=True, slots=True)
class Call:
    """A turn calls for an action."""

    strength: float
    """The probability that the need is there: the strongest trigger's intent, or 1.0 where words or facts say so."""
    why: tuple[str, ...]
    """The triggers that hold, strongest first."""


def called_for(action: Action, turn: ScoredTurn, conversation: LiveConversation, facts: Facts) -> Call | None:
    """Whether `turn`, the latest of `conversation`, calls for `action`; None: it does not.

    A compliance line that the agent was heard saying in this conversation is not called for again.
    """
    if action.kind is ActionKind.COMPLIANCE and any(label in conversation.heard for label in action.fulfilled_by):
        return None
    strengths = [
        (strength, trigger.why)
        for trigger in action.triggers
        if (trigger.intent is None or trigger.intent in conversation.heard or trigger.at_least is not None)
        and trigger.intent not in conversation.word.disbelieved.get(action.id, ())
        and (strength := _strength(trigger, action.kind, turn, conversation, facts)) is not None
    ]
    if not strengths or (action.unless is not None and _says(turn, action.unless)):
        return None
    strengths.sort(key=lambda each: -each[0])
    return Call(strengths[0][0], tuple(dict.fromkeys(why for _, why in strengths)))


def _strength(
    trigger: Trigger, kind: ActionKind, turn: ScoredTurn, conversation: LiveConversation, facts: Facts
) -> float | None:
    """How sure it is that all the trigger names holds; None: it does not."""
    strength: float | None = 1.0
    if trigger.intent is not None:
        if trigger.at_least is not None:
            probability = 0.0 if turn.scores is None else turn.scores.intents.get(trigger.intent, 0.0)
            strength = probability if probability >= trigger.at_least else None
        else:
            strength = conversation.heard_within(trigger.intent, trigger.within_turns)
    if strength is None:
        return None
    if trigger.absent and not _is_absent(trigger, kind, turn, conversation):
        return None
    if trigger.phrases is not None and not _says(turn, trigger.phrases):
        return None
    if trigger.when is not None and not facts.holds(trigger.when):
        return None
    return strength


def _is_absent(trigger: Trigger, kind: ActionKind, turn: ScoredTurn, conversation: LiveConversation) -> bool:
    """While no model listens, nothing is heard, and that proves nothing: only compliance is then called for all the
    same, since a line said twice does less harm than one not said.
    """
    if turn.scores is None and kind is not ActionKind.COMPLIANCE:
        return False
    return conversation.turns >= trigger.after_turns and conversation.heard.keys().isdisjoint(trigger.absent)


def _says(turn: ScoredTurn, phrases: Pattern[str]) -> bool:
    return turn.turn.speaker is Speaker.CUSTOMER and phrases.search(turn.turn.text) is not None
