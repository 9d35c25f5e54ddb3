"""What a customer does, and is, outside of live conversations (`customer.events.v1`)."""

from typing import Literal

from pydantic import Field, TypeAdapter

from schemas.base import Contract, Id, Instant
from schemas.conversation import Channel

Fact = str | int | float | bool | tuple[str, ...]
"""A customer fact: a scalar, or a list of strings (products held)."""


class CustomerEvent(Contract):
    """One event on one channel: a page viewed, an IVR path taken, a mail answered, a CRM profile, an offer made."""

    type: Literal["customer.event"] = "customer.event"
    event_id: Id
    """Unique for ever; a second record with it is a redelivery."""
    customer_id: Id
    channel: Channel
    kind: str = Field(max_length=100)
    """What happened, in the source's dotted words: `profile.updated`, `offer.made`, `selfservice.failed`."""
    at: Instant
    summary: str | None = Field(default=None, max_length=500)
    """One line for people; None where there is nothing to say."""
    intents: tuple[str, ...] = ()
    """Intents the source attributes to it, by the model's labels."""
    action_id: Id | None = None
    """For offers made elsewhere: the catalogue action; None otherwise."""
    facts: dict[str, Fact] = Field(default_factory=dict)
    """Facts this event makes true, replacing older ones of the same name: `tenure_months`, `monthly_bill`,
    `plan`, `products`, `consent_marketing`, `vulnerable`, `value_band` …"""


CUSTOMER: TypeAdapter[CustomerEvent] = TypeAdapter(CustomerEvent)
"""What `customer.events.v1` carries."""
