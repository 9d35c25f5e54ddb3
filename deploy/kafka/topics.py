"""Provision the topic table of `schemas.topics` on a Kafka, and refuse a Kafka whose topics are not as it says."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from deploy.kafka.errors import LocalKafkaError
from schemas.topics import DEFAULT_PARTITIONS, TOPICS, Topic
from streams.bus.connection import KafkaSettings

_ANSWER_TIMEOUT = timedelta(seconds=5)
_SEGMENTS_PER_RETENTION = 4
_COMPACTED_SEGMENT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as a Kafka has it."""

    partitions: int
    settings: Mapping[str, str]
    """Of its settings, those that `demanded` names."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing about one topic that is not as the table says."""

    topic: str
    found: str
    expected: str
    mend: str
    """What a person can do about it."""


class TopicsMismatch(LocalKafkaError):
    """The topics of a Kafka are not as the table says; nothing has been changed on it."""

    def __init__(self, servers: str, mismatches: Sequence[Mismatch]) -> None:
        wrong = [f"  {each.topic}: found {each.found}, expected {each.expected}" for each in mismatches]
        ways = dict.fromkeys(f"  {each.mend}" for each in mismatches)  # one way may mend many
        super().__init__("\n".join([f"the topics at {servers} are not as they must be", *wrong, "To mend it:", *ways]))
        self.mismatches = tuple(mismatches)


def create(
    kafka: KafkaSettings,
    *,
    partitions: int = DEFAULT_PARTITIONS,
    replication: int | None = None,
    topics: Sequence[Topic] = TOPICS,
) -> tuple[str, ...]:
    """Create those of `topics` that the cluster `kafka` lacks, and return their names once all have leaders.

    Topics that are there already are left alone, whoever made them. `replication`: copies of each record, at least 1;
    None: as many as the cluster makes by default.

    Raises TopicsMismatch, before it creates anything, where one that is there is not as the table says, and
    LocalKafkaError where Kafka does not answer or refuses.
    """
    with _admin(kafka) as admin:
        there = _find(admin, topics)
        _refuse(kafka, mismatches([topic for topic in topics if topic.name in there], there, partitions))
        missing = [topic for topic in topics if topic.name not in there]
        if missing:
            answer = admin.create_topics(
                {
                    topic.name: {
                        "num_partitions": partitions,
                        "replication_factor": replication or -1,
                        "configs": {**demanded(topic), "segment.ms": _ms(_segment(topic))},
                    }
                    for topic in missing
                },
                raise_errors=False,
            )
            for each in answer["topics"]:
                # Another process may be creating them at this very moment; whether as it should is checked below.
                if each["error_code"] not in (0, TopicAlreadyExistsError.errno):
                    why = each["error_message"] or for_code(each["error_code"]).__name__
                    raise LocalKafkaError(f"Kafka at {_servers(kafka)} refuses to create {each['name']}: {why}")
            admin.wait_for_topics([topic.name for topic in missing])
        _refuse(kafka, mismatches(topics, _find(admin, topics), partitions))
    return tuple(topic.name for topic in missing)


def check(
    kafka: KafkaSettings,
    *,
    partitions: int | None = None,
    topics: Sequence[Topic] = TOPICS,
) -> int:
    """Make sure that the cluster `kafka` has all `topics` as the table says, and return their partition count.

    `partitions` None: any count will do, as long as all topics have the same. Changes nothing.
    Raises TopicsMismatch with all that is wrong, and LocalKafkaError where Kafka does not answer.
    """
    with _admin(kafka) as admin:
        there = _find(admin, topics)
    _refuse(kafka, mismatches(topics, there, partitions))
    return max(found.partitions for found in there.values())


def mismatches(topics: Sequence[Topic], there: Mapping[str, Found], partitions: int | None) -> list[Mismatch]:
    """All that is wrong with the topics that are `there` (by name), in the table's order.

    `partitions` None: the highest count found is taken for the one that all should have.
    """
    expected = partitions or max((found.partitions for found in there.values()), default=DEFAULT_PARTITIONS)
    return list(chain.from_iterable(_mismatches(topic, there.get(topic.name), expected) for topic in topics))


def _mismatches(topic: Topic, found: Found | None, partitions: int) -> Iterator[Mismatch]:
    if found is None:
        yield Mismatch(topic.name, "no such topic", f"{partitions} partitions", "Run livecue topics create.")
        return
    if found.partitions != partitions:
        yield Mismatch(
            topic.name,
            f"{found.partitions} partitions",
            f"{partitions}, as all topics must have",
            "Kafka cannot take partitions away, and adding some parts keys from their order and state: either stop the "
            "workers, delete the topic with its records and run livecue topics create, or settle on the count that the "
            "topics have, with --partitions.",
        )
    for name, value in demanded(topic).items():
        if found.settings.get(name) != value:
            yield Mismatch(
                topic.name,
                f"{name}={found.settings.get(name)}",
                f"{name}={value}",
                f"Run kafka-configs --alter --topic {topic.name} --add-config {name}={value}.",
            )


def demanded(topic: Topic) -> dict[str, str]:
    """The settings, in Kafka's names, that a topic must have to keep what the table says for as long as it says."""
    if topic.compacted:
        return {"cleanup.policy": "compact"}
    return {"cleanup.policy": "delete", "retention.ms": "-1" if topic.retention is None else _ms(topic.retention)}


def _segment(topic: Topic) -> timedelta:
    """After how long Kafka begins a new file: only older files are ever deleted or compacted.

    Its default, seven days, would keep for a week what the table keeps for an hour.
    """
    return _COMPACTED_SEGMENT if topic.retention is None else topic.retention / _SEGMENTS_PER_RETENTION


def _find(admin: KafkaAdminClient, topics: Sequence[Topic]) -> dict[str, Found]:
    """Those of `topics` that are there, by name."""
    described = {each["name"]: each for each in admin.describe_topics([topic.name for topic in topics])}
    there = [topic for topic in topics if described[topic.name]["partitions"]]
    if not there:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name, list(demanded(topic))) for topic in there]
    settings = admin.describe_configs(resources, config_filter="all")["topic"]
    return {
        topic.name: Found(
            len(described[topic.name]["partitions"]),
            {name: setting["value"] for name, setting in settings[topic.name].items()},
        )
        for topic in there
    }


def _refuse(kafka: KafkaSettings, wrong: Sequence[Mismatch]) -> None:
    if wrong:
        raise TopicsMismatch(_servers(kafka), wrong)


@contextmanager
def _admin(kafka: KafkaSettings) -> Iterator[KafkaAdminClient]:
    try:
        with KafkaAdminClient(**kafka.for_kafka_python(), bootstrap_timeout_ms=int(_ms(_ANSWER_TIMEOUT))) as admin:
            yield admin
    except (KafkaError, OSError) as error:
        raise LocalKafkaError(
            f"no usable Kafka at {_servers(kafka)}: {error}. Is it up (livecue kafka status), and are LIVECUE_KAFKA "
            "and its TLS and SASL settings right?"
        ) from error


def _servers(kafka: KafkaSettings) -> str:
    return ",".join(kafka.servers)


def _ms(duration: timedelta) -> str:
    return str(duration // timedelta(milliseconds=1))
