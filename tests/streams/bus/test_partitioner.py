"""Keys go where Kafka's own clients put them."""

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner import murmur2

from streams.bus.partitioner import partition_for


@given(st.text(max_size=40), st.integers(1, 50))
def test_agrees_with_aiokafka_and_kafka_python(key: str, count: int) -> None:
    every = list(range(count))
    assert partition_for(key, count) == DefaultPartitioner()(key.encode(), every, every)
    assert partition_for(key, count) == (murmur2(key.encode()) & 0x7FFFFFFF) % count


@pytest.mark.parametrize(
    ("key", "java_hash"), [("21", -973932308), ("foobar", -790332482), ("a-little-bit-long-string", -985981536)]
)
def test_agrees_with_the_java_client(key: str, java_hash: int) -> None:
    """The hashes are those of Kafka's own unit tests. Another answer leaves rows where nobody looks for them."""
    assert partition_for(key, 12) == (java_hash & 0x7FFFFFFF) % 12
