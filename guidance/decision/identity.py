"""Ids and seeds that come from an input alone: decided again, anywhere, they are the same."""

from hashlib import sha256

from guidance.decision.fold import Event
from schemas.customer import CustomerEvent
from schemas.handoff import Forwarded, Handoff, HandoffRecord
from schemas.intent import RoutedLifecycle, ScoredTurn
from schemas.outcomes import BusinessOutcome, PromptOutcome, WrapUp
from schemas.requests import DecisionRequest

_EPOCH_MS_DIGITS = 13


def input_id_of(event: Event | DecisionRequest | HandoffRecord) -> str:
    """Unique over all kinds of inputs: sources choose their own ids, and two may choose the same."""
    match event:
        case ScoredTurn():
            return event.input_id
        case RoutedLifecycle():
            return f"lifecycle:{event.input_id}"
        case CustomerEvent():
            return f"event:{event.event_id}"
        case DecisionRequest():
            return f"request:{event.request_id}"
        case PromptOutcome() | BusinessOutcome() | WrapUp():
            return f"outcome:{event.outcome_id}"
        case Handoff():
            return f"handoff:{event.conversation_id}:{event.hop}"
        case Forwarded():
            return input_id_of(event.record)


def decision_id_of(partition: int, turn: ScoredTurn) -> str:
    """The id of the decision on `turn`, whose route key lives on `partition`; sorts by partition, then by time."""
    ended_ms = max(0, round(turn.turn.ended_at.timestamp() * 1000))
    return f"{partition:03d}-{ended_ms:0{_EPOCH_MS_DIGITS}d}-{_digest(turn.input_id)[:12]}"


def partition_of(decision_id: str) -> int:
    """The partition of its conversation's route key. Raises ValueError: it is no decision's id."""
    return int(decision_id.partition("-")[0])


def prompt_id_of(decision_id: str, action_id: str) -> str:
    """The id of the one prompt that a decision makes of an action."""
    return f"{decision_id}.{action_id}"


def record_id_of(input_id: str, conversation_id: str, what: str) -> str:
    """The id of a desk record that an input gave rise to; `what` tells it from the conversation's others of it."""
    return f"{_digest(f'{input_id}|{conversation_id}')[:16]}.{what}"


def crm_action_id_of(customer_id: str, conversation_id: str, kind: str) -> str:
    """The id of the one CRM action of its kind that a conversation gives rise to."""
    return f"{_digest(f'{customer_id}|{conversation_id}')[:16]}.{kind}"


def seed_of(input_id: str) -> int:
    """The seed of whatever is drawn at random on this input, below 2⁵³ so that every JSON reader keeps it whole."""
    return int(_digest(input_id)[-12:], 16)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
