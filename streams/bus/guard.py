"""The fate of records that a processor cannot take: buried with their reason, or sent on to where they belong.

Nothing is dropped and nothing blocks: a dead letter is published like any other message, before the record is acked.
"""

from models.redaction import Memory, redact
from schemas.codec import encode
from schemas.dead_letter import DeadLetter
from schemas.topics import DEAD_LETTERS
from streams.bus.metrics import BURIED, REROUTED
from streams.bus.partitioner import partition_for
from streams.bus.ports import Message, Record

_MAX_VALUE_CHARS = 65_536


def bury(record: Record, reason: str, processor: str) -> Message:
    """The dead letter of `record`, private numbers taken out of it; the same record gives the same bytes."""
    BURIED.labels(processor, record.topic).inc()
    key = None if record.key is None else record.key.decode(errors="replace")
    value = None if record.value is None else record.value.decode(errors="replace")[:_MAX_VALUE_CHARS]
    letter = DeadLetter(
        letter_id=f"{record.topic}/{record.partition}/{record.offset}",
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=key,
        reason=reason,
        processor=processor,
        buried_at=record.at,
        value=None if value is None else redact(value, Memory())[0],
    )
    return Message(DEAD_LETTERS.name, key, encode(letter))


def misrouted(record: Record, partitions: int, processor: str) -> Message | None:
    """The record again, for the partition its key belongs to; None: it is where it belongs.

    Producers built on librdkafka place keys by another hash unless told otherwise, and a processor's table is
    partitioned by Kafka's own. Order is kept: all that such a producer writes takes the same detour.
    """
    if record.key is None:
        return None
    key = record.key.decode(errors="replace")
    home = partition_for(key, partitions)
    if home == record.partition:
        return None
    REROUTED.labels(processor, record.topic).inc()
    return Message(record.topic, key, record.value, home)
