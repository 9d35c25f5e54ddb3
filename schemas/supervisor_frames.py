"""What a supervisor's desk sees of the floor: all live conversations on a wall, the hour's trends, and one conversation
from close by while it is watched.

The feed is sampled: each frame replaces the one of its type before, and there is nothing to resume.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Contract, Id, Instant
from schemas.conversation import Channel, Speaker
from schemas.guidance import ActionKind, Decision, PromptState, ServiceLevel

# From a supervisor's desk to the gateway


class Watch(Contract):
    """A supervisor opens a conversation's drawer. Replaces the one watched before."""

    type: Literal["watch"] = "watch"
    conversation_id: Id


class Unwatch(Contract):
    """A supervisor closes the drawer."""

    type: Literal["unwatch"] = "unwatch"


# From the gateway to a supervisor's desk


class Series(Contract):
    """A figure over the last 15 minutes."""

    now: float | None
    """None: nothing was measured yet, or nothing lately."""
    points: tuple[float | None, ...]
    """One each `Figures.step_s`, oldest first, 60 at most; None where nothing was measured."""


class Figures(Contract):
    """The top row."""

    step_s: int
    """Seconds between two points of a series."""
    live_conversations: Series
    prompts_per_minute: Series
    accepted_share: Series
    """Accepted of those accepted or dismissed, in [0, 1]."""
    turn_to_desktop_p95_ms: Series
    """From the end of a turn to the first desktop that was sent its prompt."""
    lag_s: Series
    """How far decisions are behind turns: the slowest turn of the step, those still undecided included."""
    service_level: ServiceLevel | None
    """The worst of the last minute's decisions; None: there were none."""
    service_levels: tuple[ServiceLevel | None, ...]
    """The worst of each step, as in a series."""


class PromptStanding(Contract):
    """A prompt and what has become of it so far."""

    prompt_id: Id
    action_id: Id
    kind: ActionKind
    title: str
    words: str
    why: tuple[str, ...]
    pinned: bool
    created_at: Instant
    expires_at: Instant
    state: PromptState
    reason: str | None
    """Why it ended, in a few words; None while it has not, or nobody said."""
    at: Instant
    """When it reached that state."""


class WallRow(Contract):
    """One live conversation on the wall."""

    conversation_id: Id
    customer_id: Id | None
    customer_name: str | None
    channel: Channel
    started_at: Instant
    """Of the first thing that was seen of it, where its start was not."""
    agent_id: Id | None
    team: Id | None
    intents: tuple[str, ...]
    """What fired on the customer's last final turns, latest first, each once, four at most."""
    sentiment: tuple[Annotated[float, Field(ge=-1.0, le=1.0)], ...]
    """P(positive) − P(negative) of the customer's last 20 final turns, oldest first; turns without scores left out."""
    churn_risk: Annotated[float, Field(ge=0.0, le=2.0)] | None
    """Of the customer's last scored turn; None: unknown."""
    prompt: PromptStanding | None
    """The latest that is not pinned; None: there was none."""
    need: Annotated[float, Field(ge=0.0, le=1.0)]
    """How much it needs a supervisor; rows come sorted by it, greatest first."""
    need_why: str
    """A few words: "churn risk high, two prompts dismissed"; empty where nothing stands out."""


class Wall(Contract):
    """All live conversations, sorted by need. Each wall replaces the one before."""

    type: Literal["wall"] = "wall"
    at: Instant
    figures: Figures
    live: int = Field(ge=0)
    """How many conversations are live, even where `rows` stops at 2,000."""
    rows: tuple[WallRow, ...]


class Trend(Contract):
    """How often one intent fired over the last hour."""

    intent: str
    counts: tuple[int, ...]
    """One a minute, oldest first, 60 at most; the last one is still being counted."""
    spike: bool
    """The last full five minutes are far above the hour's usual."""


class Trends(Contract):
    """Intents over the last hour, most frequent first. Sent every 15 s or so."""

    type: Literal["trends"] = "trends"
    at: Instant
    trends: tuple[Trend, ...]


class FeedTurn(Contract):
    """One turn in the drawer."""

    turn_id: Id
    speaker: Speaker
    text: str
    """Redacted."""
    ended_at: Instant
    intents: tuple[str, ...]
    sentiment: Annotated[float, Field(ge=-1.0, le=1.0)] | None
    """P(positive) − P(negative); None where the model does not say, and of a turn that goes on."""
    churn_risk: Annotated[float, Field(ge=0.0, le=2.0)] | None
    """None as for sentiment, and for agents' turns."""
    is_final: bool = True
    """False: it goes on, and what is understood of it may change."""


class ConversationView(Contract):
    """The drawer: one conversation from close by. Sent at once when watched, then whenever it changed."""

    type: Literal["conversation"] = "conversation"
    row: WallRow
    ended: bool
    """True: it is over; this is the last view of it."""
    journey: tuple[str, ...]
    """As the agent's desk was told, newest contact first."""
    turns: tuple[FeedTurn, ...]
    """The last 40 that are over, oldest first; then what is being said now, at most one a speaker."""
    prompts: tuple[PromptStanding, ...]
    """Oldest first, the last 20."""
    decisions: tuple[Decision, ...]
    """The last 5 that weighed anything, newest first, each with every candidate."""
