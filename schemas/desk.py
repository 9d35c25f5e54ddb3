"""All that an agent's desktop shows, in one order (`guidance.desk.v1`), and where each conversation stands
(`conversation.snapshots.v1`)."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from schemas.base import Contract, Id, Instant, Probability
from schemas.conversation import Channel, Speaker
from schemas.guidance import Prompt, PromptEnding


class _DeskRecord(Contract):
    record_id: Id
    """Unique for ever; desktops drop a second one."""
    conversation_id: Id
    agent_id: Id
    """The topic's key: whose desktop this is for."""


class ConversationOpened(_DeskRecord):
    """The agent has a conversation now: new, assigned or transferred to them."""

    type: Literal["conversation.opened"] = "conversation.opened"
    channel: Channel
    customer_id: Id | None
    customer_name: str | None
    team: Id | None
    started_at: Instant
    journey: tuple[str, ...] = ()
    """What matters of the customer's earlier contacts, a line each, newest first: "chat 2 h ago, unsolved"."""


class DeskTurn(_DeskRecord):
    """A turn with what is understood of it. A partial is replaced by the next record with its `turn_id`."""

    type: Literal["turn"] = "turn"
    turn_id: Id
    speaker: Speaker
    text: str
    """Redacted."""
    is_final: bool
    ended_at: Instant
    received_at: Instant
    intents: tuple[str, ...]
    """Labels that fired, most probable first."""
    sentiment: Literal["negative", "neutral", "positive"] | None
    """The likeliest; None where the model does not say."""
    churn_risk: Annotated[float, Field(ge=0.0, le=2.0)] | None
    confidence: Probability | None = None


class PromptIssued(_DeskRecord):
    """A prompt for the agent."""

    type: Literal["prompt"] = "prompt"
    prompt: Prompt


class PromptEnded(_DeskRecord):
    """A prompt is over: take it away, saying why."""

    type: Literal["prompt.ended"] = "prompt.ended"
    ending: PromptEnding


class ConversationClosed(_DeskRecord):
    """The agent no longer has the conversation: it ended, went idle, or was transferred away."""

    type: Literal["conversation.closed"] = "conversation.closed"
    reason: Literal["ended", "idle", "transferred"]


class AskedOffer(Contract):
    """An offer that the agent took up, and of which nobody knows what the customer made of it."""

    prompt_id: Id
    decision_id: Id
    action_id: Id
    title: str


class OutcomeAsked(_DeskRecord):
    """What came of it? Comes before the conversation is closed; `record_id` is what the answer names."""

    type: Literal["outcome.asked"] = "outcome.asked"
    route_key: Id
    customer_name: str | None
    channel: Channel
    offers: tuple[AskedOffer, ...] = Field(min_length=1, max_length=3)
    """The latest first."""
    ask_disposition: bool
    """Whether to ask how the conversation ended, too: its source has not told."""
    until: Instant
    """An answer that comes later changes nothing any more."""


DeskRecord = Annotated[
    ConversationOpened | DeskTurn | PromptIssued | PromptEnded | OutcomeAsked | ConversationClosed,
    Field(discriminator="type"),
]
DESK: TypeAdapter[DeskRecord] = TypeAdapter(DeskRecord)
"""What `guidance.desk.v1` carries."""


class DeskSpan(Contract):
    """A stretch of a conversation's desk records: those of `agent_id` from `since` on."""

    agent_id: Id
    since: Instant
    """No later than the Kafka timestamp of the first of them."""


class Snapshot(Contract):
    """Where a live conversation stands, for a desktop that comes without a cursor (`conversation.snapshots.v1`).

    The conversation's transcript is not in it: it is read from the desk records of its `spans`.
    """

    type: Literal["snapshot"] = "snapshot"
    conversation_id: Id
    route_key: Id
    channel: Channel
    customer_id: Id | None
    customer_name: str | None
    agent_id: Id | None
    team: Id | None
    started_at: Instant
    updated_at: Instant
    live_prompt: Prompt | None
    pinned: tuple[Prompt, ...]
    spans: tuple[DeskSpan, ...]
    """In order of time; the last is the present agent's. Empty while nobody has had it."""


SNAPSHOT: TypeAdapter[Snapshot] = TypeAdapter(Snapshot)
"""What `conversation.snapshots.v1` carries (its tombstones aside)."""
