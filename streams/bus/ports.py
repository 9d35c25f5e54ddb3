"""What a processor sees of the world: records in, effects out. Kafka and the in-process bus both stand behind this.

A processor is the shell around a pure core. It is handed what has arrived, answers with what is to change, and never
learns how that is carried out. Whoever runs it (`streams.engine` on Kafka, `streams.bus.memory` in process) keeps
the order *state first, then the world*:

    write the table → await its changelog → publish → await delivery → ack the batch, in order
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Record:
    """One record read from a topic."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    """Kafka's timestamp of the record, milliseconds since 1970 UTC."""
    key: bytes | None
    value: bytes | None

    @property
    def at(self) -> datetime:
        """Kafka's timestamp as an aware instant: the only clock the core knows."""
        return datetime.fromtimestamp(self.timestamp_ms / 1000, UTC)


@dataclass(frozen=True, slots=True)
class Message:
    """One record to be published."""

    topic: str
    key: str | None
    value: bytes | None
    """None: a tombstone, for compacted topics."""
    partition: int | None = None
    """None: the one that the key hashes to (murmur2)."""


@dataclass(frozen=True, slots=True)
class Write:
    """One change of the processor's table."""

    partition: int
    """The source partition that owns the row: table and source topics are co-partitioned."""
    key: str
    value: bytes | None
    """None: the row is deleted."""


@dataclass(frozen=True, slots=True)
class Effects:
    """What a batch comes to. Any prefix of `writes` leaves a consistent table: a crash may stop in between."""

    writes: Sequence[Write] = field(default_factory=tuple)
    messages: Sequence[Message] = field(default_factory=tuple)


class Table(Protocol):
    """The processor's rows, as of the writes that have been carried out so far."""

    def get(self, partition: int, key: str) -> bytes | None:
        """The row, or None where there is none."""

    def scan(self, partition: int, prefix: str) -> Iterator[tuple[str, bytes]]:
        """All rows of one partition whose key starts with `prefix`, in order of key."""


class Processor(Protocol):
    """Turns records into effects. It never raises for bad input (that is buried); what it raises is our bug, and
    ends the process before anything is acked."""

    name: str
    """Names the consumer group, the table and its metrics."""
    topics: tuple[str, ...]
    """What it reads; all have the same number of partitions."""

    async def process(self, batch: Sequence[Record], table: Table) -> Effects:
        """Process records of any of the topics and any assigned partitions: in order within each (topic, partition),
        one batch at a time."""

    def revoked(self, partitions: Collection[int]) -> None:
        """Another worker owns these partitions now, or they were assigned anew: forget all that was kept of them in
        memory. The table has been recovered by the time the next batch comes."""


class Publisher(Protocol):
    """Publishes outside of a processor's batch: the gateway's outcomes, a replay."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Returns when all are safely stored. Raises `BusUnavailable` when that cannot be said within the bound."""


class BusUnavailable(ConnectionError):
    """The bus does not answer. The message says which address, for how long it was tried, and the ways out."""
