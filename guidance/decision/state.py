"""What is remembered of one route key: its live conversations, and the journey that outlives them.

Both parts are bounded. The latest is kept and the oldest forgotten, by these limits; `fold` applies them.
"""

from collections.abc import Container
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

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
"""Actions remembered in each of: issued, settled, refusals, last_issued. Catalogues have fewer."""
MOST_FACTS = 48
"""Facts of a customer: those told last."""
MOST_FACT_CHARS = 200
"""Of one fact, as text; a longer one is not kept."""
MOST_CONTACTS = 12
MOST_DISMISSALS = 24
CONTACTS_COUNT_FOR = timedelta(days=14)
"""How long an unsolved contact counts towards “third contact”."""
VULNERABLE_FOR = timedelta(days=30)
"""How long somebody counts as vulnerable after a conversation in which it was heard, unless the CRM says otherwise."""


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
    sentiment: Literal["negative", "neutral", "positive"] | None = None
    """Of the customer's last scored turn."""
    live: LivePrompt | None = None
    pinned: tuple[Prompt, ...] = ()
    issued: dict[str, int] = Field(default_factory=dict)
    """How often each action was prompted in this conversation."""
    settled: tuple[str, ...] = ()
    """Actions that the agent took or dismissed in this conversation."""
    proposed: Proposed | None = None
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
    """An earlier contact on any channel: a conversation that is over, or a failed attempt to help oneself."""

    contact_id: str
    """The conversation's id, or the customer event's."""
    channel: Channel
    at: Instant
    problems: tuple[str, ...]
    """The labels among `labels.PROBLEMS` that it was about."""
    solved: bool
    closed: Literal["ended", "idle"] | None = None
    """How the conversation closed; None: it was not a conversation."""


class Refusal(_Remembered):
    """The customer said no to an action."""

    at: Instant
    channel: Channel


class Dismissal(_Remembered):
    """An agent dismissed a prompt."""

    action_id: str
    at: Instant


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
    vulnerable_at: Instant | None = None
    """When vulnerability was last heard; None: never, or the CRM has said otherwise since."""

    def is_vulnerable(self, now: datetime) -> bool:
        """Whether nothing may be sold: the CRM says so, or it was heard within `VULNERABLE_FOR`."""
        told = self.facts.get("vulnerable")
        return (told is not None and told.value is True) or (
            self.vulnerable_at is not None and now - self.vulnerable_at < VULNERABLE_FOR
        )

    def unsolved_contacts(self, now: datetime, besides: Container[str] = ()) -> tuple[Contact, ...]:
        """Contacts within `CONTACTS_COUNT_FOR` that were about a problem and did not solve it, newest last.

        `besides` are conversations that go on again after they had fallen silent.
        """
        return tuple(
            contact
            for contact in self.contacts
            if contact.problems
            and not contact.solved
            and now - contact.at < CONTACTS_COUNT_FOR
            and contact.contact_id not in besides
        )

    def contact(self, contact_id: str) -> Contact | None:
        """The remembered contact of that id; None: there was none, or it is forgotten."""
        return next((contact for contact in self.contacts if contact.contact_id == contact_id), None)


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


class CustomerState(_Remembered):
    """All that decisions remember of one route key. `live` changes with each turn, `journey` rarely."""

    sequence: int = 0
    """How many inputs have been folded."""
    live: dict[str, LiveConversation] = Field(default_factory=dict)
    """By conversation id."""
    journey: Journey = Field(default_factory=Journey)
    pending: dict[str, Pending] = Field(default_factory=dict)
    """By decision id, oldest first: what `lessons` settles."""

    def with_conversation(self, conversation_id: str, conversation: LiveConversation) -> "CustomerState":
        """The state with that conversation as it now stands."""
        return self.model_copy(update={"live": {**self.live, conversation_id: conversation}})

    def write(self) -> bytes:
        """As compact JSON: what is absent or empty is left out."""
        return self.model_dump_json(exclude_defaults=True).encode()

    @classmethod
    def read(cls, written: bytes | None) -> "CustomerState":
        """The state that `write` wrote; None: of somebody never seen."""
        return cls() if written is None else cls.model_validate_json(written)
