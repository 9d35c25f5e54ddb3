"""What `intents` remembers of a conversation: a pure fold over its lifecycle and turns."""

from typing import Literal

from pydantic import Field

from models.redaction import Memory, redact
from schemas.base import Contract
from schemas.conversation import (
    Channel,
    ConversationAssigned,
    ConversationEnded,
    ConversationIdentified,
    ConversationStarted,
    ConversationTransferred,
    Lifecycle,
    Speaker,
    Turn,
    known_customer,
)


class Conversation(Contract):
    """One row of the conversation table."""

    version: Literal[1] = 1
    route_key: str
    """customer_id if known when the conversation started, else conversation_id; never changes."""
    channel: Channel
    customer_id: str | None = None
    agent_id: str | None = None
    team: str | None = None
    language: str = "en"
    redaction: dict[str, Memory] = Field(default_factory=dict)
    """Per speaker, what redaction must remember: numbers are split across turns."""


def fold_lifecycle(conversation: Conversation | None, event: Lifecycle) -> Conversation:
    """The conversation after `event`; None: this is the first that is heard of it."""
    if isinstance(event, ConversationStarted):
        customer_id = known_customer(event.customer_id)
        route_key = conversation.route_key if conversation else customer_id or event.conversation_id
        return Conversation(
            route_key=route_key,
            channel=event.channel,
            customer_id=customer_id or (conversation.customer_id if conversation else None),
            agent_id=event.agent_id or (conversation.agent_id if conversation else None),
            team=event.team or (conversation.team if conversation else None),
            language=event.language,
            redaction=conversation.redaction if conversation else {},
        )
    conversation = conversation or unannounced(event.conversation_id)
    match event:
        case ConversationAssigned() | ConversationTransferred():
            return conversation.model_copy(update={"agent_id": event.agent_id, "team": event.team or conversation.team})
        case ConversationIdentified():
            # A placeholder says nothing: the conversation stays anonymous, or whose it was.
            customer_id = known_customer(event.customer_id) or conversation.customer_id
            return conversation.model_copy(update={"customer_id": customer_id})
        case ConversationEnded():
            return conversation.model_copy(update={"redaction": {}})


def fold_turn(conversation: Conversation | None, turn: Turn) -> tuple[Conversation, Turn]:
    """The conversation after `turn`, and the turn as it may be stored. A partial is redacted but not remembered: its
    words come again in the next."""
    conversation = conversation or unannounced(turn.conversation_id)
    other = Speaker.AGENT if turn.speaker is Speaker.CUSTOMER else Speaker.CUSTOMER
    own, heard = conversation.redaction.get(turn.speaker, Memory()), conversation.redaction.get(other)
    text, memory = redact(turn.text, own, heard)
    if turn.is_final:
        conversation = conversation.model_copy(
            update={"redaction": {**conversation.redaction, turn.speaker.value: memory}}
        )
    return conversation, turn.model_copy(update={"text": text})


def unannounced(conversation_id: str) -> Conversation:
    """A conversation whose start was never heard: anonymous, nobody's, and by voice until told otherwise."""
    return Conversation(route_key=conversation_id, channel=Channel.VOICE)
