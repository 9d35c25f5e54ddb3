"""Ids and seeds that come from an input alone: decided again, anywhere, they are the same."""

from hashlib import sha256

from schemas.intent import ScoredTurn

_EPOCH_MS_DIGITS = 13


def decision_id_of(partition: int, turn: ScoredTurn) -> str:
    """The id of the decision on `turn`, whose route key lives on `partition`; sorts by partition, then by time."""
    ended_ms = max(0, round(turn.turn.ended_at.timestamp() * 1000))
    return f"{partition:03d}-{ended_ms:0{_EPOCH_MS_DIGITS}d}-{_digest(turn.input_id)[:12]}"


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
