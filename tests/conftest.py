"""What every test may ask for."""

from collections.abc import Iterator

import pytest

from deploy.kafka import node


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a real Kafka listens, host:port: one node for the whole run, with nothing in it at first."""
    with node.running(tmp_path_factory.mktemp("kafka")) as started:
        yield started.bootstrap
