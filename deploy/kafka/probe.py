"""Whether a Kafka answers: more than an open port, a broker that says it serves."""

import socket
from collections.abc import Mapping

from kafka import KafkaAdminClient
from kafka.errors import KafkaError


def answers(bootstrap: str, client_settings: Mapping[str, object] | None = None) -> bool:
    """Whether the Kafka at `bootstrap` (host:port) names at least one live broker within about two seconds.

    `client_settings`: kafka-python's, for TLS and SASL; None: a plain connection.
    """
    host, _, port = bootstrap.rpartition(":")
    try:
        # First by hand: a refused connection would put kafka-python into a back-off of seconds.
        socket.create_connection((host, int(port)), timeout=2).close()
        settings = {"bootstrap_timeout_ms": 2000, "request_timeout_ms": 2000, **(client_settings or {})}
        with KafkaAdminClient(bootstrap_servers=bootstrap, **settings) as admin:
            return bool(admin.describe_cluster()["brokers"])
    except (OSError, KafkaError):
        return False
