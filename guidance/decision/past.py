"""The journey: what outlives a conversation, over all channels. `state` says what of it is forgotten."""

from collections.abc import Container
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.base import Instant
from schemas.conversation import Channel
from schemas.customer import Fact

MOST_ACTIONS = 32
"""Actions remembered in each of: issued, settled, refusals, last_issued, offers, accepted. Catalogues have fewer."""
MOST_FACTS = 48
"""Facts of a customer: those told last."""
MOST_FACT_CHARS = 200
"""Of one fact, as text; a longer one is not kept."""
MOST_CONTACTS = 16
MOST_DISMISSALS = 24
MOST_ISSUES = 48
"""Instants, over all actions, at which something was put to the customer: what limits by window count."""
CONTACTS_COUNT_FOR = timedelta(days=14)
"""How long an unsolved contact counts towards “third contact”."""
VULNERABLE_FOR = timedelta(days=30)
"""How long somebody counts as vulnerable after a conversation in which it was heard, unless the CRM says otherwise."""
OFFERS_KEEP_FOR = timedelta(days=30)
"""How long an offer made elsewhere stands that does not say so itself."""


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970."""
    return round(at.timestamp() * 1000)


class Remembered(BaseModel):
    """A part of the state: a value, which never changes; fields that are not known are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Known(Remembered):
    """A customer fact and since when it is true, so that a late event does not undo a newer one."""

    value: Fact
    at: Instant


class Contact(Remembered):
    """An earlier contact on any channel: a conversation that is over, or a customer event about a problem."""

    contact_id: str
    """The conversation's id, or the customer event's."""
    channel: Channel
    at: Instant
    problems: tuple[str, ...]
    """The labels among `labels.PROBLEMS` that it was about."""
    solved: bool
    closed: Literal["ended", "idle"] | None = None
    """How the conversation closed; None: it was not a conversation."""
    failed: bool = False
    """Whether it was an attempt to help oneself that failed."""
    churn_risk: float = 0.0
    """What it showed of leaving, 0 none to 2."""


class Refusal(Remembered):
    """The customer said no to an action."""

    at: Instant
    channel: Channel


class Offer(Remembered):
    """An action was offered to the customer elsewhere: mailed, shown on the web."""

    at: Instant
    channel: Channel
    expires_at: Instant


class Dismissal(Remembered):
    """An agent dismissed a prompt. Two of one action in the same millisecond are one."""

    action_id: str
    at: Instant


class Word(Remembered):
    """What somebody says came of a decision."""

    by: Literal["business", "customer", "agent", "expiry", "silence"]
    reward: float | None
    """1 accepted, 0 not; None: it teaches nothing."""
    value: float | None = None


class Pending(Remembered):
    """A decision that prompted a winner, until it is known what came of it."""

    action_id: str
    conversation_id: str
    features: tuple[float, ...]
    features_revision: str
    prior: float
    selection_probability: float
    group: Literal["guided", "control"] | None
    decided_at: Instant
    closed_at: Instant | None = None
    """When its conversation closed; None: it is live."""
    word: Word | None = None
    """The strongest so far; None: nobody has said anything."""


class Journey(Remembered):
    """What outlives a conversation, over all channels."""

    facts: dict[str, Known] = Field(default_factory=dict)
    contacts: tuple[Contact, ...] = ()
    """Newest last."""
    refusals: dict[str, Refusal] = Field(default_factory=dict)
    """By action: the last time it was refused."""
    dismissals: tuple[Dismissal, ...] = ()
    """Newest last."""
    last_issued: dict[str, Instant] = Field(default_factory=dict)
    """By action: when it was last prompted or offered, on any channel."""
    issues: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    """By action: each time it was prompted or offered, on any channel, in ms since 1970, oldest first."""
    offers: dict[str, Offer] = Field(default_factory=dict)
    """By action: the last time it was offered elsewhere. Whether it still stands, `open_offer` says."""
    accepted: dict[str, Instant] = Field(default_factory=dict)
    """By action: when the customer last said yes to it."""
    vulnerable_at: Instant | None = None
    """When vulnerability was last heard; None: never."""
    told: tuple[str, ...] = ()
    """Ids of CRM actions that were told already, the latest: none is told twice."""
    advised: Channel | None = None
    """Where the CRM was last told that this customer is best met."""
    pending: dict[str, Pending] = Field(default_factory=dict)
    """By decision id, oldest first: what `lessons` settles."""

    def is_vulnerable(self, now: datetime) -> bool:
        """Whether nothing may be sold: the CRM says so, or it was heard lately and the CRM has not denied it since."""
        told, heard_at = self.facts.get("vulnerable"), self.vulnerable_at
        if told is not None and told.value is True:
            return True
        if heard_at is None or now - heard_at >= VULNERABLE_FOR:
            return False
        return told is None or told.value is not False or told.at <= heard_at

    def open_offer(self, action_id: str, now: datetime) -> Offer | None:
        """The offer of that action which was made elsewhere and still stands; None: there is none.

        It is closed by its expiry, and by a yes or a no that is as new as it is.
        """
        offer = self.offers.get(action_id)
        if offer is None or now >= offer.expires_at:
            return None
        refusal, accepted_at = self.refusals.get(action_id), self.accepted.get(action_id)
        answered = (refusal is not None and refusal.at >= offer.at) or (
            accepted_at is not None and accepted_at >= offer.at
        )
        return None if answered else offer

    def unsolved_contacts(self, now: datetime, besides: Container[str] = ()) -> tuple[Contact, ...]:
        """Contacts within `CONTACTS_COUNT_FOR` that were about a problem, or a failed attempt to help oneself, and did
        not solve it, newest last.

        `besides` are conversations that go on again after they had fallen silent.
        """
        return tuple(
            contact
            for contact in self.contacts
            if (contact.problems or contact.failed)
            and not contact.solved
            and now - contact.at < CONTACTS_COUNT_FOR
            and contact.contact_id not in besides
        )

    def issued_within(self, window: timedelta, now: datetime, action_id: str | None = None) -> int:
        """How often that action, or any, was put to the customer within the last `window`."""
        since = to_ms(now - window)
        of = self.issues.values() if action_id is None else (self.issues.get(action_id, ()),)
        return sum(1 for each in of for at in each if at > since)

    def contact(self, contact_id: str) -> Contact | None:
        """The remembered contact of that id; None: there was none, or it is forgotten."""
        return next((contact for contact in self.contacts if contact.contact_id == contact_id), None)

    def write(self) -> bytes:
        """As compact JSON: what is absent or empty is left out."""
        return self.model_dump_json(exclude_defaults=True).encode()
