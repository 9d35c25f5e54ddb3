"""Which Kafka a command works with: the one that was named, else the node that runs on this machine."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from deploy.kafka import node
from deploy.kafka.errors import LocalKafkaError
from streams.bus.connection import KafkaSettings


def chosen(
    environ: Mapping[str, str], *, servers: str | None = None, data_dir: Path = node.DEFAULT_DATA_DIR
) -> KafkaSettings:
    """The cluster that `servers` names (host:port, several with commas), else $LIVECUE_KAFKA, else the local node.

    TLS and SASL settings come from `environ` with the first two; the local node of `data_dir` has none.
    Raises LocalKafkaError where none is named and none runs here, or the settings contradict each other.
    """
    if not servers and not environ.get("LIVECUE_KAFKA"):
        local = node.status(data_dir)
        if local is None:
            raise LocalKafkaError(
                "no Kafka: start one here with livecue kafka start, or name yours, LIVECUE_KAFKA=host:port"
            )
        return KafkaSettings(servers=(local.bootstrap,))
    try:
        return KafkaSettings.from_environment({**environ, **({"LIVECUE_KAFKA": servers} if servers else {})})
    except ValidationError as error:
        first = error.errors()[0]
        why = "it must be host:port, several with commas" if first["loc"][:1] == ("servers",) else first["msg"]
        raise LocalKafkaError(f"LIVECUE_KAFKA and its settings cannot be used: {why}") from error
