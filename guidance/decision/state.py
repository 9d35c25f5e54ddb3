"""What is remembered of one owner, a customer or an anonymous conversation: what is live, and the journey.

What is forgotten. Both parts are bounded, and the rule is one: of each kind the newest are kept, by the time at which
they happened (of equals, by name), however late they are told; the `MOST_…` below say how many. So the journey is the
same whatever the order in which customer events and outcomes arrive, and however often they come. Exceptions: the fact
`vulnerable` is never forgotten for others; what a live conversation heard and prompted is kept by order of hearing,
as a conversation's records come in order.

What is remembered but no longer counts, by its age: a contact towards “third contact” (`CONTACTS_COUNT_FOR`), a word
heard of vulnerability (`VULNERABLE_FOR`), an offer made elsewhere (`OFFERS_KEEP_FOR`, unless it says itself how long),
a sign of leaving (fades by half every `churn.HALF_LIFE`), refusals and dismissals (as the catalogue's policy says), the
note that a conversation was handed off (`handoff.NOTES_KEEP_FOR`).

Duplicates are recognised by the ledger (`streams.bus.ledger`): an owner's last 256 inputs, for 24 hours after the last
of them. A customer event or an outcome that comes again even later finds itself in the journey and changes nothing; a
turn does not, and is counted twice.
"""

from collections.abc import Container
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from guidance.decision.notes import AgentsWord, Notes
from schemas.base import Instant
from schemas.conversation import Channel
from schemas.customer import Fact
from schemas.desk import DeskSpan
from schemas.guidance import Prompt

MOST_LIVE = 8
"""Live conversations of one route key; a further one closes the one that has been quiet for longest."""
MOST_SPANS = 8
"""Stretches of desk records remembered of a conversation: the latest."""
MOST_HEARD = 32
"""Labels remembered of a conversation: those heard last."""
MOST_ACTIONS = 32
"""Actions remembered in each of: issued, settled, refusals, last_issued, offers, accepted. Catalogues have fewer."""
MOST_FACTS = 48
"""Facts of a customer: those told last."""
MOST_FACT_CHARS = 200
"""Of one fact, as text; a longer one is not kept."""
MOST_CONTACTS = 16
MOST_UNANSWERED = 8
"""Conversations that are over and wait for the agent's word; a further one goes by what is known of the oldest."""
MOST_TOLD = 16
"""CRM actions remembered as told: the latest."""
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


