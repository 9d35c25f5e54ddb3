"""What must be true of the topics before a worker starts.

Faust would create what is missing by its own lights (one partition, one replica), and then crash for ever over
partition counts that differ, in a worker that looks healthy.
"""

from collections.abc import Sequence

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import TopicAlreadyExistsError

from streams.bus.connection import KafkaSettings

_CHANGELOG = {
    "cleanup.policy": "compact",
    "min.cleanable.dirty.ratio": "0.2",
    "segment.ms": "3600000",
    # A worker that was away for less than this finds the tombstones of rows deleted meanwhile.
    "delete.retention.ms": "604800000",
}


class TopicsRefused(RuntimeError):
    """The topics are not such that a worker could run on them. The message says which, why, and what mends it."""


def partitions_of_sources(settings: KafkaSettings, topics: Sequence[str]) -> int:
    """How many partitions each of `topics` has.

    Raises:
        TopicsRefused: one does not exist, or they do not all have the same number.
    """
    counts = _partition_counts(settings, topics)
    if missing := [topic for topic in topics if topic not in counts]:
        raise TopicsRefused(f"{_where(settings)} has no topic {', '.join(missing)}: run `livecue topics create`")
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{topic} has {counts[topic]}" for topic in topics)
        raise TopicsRefused(
            f"the topics that one processor reads must have the same number of partitions, but at {_where(settings)} "
            f"{told}: make them equal and run `livecue topics create`"
        )
    return counts[topics[0]]


def ensure_changelog(settings: KafkaSettings, topic: str, partitions: int) -> None:
    """Create the table's changelog, compacted, with as many partitions as the sources, where it is not there yet.

    Raises:
        TopicsRefused: it is there with another number of partitions.
    """
    count = _partition_counts(settings, [topic]).get(topic)
    if count is None:
        admin = KafkaAdminClient(**settings.for_kafka_python())
        try:
            # -1: the cluster's own default; a local node has one broker, a cluster usually keeps three replicas.
            admin.create_topics([NewTopic(topic, partitions, -1, topic_configs=_CHANGELOG)], wait_for_metadata=True)
        except TopicAlreadyExistsError:  # by a worker that starts beside this one
            count = _partition_counts(settings, [topic]).get(topic, partitions)
        else:
            count = partitions
        finally:
            admin.close()
    if count != partitions:
        raise TopicsRefused(
            f"the table's changelog {topic} has {count} partitions, its sources have {partitions}: rows would be "
            "looked for where they are not. Give the sources their old count again; or, to start with an empty table, "
            "delete the changelog and the workers' data directories. Then run `livecue topics create`"
        )


def _partition_counts(settings: KafkaSettings, topics: Sequence[str]) -> dict[str, int]:
    admin = KafkaAdminClient(**settings.for_kafka_python())
    try:
        described = admin.describe_topics(list(topics))
    finally:
        admin.close()
    return {topic["name"]: len(topic["partitions"]) for topic in described if topic["error_code"] == 0}


def _where(settings: KafkaSettings) -> str:
    return ", ".join(settings.servers)
