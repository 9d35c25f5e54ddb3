"""An automated channel asks what to offer (`guidance.requests.v1`), and is told (`guidance.replies.v1`)."""

from typing import Literal

from pydantic import Field, TypeAdapter

from schemas.base import Contract, Id, Instant, Probability
from schemas.conversation import Channel
from schemas.customer import Fact
from schemas.guidance import ActionKind


class DecisionRequest(Contract):
    """What a channel without an agent asks. Keyed by `customer_id`."""

    type: Literal["decision.request"] = "decision.request"
    request_id: Id
    """Unique for ever; a second record with it is a redelivery and gets the same reply."""
    customer_id: Id
    channel: Channel
    language: str = Field(default="en", max_length=35)
    intents: dict[str, Probability] = Field(default_factory=dict)
    """What the channel knows of what the customer wants, by the model's labels."""
    facts: dict[str, Fact] = Field(default_factory=dict)
    """Facts of this moment alone; they are not remembered."""
    limit: int = Field(default=3, ge=1, le=20)
    """At most so many actions are wanted."""
    asked_at: Instant
    reply_to: Id
    """The reply's key: whoever asked knows its own by it."""


REQUEST: TypeAdapter[DecisionRequest] = TypeAdapter(DecisionRequest)
"""What `guidance.requests.v1` carries."""


class RankedAction(Contract):
    """One action that may be offered on that channel now."""

    action_id: Id
    kind: ActionKind
    title: str
    words: str
    steps: tuple[str, ...] = ()
    language: str
    propensity: Probability
    priority: float


class DecisionReply(Contract):
    """The answer, keyed by the request's `reply_to`."""

    type: Literal["decision.reply"] = "decision.reply"
    request_id: Id
    reply_to: Id
    decision_id: Id
    """Under which `explain` finds it."""
    customer_id: Id
    actions: tuple[RankedAction, ...]
    """Compliance lines, which are to be shown whatever else is, then the others, best first. Empty: nothing is worth
    offering now."""
    decided_at: Instant


REPLY: TypeAdapter[DecisionReply] = TypeAdapter(DecisionReply)
"""What `guidance.replies.v1` carries."""
