"""What could not be read, kept with its reason (`livecue.dead-letters.v1`)."""

from typing import Literal

from pydantic import TypeAdapter

from schemas.base import Contract, Id, Instant


class DeadLetter(Contract):
    """A record that was buried: what it was, why, and where it goes once it is mended."""

    type: Literal["dead.letter"] = "dead.letter"
    letter_id: Id
    """topic/partition/offset: a redelivered record is buried under the same id again."""
    topic: Id
    """Where it was found, and where to publish it again."""
    partition: int
    offset: int
    key: str | None
    """The record's key as text, undecodable bytes replaced."""
    reason: str
    processor: Id
    """Which processor buried it."""
    buried_at: Instant
    """The Kafka timestamp of the record itself, so that the letter's bytes are the same at each redelivery."""
    value: str | None
    """The record's bytes as redacted text, undecodable ones replaced, at most 64 Ki characters; None: it had none."""


DEAD_LETTER: TypeAdapter[DeadLetter] = TypeAdapter(DeadLetter)
