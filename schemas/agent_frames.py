"""What an agent's desk and the gateway tell each other: desk records one way, the agent's answers the other.

Records come in one order, each with its cursor, after a `Reset` where the desk cannot go on from where it was. What
became of a prompt, and the answer to an `outcome.asked` record, go back, and are acknowledged once Kafka has them.
"""

from typing import Literal

from pydantic import Field

from schemas.base import Contract, Id
from schemas.desk import DeskRecord, Snapshot
from schemas.desk_session import Cursor
from schemas.guidance import PromptState
from schemas.outcomes import DismissReason, Disposition

# From an agent's desk to the gateway


class OutcomeReport(Contract):
    """What the agent did with a prompt. Saying it twice is harmless."""

    type: Literal["outcome"] = "outcome"
    prompt_id: Id
    state: Literal[PromptState.SHOWN, PromptState.ACCEPTED, PromptState.DISMISSED]
    reason: DismissReason | None = None
    """For a dismissal, when the agent said why; ignored otherwise."""
    note: str | None = Field(default=None, max_length=500)


class OfferAnswer(Contract):
    """What the customer made of one offer, as their agent tells it."""

    prompt_id: Id
    result: Literal["accepted", "declined", "open"]
    """`open`: neither yes nor no so far."""


class WrapUpReport(Contract):
    """The agent's answer to an `outcome.asked` record, or that they wave it away. Saying it twice is harmless."""

    type: Literal["wrap_up"] = "wrap_up"
    ask_id: Id
    """The record's `record_id`."""
    offers: tuple[OfferAnswer, ...] = Field(default=(), max_length=3)
    """Offers that are not named are not answered."""
    disposition: Disposition | None = None


# From the gateway to an agent's desk


class ConversationReplay(Contract):
    """One live conversation, for a desk that knows nothing of it yet."""

    snapshot: Snapshot
    """How it stands as of `records`: `live_prompt` and `pinned` are exactly what is to be shown now."""
    records: tuple[DeskRecord, ...]
    """What has been so far, oldest first, for the transcript: a former agent's turns, and all of this agent's records,
    of which the prompts are over unless the snapshot has them. The latest 500 at most."""


class Reset(Contract):
    """Forget everything: this is how things stand. Records after `cursor` follow."""

    type: Literal["reset"] = "reset"
    why: Literal["no_cursor", "too_old", "unknown_topic", "overflow"]
    """`no_cursor`: the desk came without one. `too_old`: what it missed is no longer kept. `unknown_topic`: its cursor
    is of another Kafka. `overflow`: it missed more records than are replayed one by one."""
    cursor: Cursor
    conversations: tuple[ConversationReplay, ...]
    """The agent's live conversations, oldest first; may be empty."""


class RecordFrame(Contract):
    """One of the agent's desk records, in order. A `record_id` seen before is dropped by the desk."""

    type: Literal["record"] = "record"
    cursor: Cursor
    record: DeskRecord


class Ack(Contract):
    """The reported outcome is safely in Kafka."""

    type: Literal["ack"] = "ack"
    outcome_id: Id
    prompt_id: Id
    state: PromptState


class WrappedUp(Contract):
    """The answer to a question is safely in Kafka."""

    type: Literal["wrapped_up"] = "wrapped_up"
    ask_id: Id
