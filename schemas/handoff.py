"""An anonymous conversation whose customer became known moves to the customer's owner (`customer.handoffs.v1`)."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from schemas.base import Contract, Id
from schemas.intent import RoutedLifecycle, ScoredTurn
from schemas.outcomes import BusinessOutcome, PromptOutcome, WrapUp


class Handoff(Contract):
    """The old owner's last word: all that it remembers of the conversation. Keyed by `customer_id`."""

    type: Literal["handoff"] = "handoff"
    conversation_id: Id
    customer_id: Id
    route_key: Id
    """Where the conversation's records go on being routed to: its first owner."""
    hop: int = Field(default=1, ge=1)
    """Which move of the conversation's it is: 1 the first."""
    carried: str
    """What is remembered, as the decision core writes it; opaque to everybody else."""


class Forwarded(Contract):
    """A later record of a conversation that was handed off, sent on by its old owner. Keyed by `customer_id`."""

    type: Literal["forwarded"] = "forwarded"
    conversation_id: Id
    customer_id: Id
    hop: int = Field(default=1, ge=1)
    """How many moves the record has made with this one."""
    record: Annotated[
        ScoredTurn | RoutedLifecycle | PromptOutcome | BusinessOutcome | WrapUp, Field(discriminator="type")
    ]


HandoffRecord = Annotated[Handoff | Forwarded, Field(discriminator="type")]
HANDOFF: TypeAdapter[HandoffRecord] = TypeAdapter(HandoffRecord)
"""What `customer.handoffs.v1` carries."""