class _Remembered(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Heard(_Remembered):
    """When a label last fired in a conversation."""

    turn: int
    """The conversation's final turn it fired on, counted from 1."""
    probability: float


class LivePrompt(_Remembered):
    """The prompt that is on the desk, and what it won arbitration with."""

    prompt: Prompt
    priority: float


class Proposed(_Remembered):
    """What the agent last proposed to the customer."""

    action_id: str
    turn: int


class LiveConversation(_Remembered):
    """One conversation that is going on."""

    channel: Channel
    route_key: str = ""
    """Where its records and outcomes are routed to; another owner's key where it was handed off to this one."""
    language: str = "en"
    customer_id: str | None = None
    customer_name: str | None = None
    agent_id: str | None = None
    """Who has it; None: nobody has."""
    team: str | None = None
    started_at: Instant
    heard_at: Instant
    """When the last record of it reached Kafka: silence is counted from here."""
    spans: tuple[DeskSpan, ...] = ()
    turns: int = 0
    """Final turns so far."""
    heard: dict[str, Heard] = Field(default_factory=dict)
    churn_risk: float | None = None
    """Rises at once to what a turn shows, fades by a fifth with each calmer one."""
    churn_pressure: float = 0.0
    """What its turns show of leaving, added up: see `churn`."""
    churn_peak: float = 0.0
    """The most that pressure was, as a risk, 0 to 2."""
    sentiment: Literal["negative", "neutral", "positive"] | None = None
    """Of the customer's last scored turn."""
    live: LivePrompt | None = None
    pinned: tuple[Prompt, ...] = ()
    issued: dict[str, int] = Field(default_factory=dict)
    """How often each action was prompted in this conversation."""
    settled: tuple[str, ...] = ()
    """Actions that the agent took or dismissed in this conversation."""
    proposed: Proposed | None = None
    word: AgentsWord = Field(default_factory=AgentsWord)
    notes: Notes = Field(default_factory=Notes)
    group: Literal["guided", "control"] | None = None
    """Fixed at its start; None: it began anonymous."""

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """All that are on the desk now: the live one first."""
        return self.pinned if self.live is None else (self.live.prompt, *self.pinned)

    def heard_within(self, label: str, turns: int) -> float | None:
        """The label's probability if it fired within the last `turns` final turns; None: it did not."""
        heard = self.heard.get(label)
        return heard.probability if heard is not None and self.turns - heard.turn < turns else None

    def without(self, prompt_ids: frozenset[str]) -> "LiveConversation":
        """The conversation once those prompts have ended."""
        if not any(prompt.prompt_id in prompt_ids for prompt in self.prompts):
            return self
        live = None if self.live is None or self.live.prompt.prompt_id in prompt_ids else self.live
        pinned = tuple(prompt for prompt in self.pinned if prompt.prompt_id not in prompt_ids)
        return self.model_copy(update={"live": live, "pinned": pinned})


class Known(_Remembered):
    """A customer fact and since when it is true, so that a late event does not undo a newer one."""

    value: Fact
    at: Instant


class Contact(_Remembered):
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


class Refusal(_Remembered):
    """The customer said no to an action."""

    at: Instant
    channel: Channel


class Offer(_Remembered):
    """An action was offered to the customer elsewhere: mailed, shown on the web."""

    at: Instant
    channel: Channel
    expires_at: Instant


class Dismissal(_Remembered):
    """An agent dismissed a prompt. Two of one action in the same millisecond are one."""

    action_id: str
    at: Instant


class Word(_Remembered):
    """What somebody says came of a decision."""

    by: Literal["business", "customer", "agent", "expiry", "silence"]
    reward: float | None
    """1 accepted, 0 not; None: it teaches nothing."""
    value: float | None = None


class Pending(_Remembered):
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


class Journey(_Remembered):
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


class Unanswered(_Remembered):
    """A conversation that is over, and of which the agent was asked what came of it."""

    conversation: LiveConversation
    """As it ended, without what was on the desk."""
    until: Instant
    """How long the agent's word is waited for."""
    disposition: str | None = None


class HandedOff(_Remembered):
    """A note that a conversation has moved to another owner."""

    conversation_id: str
    hop: int
    """How many moves the records had made that it concerns; 0: those straight from the source."""
    customer_id: str
    """Who has it now."""
    at: Instant


class CustomerState(_Remembered):
    """All that decisions remember of one owner. `live` changes with each turn, `journey` rarely."""

    sequence: int = 0
    """How many inputs have been folded."""
    folded: tuple[str, ...] | None = None
    """Which of them since the last decision: see `trace`. None: too many to name, or nothing was live."""
    live: dict[str, LiveConversation] = Field(default_factory=dict)
    """By conversation id."""
    handed_off: tuple[HandedOff, ...] = ()
    """Conversations that turned out to be somebody else's, newest last: see `handoff`."""
    journey: Journey = Field(default_factory=Journey)
    unanswered: dict[str, Unanswered] = Field(default_factory=dict)
    """By conversation id, the longest over first."""
    settle_at: Instant | None = None
    """When the first of the journey's pending decisions is to be settled; None: none has a time yet."""

    def with_conversation(self, conversation_id: str, conversation: LiveConversation) -> "CustomerState":
        """The state with that conversation as it now stands."""
        return self.model_copy(update={"live": {**self.live, conversation_id: conversation}})

    def write(self) -> bytes:
        """As compact JSON: what is absent or empty is left out."""
        return self.model_dump_json(exclude_defaults=True).encode()

    def write_apart(self) -> bytes:
        """The same without the journey, which many inputs leave as it was: `Journey.write` writes that."""
        return self.model_dump_json(exclude_defaults=True, exclude={"journey"}).encode()

    @classmethod
    def read(cls, written: bytes | None, journey: bytes | None = None) -> "CustomerState":
        """The state that `write` wrote, or `write_apart` and `Journey.write`; None: of somebody never seen."""
        state = cls() if written is None else cls.model_validate_json(written)
        if journey is None:
            return state
        return state.model_copy(update={"journey": Journey.model_validate_json(journey)})
