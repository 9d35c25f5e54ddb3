"""Publishing to a real Kafka."""

import time
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from deploy.kafka import node
from streams.bus.connection import KafkaSettings
from streams.bus.ports import BusUnavailable, Message
from streams.bus.producer import KafkaPublisher

pytestmark = pytest.mark.broker


async def test_tells_where_each_record_was_stored_in_the_order_given(kafka: str, tmp_path: Path) -> None:
    topic = f"published-{tmp_path.name}"
    with KafkaAdminClient(bootstrap_servers=kafka) as admin:
        admin.create_topics([NewTopic(topic, 2, 1)], wait_for_metadata=True)
    async with KafkaPublisher(KafkaSettings(servers=(kafka,))) as publisher:
        stored = await publisher.store([Message(topic, None, b"%d" % n, n % 2) for n in range(6)])
        assert await publisher.store([]) == []
    assert [(at.partition, at.offset) for at in stored] == [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)]


@pytest.mark.faults
async def test_a_broker_that_goes_away_is_told_within_the_patience(tmp_path: Path) -> None:
    with node.running(tmp_path) as broker:
        with KafkaAdminClient(bootstrap_servers=broker.bootstrap) as admin:
            admin.create_topics([NewTopic("t", 1, 1)], wait_for_metadata=True)
        publisher = KafkaPublisher(KafkaSettings(servers=(broker.bootstrap,)), patience_s=1.5)
        await publisher.start()
        await publisher.publish([Message("t", "k", b"before")])
        node.stop(tmp_path)
        started = time.monotonic()
        with pytest.raises(BusUnavailable, match=f"{broker.bootstrap} .tried for . s.. Start one"):
            await publisher.publish([Message("t", "k", b"after")])
        await publisher.stop(within_s=1)
        assert time.monotonic() - started < 6
