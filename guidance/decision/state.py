"""What is remembered of one owner, a customer or an anonymous conversation: what is live, and the journey.

What is forgotten. Both parts are bounded, and the rule is one: of each kind the newest are kept, by the time at which
they happened (of equals, by name), however late they are told; the `MOST_…` here and in `past` say how many. So the
journey is the same whatever the order in which customer events and outcomes arrive, and however often they come.
Exceptions: the fact `vulnerable` is never forgotten for others; what a live conversation heard and prompted is kept by
order of hearing, as a conversation's records come in order.

What is remembered but no longer counts, by its age: a contact towards “third contact” (`CONTACTS_COUNT_FOR`), a word
heard of vulnerability (`VULNERABLE_FOR`), an offer made elsewhere (`OFFERS_KEEP_FOR`, unless it says itself how long),
a sign of leaving (fades by half every `churn.HALF_LIFE`), refusals and dismissals (as the catalogue's policy says), the
note that a conversation was handed off (`handoff.NOTES_KEEP_FOR`).

Duplicates are recognised by the ledger (`streams.bus.ledger`): an owner's last 256 inputs, for 24 hours after the last
of them. A customer event or an outcome that comes again even later finds itself in the journey and changes nothing; a
turn does not, and is counted twice.
"""

from typing import Literal

from pydantic import Field

from guidance.decision.notes import AgentsWord, Notes
from guidance.decision.past import Journey, Remembered
from schemas.base import Instant
from schemas.conversation import Channel
from schemas.desk import DeskSpan
from schemas.guidance import Prompt

MOST_LIVE = 8
"""Live conversations of one route key; a further one closes the one that has been quiet for longest."""
MOST_SPANS = 8
"""Stretches of desk records remembered of a conversation: the latest."""
MOST_HEARD = 32
"""Labels remembered of a conversation: those heard last."""
MOST_UNANSWERED = 8
"""Conversations that are over and wait for the agent's word; a further one goes by what is known of the oldest."""
MOST_TOLD = 16
"""CRM actions remembered as told: the latest."""


class Heard(Remembered):
    """When a label last fired in a conversation."""

    turn: int
    """The conversation's final turn it fired on, counted from 1."""
    probability: float


class LivePrompt(Remembered):
    """The prompt that is on the desk, and what it won arbitration with."""

    prompt: Prompt
    priority: float


class Proposed(Remembered):
    """What the agent last proposed to the customer."""

    action_id: str
    turn: int


class LiveConversation(Remembered):
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


class Unanswered(Remembered):
    """A conversation that is over, and of which the agent was asked what came of it."""

    conversation: LiveConversation
    """As it ended, without what was on the desk."""
    until: Instant
    """How long the agent's word is waited for."""
    disposition: str | None = None


class HandedOff(Remembered):
    """A note that a conversation has moved to another owner."""

    conversation_id: str
    hop: int
    """How many moves the records had made that it concerns; 0: those straight from the source."""
    customer_id: str
    """Who has it now."""
    at: Instant


class CustomerState(Remembered):
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
