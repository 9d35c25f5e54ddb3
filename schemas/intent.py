"""What the customer wants: a turn with its scores, routed to its customer (`conversation.intents.v1`)."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from schemas.base import Contract, Id, Instant, Probability
from schemas.conversation import Channel, Lifecycle, Turn


class Scores(Contract):
    """What the intent model says of one turn. Labels are the model manifest's strings, any set."""

    model_revision: str
    intents: dict[str, Probability]
    """Calibrated probability per label of the turn's speaker; multi-label, so they need not sum to 1."""
    fired: tuple[str, ...]
    """Labels at or over their own threshold, most probable first. Empty: the turn wants nothing."""
    sentiment: dict[str, Probability] | None = None
    """Probability of `negative`, `neutral`, `positive`, summing to 1; None where the model has no such head, and for a
    text without letter or digit, which says nothing."""
    churn_risk: Annotated[float, Field(ge=0.0, le=2.0)] | None = None
    """Expected churn risk, 0 none to 2 high; None as for sentiment, and for agents' turns."""
    embedding: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]+={0,2}$", max_length=2048)] | None = None
    """Similarity embedding, of meaning and not of labels: base64 of int8, round(127·x) of each number of a unit vector.
    Comparable under one `model_revision` only. None where the model has no first stage, and for a text that says
    nothing."""
    stage: Literal["first_stage", "encoder"] | None = None
    """Which stage of the model's cascade answered; None for a text that says nothing, and in records older than the
    cascade."""


class _Routed(Contract):
    route_key: Id
    """customer_id where it was known at the start, else conversation_id; constant for the conversation."""
    channel: Channel
    customer_id: Id | None
    """None while the conversation is anonymous."""
    agent_id: Id | None
    """Who has the conversation as of this record; None while nobody has."""
    team: Id | None = None
    language: str = "en"


class ScoredTurn(_Routed):
    """A turn, redacted, with its scores."""

    type: Literal["scored.turn"] = "scored.turn"
    turn: Turn
    scores: Scores | None
    """None: the model is slow or gone (rules only), or this partial was too short to score."""
    received_at: Instant
    """When the turn reached Kafka."""

    @property
    def input_id(self) -> str:
        return self.turn.input_id

    @property
    def conversation_id(self) -> str:
        return self.turn.conversation_id


class RoutedLifecycle(_Routed):
    """A lifecycle event, passed through in its place among the turns."""

    type: Literal["routed.lifecycle"] = "routed.lifecycle"
    event: Lifecycle

    @property
    def input_id(self) -> str:
        return self.event.event_id

    @property
    def conversation_id(self) -> str:
        return self.event.conversation_id


RoutedRecord = Annotated[ScoredTurn | RoutedLifecycle, Field(discriminator="type")]
INTENTS: TypeAdapter[RoutedRecord] = TypeAdapter(RoutedRecord)
"""What `conversation.intents.v1` carries."""
