"""Which Kafka a command talks to."""

import os

from pydantic import ValidationError

from deploy.kafka import node
from streams.bus.connection import KafkaSettings


def cluster(servers: str | None) -> KafkaSettings:
    """The cluster named by `servers` (host:port[,host:port]) or, failing that, this machine's local one.

    TLS and SASL come from the ``LIVECUE_KAFKA_…`` variables.

    Raises:
        ValueError: none is named and no local one runs, or the settings contradict each other.
    """
    if servers is None and (local := node.status()) is not None:
        servers = local.bootstrap
    if servers is None:
        raise ValueError(
            "no Kafka: start the local one with `livecue kafka start`, or name yours: LIVECUE_KAFKA=host:port"
        )
    try:
        return KafkaSettings.from_environment({**os.environ, "LIVECUE_KAFKA": servers})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["loc"][:1] == ("servers",):
            raise ValueError(f"LIVECUE_KAFKA={servers}: must be host:port, several separated by commas") from None
        raise ValueError(f"the Kafka settings do not fit together: {first['msg']}") from None
