"""The topic table: every arrow between two processes, in code.

Keys are strings, written by Kafka's default partitioner (murmur2). All topics that one processor reads together have
the same number of partitions.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter

from schemas.conversation import CONVERSATION
from schemas.crm import CRM
from schemas.customer import CUSTOMER
from schemas.dead_letter import DEAD_LETTER
from schemas.desk import DESK, SNAPSHOT
from schemas.guidance import DECISION, TICK
from schemas.handoff import HANDOFF
from schemas.intent import INTENTS
from schemas.learning import LESSON, POSTERIOR
from schemas.outcomes import OUTCOME
from schemas.published import CATALOG, LEVERS
from schemas.requests import REPLY, REQUEST

DEFAULT_PARTITIONS = 12


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: what it carries, how it is keyed and kept, who writes and reads it."""

    name: str
    key: str | None
    """What the record key is; None: records are written to a partition by number."""
    carries: str
    """In words, for people."""
    adapter: TypeAdapter[Any] | None
    """The contract of its values, or None while no code writes it yet."""
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]
    retention: timedelta | None
    """How long records are kept; None: for ever (compacted topics)."""
    compacted: bool = False


def _topic(
    name: str,
    key: str | None,
    carries: str,
    adapter: TypeAdapter[Any] | None,
    written_by: str,
    read_by: str,
    retention: timedelta | None,
    *,
    compacted: bool = False,
) -> Topic:
    return Topic(name, key, carries, adapter, tuple(written_by.split()), tuple(read_by.split()), retention, compacted)


_DAY = timedelta(days=1)

TURNS = _topic(
    "conversation.turns.v1", "conversation_id", "turns, partial and final, and the conversation's lifecycle",
    CONVERSATION, "ingest replay", "intents", _DAY,
)  # fmt: skip
INTENTS_TOPIC = _topic(
    "conversation.intents.v1", "route key", "redacted turns with their scores; lifecycle passed through",
    INTENTS, "intents", "decisions gateway", 7 * _DAY,
)  # fmt: skip
CUSTOMER_EVENTS = _topic(
    "customer.events.v1", "customer_id", "web, IVR, mail, social, CRM events; offers made elsewhere",
    CUSTOMER, "ingest replay", "decisions", 30 * _DAY,
)  # fmt: skip
DESK_TOPIC = _topic(
    "guidance.desk.v1", "agent_id", "all that an agent's desktop shows, in one order",
    DESK, "decisions", "gateway", _DAY,
)  # fmt: skip
SNAPSHOTS = _topic(
    "conversation.snapshots.v1", "conversation_id", "where each live conversation stands; tombstone after its end",
    SNAPSHOT, "decisions", "gateway", None, compacted=True,
)  # fmt: skip
OUTCOMES = _topic(
    "guidance.outcomes.v1", "route key", "what became of each prompt",
    OUTCOME, "gateway ingest", "decisions", 30 * _DAY,
)  # fmt: skip
DECISIONS = _topic(
    "guidance.decisions.v1", "route key", "every decision with all its candidates",
    DECISION, "decisions", "gateway explain lift", 30 * _DAY,
)  # fmt: skip
HANDOFFS = _topic(
    "customer.handoffs.v1", "customer_id", "an anonymous conversation's state, then its later records",
    HANDOFF, "decisions", "decisions", 7 * _DAY,
)  # fmt: skip
LESSONS = _topic(
    "guidance.lessons.v1", "action_id", "each decision's action with what came of it",
    LESSON, "decisions", "learner lift", 90 * _DAY,
)  # fmt: skip
PROPENSITIES = _topic(
    "guidance.propensities.v1", "action_id@version", "what has been learned of each action",
    POSTERIOR, "learner", "decisions whatif lift", None, compacted=True,
)  # fmt: skip
CATALOGS = _topic(
    "guidance.catalogs.v1", "id@version", "published catalogues; the last one published is in force",
    CATALOG, "catalog", "decisions whatif", None, compacted=True,
)  # fmt: skip
LEVERS_TOPIC = _topic(
    "guidance.levers.v1", "id@version", "levers that supervisors have set; the last ones are in force",
    LEVERS, "levers", "decisions whatif", None, compacted=True,
)  # fmt: skip
REQUESTS = _topic(
    "guidance.requests.v1", "customer_id", "automated channels ask what to offer",
    REQUEST, "gateway", "decisions", _DAY,
)  # fmt: skip
REPLIES = _topic(
    "guidance.replies.v1", "reply address", "what they are told",
    REPLY, "decisions", "gateway", timedelta(hours=1),
)  # fmt: skip
CRM_ACTIONS = _topic(
    "crm.actions.v1", "customer_id", "leads, churn flags, follow-ups, channel advice",
    CRM, "decisions", "CRM", 30 * _DAY,
)  # fmt: skip
TICKS = _topic(
    "livecue.ticks.v1", None, "one tick a second, which a partition's owner writes to itself",
    TICK, "decisions", "decisions", timedelta(hours=1),
)  # fmt: skip
DEAD_LETTERS = _topic(
    "livecue.dead-letters.v1", "original key", "what could not be read, with its reason",
    DEAD_LETTER, "intents decisions learner", "operators", 30 * _DAY,
)  # fmt: skip

TOPICS: tuple[Topic, ...] = (
    TURNS, INTENTS_TOPIC, CUSTOMER_EVENTS, HANDOFFS, DESK_TOPIC, SNAPSHOTS, OUTCOMES, DECISIONS, LESSONS, PROPENSITIES,
    CATALOGS, LEVERS_TOPIC, REQUESTS, REPLIES, CRM_ACTIONS, TICKS, DEAD_LETTERS,
)  # fmt: skip


_BY_NAME = {topic.name: topic for topic in TOPICS}


def by_name(name: str) -> Topic:
    """The topic called `name`. Raises KeyError where the table has none."""
    return _BY_NAME[name]
