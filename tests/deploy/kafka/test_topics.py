"""The topic table on a real Kafka, and what is said about one that does not match it."""

import socket
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic  # type: ignore[attr-defined]  # re-exported

from deploy.kafka import topics
from deploy.kafka.errors import LocalKafkaError
from deploy.kafka.topics import Found, TopicsMismatch, demanded, mismatches
from schemas.topics import SNAPSHOTS, TICKS, TOPICS, TURNS, Topic
from streams.bus.connection import KafkaSettings

AS_THEY_MUST_BE = {topic.name: Found(12, demanded(topic)) for topic in TOPICS}


def test_a_kafka_that_matches_has_nothing_to_mend() -> None:
    assert [] == mismatches(TOPICS, AS_THEY_MUST_BE, 12)
    assert [] == mismatches(TOPICS, AS_THEY_MUST_BE, None)


def test_each_thing_that_is_wrong_is_named_with_what_was_expected() -> None:
    there = {
        **AS_THEY_MUST_BE,
        TURNS.name: Found(1, demanded(TURNS)),
        SNAPSHOTS.name: Found(12, {"cleanup.policy": "delete"}),
        TICKS.name: Found(12, {"cleanup.policy": "delete", "retention.ms": "604800000"}),
    }
    missing = there.popitem()[0]

    wrong = mismatches(TOPICS, there, None)

    assert {
        TURNS.name: ("1 partitions", "12, as all topics must have"),
        SNAPSHOTS.name: ("cleanup.policy=delete", "cleanup.policy=compact"),
        TICKS.name: ("retention.ms=604800000", f"retention.ms={timedelta(hours=1) // timedelta(milliseconds=1)}"),
        missing: ("no such topic", "12 partitions"),
    } == {each.topic: (each.found, each.expected) for each in wrong}
    assert all(each.mend for each in wrong)


def test_the_refusal_tells_topic_found_expected_and_each_way_to_mend_once() -> None:
    wrong = mismatches(TOPICS, {}, 12)

    told = str(TopicsMismatch("here:9092", wrong))

    assert "here:9092" in told
    assert all(f"{topic.name}: found no such topic, expected 12 partitions" in told for topic in TOPICS)
    assert told.count("livecue topics create") == 1


def test_a_kafka_that_is_not_there_is_said_to_be() -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody_listens.getsockname()[1]}"

        with pytest.raises(LocalKafkaError, match=f"no usable Kafka at {address}.*livecue kafka status"):
            topics.check(KafkaSettings(servers=(address,)))


@pytest.fixture
def table() -> tuple[Topic, ...]:
    """The topic table under names of this test's own, so that it meets a Kafka which has none of them."""
    suffix = uuid.uuid4().hex[:8]
    return tuple(replace(topic, name=f"{topic.name}.{suffix}") for topic in TOPICS)


@pytest.mark.broker
def test_create_makes_every_topic_as_the_table_says_and_a_second_create_changes_nothing(
    kafka: str, table: tuple[Topic, ...]
) -> None:
    cluster = KafkaSettings(servers=(kafka,))
    names = tuple(topic.name for topic in table)
    with pytest.raises(TopicsMismatch):
        topics.check(cluster, topics=table)

    assert names == topics.create(cluster, topics=table)
    assert () == topics.create(cluster, topics=table)
    assert topics.check(cluster, topics=table) == 12

    # What a client of another make than ours is told by the broker:
    admin = AdminClient({"bootstrap.servers": kafka})
    metadata = admin.list_topics(timeout=10)
    assert {12} == {len(metadata.topics[name].partitions) for name in names}
    for topic in table:
        (answer,) = admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, topic.name)]).values()
        settings = {name: entry.value for name, entry in answer.result(timeout=10).items()}
        assert settings["cleanup.policy"] == ("compact" if topic.compacted else "delete")
        if topic.retention is not None:
            assert int(settings["retention.ms"]) == topic.retention / timedelta(milliseconds=1)
            assert int(settings["segment.ms"]) < int(settings["retention.ms"]), "or nothing is deleted for a week"


@pytest.mark.broker
def test_a_topic_of_another_partition_count_is_refused_and_nothing_is_created(
    kafka: str, table: tuple[Topic, ...]
) -> None:
    cluster = KafkaSettings(servers=(kafka,))
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(table[0].name, num_partitions=1)])[table[0].name].result(timeout=10)
    while table[0].name not in admin.list_topics(timeout=10).topics:  # the broker hears of it from the controller
        time.sleep(0.05)

    with pytest.raises(TopicsMismatch) as caught:
        topics.create(cluster, topics=table)

    assert [table[0].name] * 2 == [each.topic for each in caught.value.mismatches], "its count and its retention"
    assert f"{table[0].name}: found 1 partitions, expected 12" in str(caught.value)
    assert not {topic.name for topic in table[1:]} & set(admin.list_topics(timeout=10).topics)


@pytest.mark.broker
def test_creators_at_the_same_time_do_not_disturb_one_another(kafka: str, table: tuple[Topic, ...]) -> None:
    cluster = KafkaSettings(servers=(kafka,))
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: topics.create(cluster, partitions=3, topics=table), range(4)))

    assert {topic.name for topic in table} == set().union(*made)
    assert topics.check(cluster, topics=table) == 3
