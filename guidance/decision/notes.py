"""What is noted of a conversation so that it can be ended well: the agent's word, what was taken, what was missed."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.base import Instant

MOST_NOTED = 8
"""Actions kept in each of: said, taken, agreed, moments, put_off, disbelieved, unfit. The latest."""


class _Noted(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class AgentsWord(_Noted):
    """What the agent says of prompts, and what comes of it for the rest of the conversation."""

    disbelieved: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """By action: labels that no longer call for it, because the agent says that they were misheard."""
    put_off: dict[str, Instant] = Field(default_factory=dict)
    """By action: until when it waits after “not now”. Once a conversation."""
    in_no_mood_until_turn: int = 0
    """Nothing is sold before this final turn. 0: nobody said so."""
    unfit: tuple[str, ...] = ()
    """Actions that the agent says are not for this customer."""


class Taken(_Noted):
    """An offer that the agent took up: accepted on the desk, or was heard saying."""

    decision_id: str
    agent_id: str
    result: Literal["accepted", "declined"] | None = None
    """What the customer made of it, as far as it was heard or told."""


class Notes(_Noted):
    """What the end of a conversation is judged by."""

    said: dict[str, int] = Field(default_factory=dict)
    """By action: the final turn on which the agent last said what it says."""
    taken: dict[str, Taken] = Field(default_factory=dict)
    """By action."""
    agreed: dict[str, int] = Field(default_factory=dict)
    """By action: the final turn on which the customer said yes to it."""
    moments: dict[str, float] = Field(default_factory=dict)
    """By action that sells: what its moment was worth, as priority. It was prompted, or would have been in time."""
    promised_at: Instant | None = None
    """When the agent promised to come back to the customer; None: no such promise was heard."""
