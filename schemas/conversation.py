"""What happens in a conversation: turns and lifecycle, as any channel reports them (`conversation.turns.v1`)."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from schemas.base import Contract, Id, Instant, Probability


class Channel(StrEnum):
    """Where customers and companies meet."""

    VOICE = "voice"
    CHAT = "chat"
    EMAIL = "email"
    WEB = "web"
    SELF_SERVICE = "self_service"
    IVR = "ivr"
    SOCIAL = "social"
    MAIL = "mail"
    CRM = "crm"


_PLACEHOLDERS = frozenset({"", "0", "-", "none", "null", "n/a", "unknown", "anonymous", "anon", "undefined"})


def known_customer(customer_id: str | None) -> str | None:
    """The id, or None where it is a placeholder that sources send when they know none: "unknown", "0" and the like."""
    return None if customer_id is None or customer_id.strip().lower() in _PLACEHOLDERS else customer_id


class Speaker(StrEnum):
    """Who speaks a turn."""

    CUSTOMER = "customer"
    AGENT = "agent"


class _ConversationEvent(Contract):
    event_id: Id
    """Unique for ever; a second record with it is a redelivery."""
    conversation_id: Id
    at: Instant
    """When it happened, by the source's clock."""


class ConversationStarted(_ConversationEvent):
    """The first event of a conversation; decides its route key."""

    type: Literal["conversation.started"] = "conversation.started"
    channel: Channel
    customer_id: Id | None = None
    """None, or a placeholder such as "unknown" or "0": the conversation is anonymous so far."""
    customer_name: str | None = Field(default=None, max_length=200)
    agent_id: Id | None = None
    """None: nobody has taken it yet; an assignment follows."""
    team: Id | None = None
    language: str = Field(default="en", max_length=35)
    """A BCP 47 tag."""


class ConversationAssigned(_ConversationEvent):
    """An agent has taken the conversation for the first time."""

    type: Literal["conversation.assigned"] = "conversation.assigned"
    agent_id: Id
    team: Id | None = None


class ConversationTransferred(_ConversationEvent):
    """The conversation has moved from one agent to another."""

    type: Literal["conversation.transferred"] = "conversation.transferred"
    agent_id: Id
    """The agent who has it now."""
    team: Id | None = None


class ConversationIdentified(_ConversationEvent):
    """An anonymous conversation's customer has become known. The route key stays as it was."""

    type: Literal["conversation.identified"] = "conversation.identified"
    customer_id: Id
    customer_name: str | None = Field(default=None, max_length=200)


class ConversationEnded(_ConversationEvent):
    """The conversation is over; nothing follows."""

    type: Literal["conversation.ended"] = "conversation.ended"
    disposition: str | None = Field(default=None, max_length=100)
    """The wrap-up code, or None while the source does not tell it."""


class Turn(Contract):
    """One speaker's uninterrupted contribution, or, while they still speak, what has been heard of it."""

    type: Literal["turn"] = "turn"
    turn_id: Id
    """Unique for ever, shared by a turn's partials and its final."""
    conversation_id: Id
    speaker: Speaker
    text: str = Field(max_length=20_000)
    """The utterance, as typed or as speech recognition wrote it; may be empty."""
    started_at: Instant
    ended_at: Instant
    """When the last word heard so far ended, by the source's clock."""
    is_final: bool = True
    revision: int = Field(default=0, ge=0)
    """Counts a turn's partials upwards from 0, so that each is a record of its own; unused on a final."""
    confidence: Probability | None = None
    """Of speech recognition; None where there was none or it does not say."""

    @property
    def input_id(self) -> str:
        """What redelivery is recognised by: the turn's id, and for a partial its revision too."""
        return self.turn_id if self.is_final else f"{self.turn_id}~{self.revision}"


Lifecycle = Annotated[
    ConversationStarted | ConversationAssigned | ConversationTransferred | ConversationIdentified | ConversationEnded,
    Field(discriminator="type"),
]
ConversationRecord = Annotated[
    Turn
    | ConversationStarted
    | ConversationAssigned
    | ConversationTransferred
    | ConversationIdentified
    | ConversationEnded,
    Field(discriminator="type"),
]
CONVERSATION: TypeAdapter[ConversationRecord] = TypeAdapter(ConversationRecord)
"""What `conversation.turns.v1` carries."""
