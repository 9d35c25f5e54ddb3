"""What becomes of prompts (`guidance.outcomes.v1`): shown, answered, and what the customer did in the end."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from schemas.base import Contract, Id, Instant
from schemas.guidance import PromptState


class DismissReason(StrEnum):
    """What was wrong with a prompt, in one tap."""

    NOT_NOW = "not_now"
    WRONG_INTENT = "wrong_intent"
    ALREADY_SAID = "already_said"
    NOT_SUITABLE = "not_suitable"
    CUSTOMER_MOOD = "customer_mood"
    OTHER = "other"


class PromptOutcome(Contract):
    """What became of a prompt, as a desktop, the gateway or the CRM tells it (`guidance.outcomes.v1`)."""

    type: Literal["prompt.outcome"] = "prompt.outcome"
    outcome_id: Id
    """`outcome_id_of(prompt_id, state)`: a prompt reaches each state once."""
    prompt_id: Id
    decision_id: Id
    conversation_id: Id
    route_key: Id
    agent_id: Id
    action_id: Id
    state: Literal[
        PromptState.DELIVERED,
        PromptState.SHOWN,
        PromptState.ACCEPTED,
        PromptState.DISMISSED,
        PromptState.EXPIRED,
    ]
    reason: DismissReason | None = None
    """For a dismissal; None otherwise, and where the agent did not say."""
    note: str | None = Field(default=None, max_length=500)
    at: Instant
    """When it happened, by the gateway's clock."""


def outcome_id_of(prompt_id: str, state: PromptState) -> str:
    """The one id of "this prompt reached this state", whoever reports it and however often."""
    return f"{prompt_id}:{state.value}"


class BusinessOutcome(Contract):
    """What the customer did in the end, as a system of record tells it: days later, as may be."""

    type: Literal["business.outcome"] = "business.outcome"
    outcome_id: Id
    """Unique for ever; a second record with it is a redelivery."""
    decision_id: Id
    conversation_id: Id
    route_key: Id
    action_id: Id
    result: Literal["accepted", "declined"]
    value: float | None = None
    """What it brought, in the catalogue's currency; None where it is not told."""
    at: Instant


class Disposition(StrEnum):
    """How a conversation ended, as its agent is asked."""

    SOLVED = "solved"
    UNSOLVED = "unsolved"
    FOLLOW_UP = "follow_up"
    """The customer is to be contacted again."""


class WrapUp(Contract):
    """The agent has answered what came of a conversation, or waved the question away. What the customer made of each
    offer comes before it, as business outcomes."""

    type: Literal["wrap.up"] = "wrap.up"
    outcome_id: Id
    """`wrap_up_id_of(ask_id)`: each question is answered once."""
    conversation_id: Id
    route_key: Id
    agent_id: Id
    disposition: Disposition | None = None
    """None: the agent did not say."""
    at: Instant
    """When it was answered, by the gateway's clock."""


def customer_outcome_id_of(prompt_id: str) -> str:
    """The one id of "the customer's answer to this prompt, as the agent tells it"."""
    return f"{prompt_id}:customer"


def wrap_up_id_of(ask_id: str) -> str:
    """The one id of the answer to a desk's question, which is known by its record's id."""
    return f"{ask_id}:wrap_up"


OutcomeRecord = Annotated[PromptOutcome | BusinessOutcome | WrapUp, Field(discriminator="type")]
OUTCOME: TypeAdapter[OutcomeRecord] = TypeAdapter(OutcomeRecord)
"""What `guidance.outcomes.v1` carries."""
