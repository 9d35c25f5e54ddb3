"""Every metric that Livecue exports, declared once. A label not named here does not exist.

Labels are bounded: `processor` and `topic` come from the topic table, `partition` from the broker's count, the rest
from the enumerations in `schemas`. Nothing is labelled by conversation, customer, agent or action text.
"""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_RECORDS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

# --- Workers: what streams.engine sees of any processor ---

PROCESSED = Counter(
    "livecue_records_processed", "Records processed and acked, redelivered ones counted again.", ("processor", "topic")
)
BATCH_SECONDS = Histogram(
    "livecue_batch_seconds",
    "One batch from taking it to acking it: processing, table, changelog, publishing.",
    ("processor",),
    buckets=_SECONDS,
)
PROCESS_SECONDS = Histogram(
    "livecue_process_seconds", "The processor's own share of a batch.", ("processor",), buckets=_SECONDS
)
BATCH_RECORDS = Histogram("livecue_batch_records", "Records a batch.", ("processor",), buckets=_RECORDS)
LAG = Gauge(
    "livecue_lag_records",
    "Records of a partition owned by this worker not yet acked.",
    ("processor", "topic", "partition"),
)
OWNED_PARTITIONS = Gauge("livecue_owned_partitions", "Source partitions this worker owns now.", ("processor",))
READY = Gauge(
    "livecue_ready", "1 while this worker owns what it was assigned, recovered and in motion.", ("processor",)
)
REBALANCES = Counter("livecue_rebalances", "Times this worker's partitions were revoked.", ("processor",))
ABANDONED = Counter(
    "livecue_batches_abandoned", "Batches given up because their partitions were revoked meanwhile.", ("processor",)
)
RESOUGHT = Counter(
    "livecue_resought",
    "Times a partition was sought back because records were delivered out of turn: harmless, but each one would have "
    "been a loss without it.",
    ("processor", "topic"),
)
LOG_HOLES = Counter(
    "livecue_log_hole_records",
    "Records that the log no longer holds though they were never processed. Any increase is a loss: retention passed "
    "a worker that was too far behind.",
    ("processor", "topic"),
)
COMMITS_FAILED = Counter(
    "livecue_commits_failed", "Offset commits that did not succeed, to be tried again.", ("processor",)
)
TICKS_MISSED = Counter("livecue_ticks_missed", "Seconds in which no tick could be written.", ("processor",))

# --- The API for channels without an agent ---

API_SECONDS = Histogram(
    "livecue_api_seconds", "One request, by how it ended: answered, degraded, refused.", ("how",), buckets=_SECONDS
)

# --- What decisions are made by ---

RULES_SWAPPED = Counter("livecue_rules_swapped", "Catalogues, levers, posteriors put in force.", ("topic",))
RULES_REFUSED = Counter(
    "livecue_rules_refused", "Published ones that could not be used: what was in force stayed.", ("topic",)
)

# --- Guard: what a processor could not take as it came ---

BURIED = Counter("livecue_buried", "Records that could not be read, kept as dead letters.", ("processor", "topic"))
REROUTED = Counter(
    "livecue_rerouted",
    "Records found on a partition that is not their key's, published again to it.",
    ("processor", "topic"),
)
REPUBLISHED = Counter(
    "livecue_republished", "Redelivered inputs whose messages were published again as they were.", ("processor",)
)

# --- Publishing ---

PUBLISHED = Counter("livecue_records_published", "Records stored by the broker.", ("topic",))
PUBLISH_SECONDS = Histogram(
    "livecue_publish_seconds", "From handing records over to the broker's word that all are stored.", buckets=_SECONDS
)
BUS_UNAVAILABLE = Counter("livecue_bus_unavailable", "Times publishing was given up because the broker did not answer.")

# --- Intents ---

TURNS = Counter(
    "livecue_turns",
    "Turns by what became of them: scored, unscored (model slow or gone), skipped (partials).",
    ("outcome",),
)
SCORED_BY = Counter(
    "livecue_turns_scored_by",
    "Scored turns by the stage of the model that answered: first_stage, encoder, none (the text says nothing).",
    ("stage",),
)
MODEL_UP = Gauge("livecue_model_up", "1 while turns are scored; 0 while the model is slow or gone (rules only).")
MODEL_SECONDS = Histogram("livecue_model_seconds", "One batch of texts through the intent model.", buckets=_SECONDS)

# --- Decisions ---

DECISIONS = Counter("livecue_decisions", "Decisions by the rung of the ladder they stood on.", ("service_level",))
DECIDE_SECONDS = Histogram("livecue_decide_seconds", "One turn folded and decided.", buckets=_SECONDS)
PROMPTS = Counter("livecue_prompts", "Prompts created.", ("kind",))
PASSED_ON = Counter(
    "livecue_passed_on", "Conversations handed off to their customer's owner, and their records forwarded.", ("type",)
)
ENDINGS = Counter("livecue_prompt_endings", "Prompts ended, by how.", ("state",))
TURN_TO_PROMPT_SECONDS = Histogram(
    "livecue_turn_to_prompt_seconds", "From the turn's arrival in Kafka to the decision on it.", buckets=_SECONDS
)

# --- Learner ---

LESSONS = Counter(
    "livecue_lessons",
    "Lessons by what became of them: learned, other_features (of a revision that is not in use: nothing is learned).",
    ("outcome",),
)

# --- Gateway ---

SESSIONS = Gauge("livecue_sessions", "Websockets now open.", ("role",))
SESSIONS_ENDED = Counter("livecue_sessions_ended", "Websockets closed, by why.", ("role", "reason"))
DESK_RECORDS_SENT = Counter("livecue_desk_records_sent", "Desk records sent to desktops.", ("type",))
PROMPTS_STALE = Counter("livecue_prompts_stale", "Prompts dropped by the gateway because they had expired.")
RESUMES = Counter(
    "livecue_resumes",
    "Desktops that came back, by how: replayed from their cursor, or reset with a snapshot.",
    ("how",),
)
OUTCOMES = Counter("livecue_outcomes", "Prompt outcomes taken from desktops.", ("state",))
