"""The frames between a desktop and the gateway: JSON text frames over one websocket, protocol version 1.

    desk                                        gateway
     │ ─ hello {token, role, agent_id, cursor} ─▶ │
     │ ◀─ welcome {resumed, cursor, heartbeat} ── │  resumed: what was missed follows, record by record
     │ ◀─ reset {why, cursor, conversations} ──── │  not resumed: forget everything, this is how things stand
     │ ◀─ record {cursor, record} ─────────────── │  keep the cursor of the last frame that has one
     │ ─ outcome {prompt_id, state, reason} ────▶ │
     │ ◀─ ack {outcome_id} ────────────────────── │  it is safely in Kafka
     │ ─ wrap_up {ask_id, offers, disposition} ─▶ │  the answer to an outcome.asked record, or none: empty
     │ ◀─ wrapped_up {ask_id} ─────────────────── │  it is safely in Kafka
     │ ─ ping {n} ──────────────────────────────▶ │  every heartbeat_s
     │ ◀─ pong {n, cursor, server_time} ───────── │  a quiet desk's cursor moves on

A supervisor's desk says hello without an agent_id or a cursor, and gets `wall` and `trends` every few seconds, and
`conversation` while it watches one. Its feed is sampled: there is nothing to resume.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from schemas.base import Contract, Id, Instant
from schemas.conversation import Channel, Speaker
from schemas.desk import DeskRecord, Snapshot
from schemas.guidance import ActionKind, Decision, PromptState, ServiceLevel
from schemas.outcomes import DismissReason, Disposition

PROTOCOL = 1
"""The version that both sides of this file speak."""
MAX_DESK_FRAME_BYTES = 64 * 1024
"""The largest frame that a gateway reads from a desk, in bytes."""

Cursor = Annotated[str, Field(min_length=1, max_length=400)]
"""Where in its records a desk stands. Opaque to desks: keep the latest one, hand it back in the next hello."""

Role = Literal["agent", "supervisor"]


# From a desk to the gateway


class Hello(Contract):
    """The first frame of a session, and only the first."""

    type: Literal["hello"] = "hello"
    protocol: int = PROTOCOL
    token: str = Field(min_length=1, max_length=4096)
    role: Role
    agent_id: Id | None = None
    """Whose desk this is; None for supervisors."""
    cursor: Cursor | None = None
    """Where this page had got to; None: it knows nothing yet."""


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


class Ping(Contract):
    """The desk is alive; expected every `Welcome.heartbeat_s`."""

    type: Literal["ping"] = "ping"
    n: int = Field(ge=0)
    """Comes back in the pong."""


class Watch(Contract):
    """A supervisor opens a conversation's drawer. Replaces the one watched before."""

    type: Literal["watch"] = "watch"
    conversation_id: Id


class Unwatch(Contract):
    """A supervisor closes the drawer."""

    type: Literal["unwatch"] = "unwatch"


DeskFrame = Annotated[Hello | OutcomeReport | WrapUpReport | Ping | Watch | Unwatch, Field(discriminator="type")]
FROM_DESK: TypeAdapter[DeskFrame] = TypeAdapter(DeskFrame)
"""What a gateway reads."""


# From the gateway to any desk


class Welcome(Contract):
    """The session stands."""

    type: Literal["welcome"] = "welcome"
    protocol: int = PROTOCOL
    session_id: Id
    resumed: bool
    """True: everything after the hello's cursor follows as `record` frames. False: a `reset` follows (agents), or the
    first `wall` (supervisors)."""
    cursor: Cursor | None
    """For agents: where the desk stands now. None for supervisors."""
    heartbeat_s: float
    """Send a ping this often; silence for three of them means that the connection is gone."""
    server_time: Instant
    """The gateway's clock, to show times left and latencies by."""


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


class Pong(Contract):
    """The answer to a ping."""

    type: Literal["pong"] = "pong"
    n: int
    cursor: Cursor | None
    """The position read so far; None for supervisors."""
    server_time: Instant


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


class Status(Contract):
    """How the gateway itself is; sent when that changes, and after the welcome when it is not `live`."""

    type: Literal["status"] = "status"
    state: Literal["live", "degraded"]
    """`degraded`: nothing new reaches the gateway for now; it will follow, in order, and the session stays."""
    message: str
    """For people: what happened, what it means, what to do."""


RefusalCode = Literal[
    "malformed",
    "protocol",
    "token",
    "rights",
    "unexpected",
    "unknown_prompt",
    "unknown_question",
    "settled",
    "unknown_conversation",
    "unavailable",
    "too_slow",
    "going_away",
]


class Refused(Contract):
    """Something could not be done."""

    type: Literal["refused"] = "refused"
    code: RefusalCode
    """`malformed`: the frame could not be read. `protocol`: another version. `token`, `rights`: not let in, not yours
    to do. `unexpected`: a frame out of turn. `unknown_prompt`, `unknown_question`: this desk was never shown it.
    `settled`: the prompt was accepted or dismissed already. `unknown_conversation`: not live. `unavailable`: an outcome
    could not be stored, report it again. `too_slow`: the desk did not read. `going_away`: this gateway stops, another
    takes over."""
    message: str
    """For people: what happened, what it means, what to do."""
    closes: bool
    """True: the gateway closes the connection after this frame. For `too_slow` and `going_away` come again with the
    cursor; after the others that close, coming again the same way is refused again."""
    prompt_id: Id | None = None
    """Of the outcome that was refused; None otherwise."""
    state: PromptState | None = None
    """Of the outcome that was refused; None otherwise."""
    ask_id: Id | None = None
    """Of the answer to a question that was refused; None otherwise."""


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


GatewayFrame = Annotated[
    Welcome | Reset | RecordFrame | Pong | Ack | WrappedUp | Status | Refused | Wall | Trends | ConversationView,
    Field(discriminator="type"),
]
TO_DESK: TypeAdapter[GatewayFrame] = TypeAdapter(GatewayFrame)
"""What a desk reads."""
