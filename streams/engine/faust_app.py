"""The Faust app under a worker. Faust does group membership, co-partitioned assignment and the table's recovery.

Records reach the processor by the gap-free consumer's inbox, not by Faust's streams and agents. Those cost four tasks
a record, ack what an agent raised over, and drop what their queue holds whenever flow is resumed, a seek or no seek:
one of the ways by which stock Faust loses records.
"""

import logging
from typing import Any

import faust
from faust.auth import SASLCredentials, SSLCredentials
from yarl import URL

from streams.bus.connection import KafkaSettings
from streams.bus.ports import Processor
from streams.engine.consumer import GapFreeTransport
from streams.engine.settings import WorkerSettings
from streams.engine.table import OPTIONS

_RAW: dict[str, Any] = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw"}


class WorkerApp(faust.App):
    """A Faust app whose consumer side is `transport_class`."""

    logger = faust.App.logger
    transport_class: type[GapFreeTransport] = GapFreeTransport
    processor_name: str = ""

    def _new_transport(self) -> GapFreeTransport:
        return self.transport_class(self.conf.broker_consumer, self)


def app_id(processor: Processor) -> str:
    """Names the consumer group; the table's changelog is called after it."""
    return f"livecue-{processor.name}"


def changelog_topic(processor: Processor) -> str:
    """The topic that the processor's table is recovered from."""
    return f"{app_id(processor)}-table-changelog"


def new_app(
    processor: Processor, settings: WorkerSettings, partitions: int, transport_class: type[GapFreeTransport]
) -> tuple[WorkerApp, Any]:
    """The app, subscribed to the processor's topics, and its Faust table."""
    app = WorkerApp(
        app_id(processor),
        broker=[URL(f"kafka://{server}") for server in settings.kafka.servers],
        broker_credentials=_credentials(settings.kafka),
        datadir=str(settings.data_dir / processor.name),
        store="rocksdb://",
        topic_partitions=partitions,
        topic_disable_leader=True,
        # With standbys, after six kill -9, 665 of 5,000 outputs lacked an earlier record's state; without, none.
        table_standby_replicas=0,
        web_enabled=False,
        autodiscover=False,
        stream_recovery_delay=0.0,
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=0.5,
        broker_session_timeout=6.0,
        broker_heartbeat_interval=1.0,
        broker_request_timeout=30.0,
        producer_acks=-1,
        producer_linger_ms=0,
    )
    app.transport_class, app.processor_name = transport_class, processor.name
    table = app.Table("table", partitions=partitions, key_type=bytes, value_type=bytes, options=dict(OPTIONS))
    app.topics.add(app.topic(*processor.topics, **_RAW))
    return app, table


def _credentials(kafka: KafkaSettings) -> SASLCredentials | SSLCredentials | None:
    if kafka.uses_sasl:
        return SASLCredentials(
            username=kafka.sasl_username,
            password=kafka.password(),
            ssl_context=kafka.ssl_context(),
            mechanism=kafka.sasl_mechanism or "PLAIN",
        )
    return SSLCredentials(kafka.ssl_context()) if kafka.uses_tls else None


def quiet_loggers() -> None:
    """Faust and aiokafka tell of each seek and heartbeat at INFO, and retries of theirs as errors with tracebacks."""
    for name in ("faust", "mode", "aiokafka", "kafka"):
        logging.getLogger(name).setLevel(logging.WARNING)
