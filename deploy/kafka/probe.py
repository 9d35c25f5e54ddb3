"""Whether a Kafka answers: more than an open port, a broker that says it serves."""

import socket

from kafka import KafkaAdminClient
from kafka.errors import KafkaError


def answers(bootstrap: str) -> bool:
    """Whether the Kafka at `bootstrap` (host:port, no TLS) names a live broker, within about two seconds."""
    host, _, port = bootstrap.rpartition(":")
    try:
        # First by hand: a refused connection would put kafka-python into a back-off of seconds.
        socket.create_connection((host, int(port)), timeout=2).close()
        with KafkaAdminClient(bootstrap_servers=bootstrap, bootstrap_timeout_ms=2000, request_timeout_ms=2000) as admin:
            return bool(admin.describe_cluster()["brokers"])
    except (OSError, KafkaError):
        return False
