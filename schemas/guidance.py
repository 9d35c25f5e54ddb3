"""What the engine decides, and what becomes of it: decisions, prompts, outcomes, ticks."""

from enum import StrEnum
from typing import Literal

from pydantic import Field, TypeAdapter

from schemas.base import Contract, Id, Instant, Probability
from schemas.conversation import Channel


class ActionKind(StrEnum):
    """What an action is for."""

    RETENTION = "retention"
    UPSELL = "upsell"
    CROSS_SELL = "cross_sell"
    SERVICE = "service"
    COMPLIANCE = "compliance"
    COACHING = "coaching"
    CHANNEL = "channel"
    COLLECTIONS = "collections"


class ServiceLevel(StrEnum):
    """How much of the engine a decision could use: the ladder of degradation, best first."""

    ALL_WELL = "all_well"
    RULES_ONLY = "rules_only"
    COMPLIANCE_ONLY = "compliance_only"


class Fate(StrEnum):
    """What became of a candidate in one decision."""

    WON = "won"
    PINNED = "pinned"
    """A compliance action that is shown beside the winner: pinned ones never compete."""
    LOST = "lost"
    SUPPRESSED = "suppressed"
    INELIGIBLE = "ineligible"
    NOT_TRIGGERED = "not_triggered"


class PromptState(StrEnum):
    """Where a prompt stands. The last six end it."""

    CREATED = "created"
    DELIVERED = "delivered"
    SHOWN = "shown"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    RETRACTED = "retracted"
    FULFILLED = "fulfilled"
    """The agent was heard saying it: how a compliance line is ticked off."""


class Candidate(Contract):
    """One action of the catalogue in one decision: its numbers, its fate and why, in words."""

    action_id: Id
    kind: ActionKind
    fate: Fate
    reason: str
    """One clause for people: "lost to keep_loyalty_discount", "cooling down until 10:21", "needs tenure_months"."""
    propensity: Probability | None = None
    """P, the probability that it is accepted; None where the candidate did not get as far as arbitration. So below."""
    context_weight: float | None = None
    """C, dimensionless, 1.0 neutral."""
    value: float | None = None
    """V, the business value less its cost, in the catalogue's currency."""
    lever: float | None = None
    """L, dimensionless, 1.0 neutral."""
    priority: float | None = None
    """P × C × V × L."""
    selection_probability: Probability | None = None
    """How likely it was, before anything was drawn, that this one would be chosen; for arbitrated candidates."""
    posterior: str | None = None
    """action_id@version of what was learned and used for P; None: the catalogue's prior."""
    features: tuple[float, ...] = ()
    """What P was reckoned from, in the order of `Versions.features`; empty for those that were not arbitrated."""


class Versions(Contract):
    """Everything versioned that a decision was made with."""

    catalog: str
    """id@revision."""
    model: str | None
    """The model revision, or None when the decision had no scores."""
    levers: str | None = None
    propensities: str | None = None
    echoes: str | None = None
    """The model revision that the catalogue's treatments are embedded with; None: labels alone told what was said."""
    features: str | None = None
    """Which numbers a candidate's `features` are; None in records from before there were any."""


class Prompt(Contract):
    """One treatment delivered to one desktop, once."""

    prompt_id: Id
    decision_id: Id
    conversation_id: Id
    route_key: Id
    agent_id: Id
    action_id: Id
    kind: ActionKind
    title: str
    words: str
    """What to say, placeholders filled in, at most 30 words or so."""
    steps: tuple[str, ...] = ()
    """What to mention on the way, in order."""
    why: tuple[str, ...] = ()
    """A few words each: "wants to leave", "6 yrs a customer"."""
    channel: Channel
    language: str = "en"
    pinned: bool = False
    """Compliance: stays beside the live prompt until heard or out of date."""
    turn_id: Id
    """The turn that called for it."""
    turn_ended_at: Instant
    """When that turn ended, by its source's clock."""
    created_at: Instant
    expires_at: Instant
    """Worthless from here on: every hop drops it and records it as expired."""


class PromptEnding(Contract):
    """The end of a prompt that an earlier decision had made."""

    prompt_id: Id
    action_id: Id
    state: Literal[
        PromptState.ACCEPTED,
        PromptState.DISMISSED,
        PromptState.EXPIRED,
        PromptState.SUPERSEDED,
        PromptState.RETRACTED,
        PromptState.FULFILLED,
    ]
    reason: str
    """Four words or so for the desktop: "she said no", "already said"."""


class Decision(Contract):
    """All that was weighed on one final turn, enough to decide it again byte for byte."""

    type: Literal["decision"] = "decision"
    occasion: Literal["turn", "request"] = "turn"
    """What it was made on: a turn, or the request of a channel without an agent, whose conversation and turn are then
    the request itself, by the id `request:` and its own."""
    decision_id: Id
    """Sortable: route key's partition, the turn's time, then a hash of the input's id. Comes from the input alone."""
    input_id: Id
    turn_id: Id
    conversation_id: Id
    route_key: Id
    customer_id: Id | None
    agent_id: Id | None
    sequence: int = Field(ge=1)
    """Which of its route key's inputs it is, from 1."""
    owner: Id | None = None
    """The customer on whose state it was decided, where the conversation has moved to them; None: the route key's."""
    folded: tuple[str, ...] | None = None
    """What its owner's state took in since the previous decision, in order: that decision's own input first, then
    `input_id_of` each, and `tick@<ms since 1970>` for a tick that changed something. None: `state` says it all (or the
    decision is older than this field)."""
    state: str | None = None
    """All that was remembered before this very input, as the decision core writes it: the first decision since nothing
    was live has it, so that all later ones can be decided again from here. None on those."""
    now: Instant
    """The input record's Kafka timestamp: the only clock the decision knew."""
    seed: int = Field(ge=0)
    service_level: ServiceLevel
    versions: Versions
    candidates: tuple[Candidate, ...]
    """Every action of the catalogue, in arbitration's order, then by id."""
    winner: Id | None
    """The action that won arbitration; None: nothing is worth saying now."""
    group: Literal["guided", "control"] | None = None
    """Of the conversation, fixed while it lasts: the control group gets a random eligible action. None: it began
    anonymous, and is left out of lift."""
    prompts: tuple[Prompt, ...]
    """The winner's prompt first, then newly pinned ones. Empty while nobody has the conversation."""
    endings: tuple[PromptEnding, ...]
    """Prompts that this decision ended."""


DECISION: TypeAdapter[Decision] = TypeAdapter(Decision)
"""What `guidance.decisions.v1` carries."""


class Tick(Contract):
    """A second has passed on one partition: what makes time an input like any other (`livecue.ticks.v1`)."""

    type: Literal["tick"] = "tick"
    at: Instant


TICK: TypeAdapter[Tick] = TypeAdapter(Tick)
