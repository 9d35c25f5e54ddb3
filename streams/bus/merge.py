"""Several partitions of several topics as one stream in order of time: how a stretch of the past is read."""

from collections import deque
from collections.abc import AsyncIterator

from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, OffsetOutOfRangeError

from streams.bus.connection import KafkaSettings, unavailable
from streams.bus.ports import Record
from streams.bus.readers import OffsetGone, Positions, as_record, connected

_POLL_MS = 500
_PATIENCE_S = 30.0
_Held = tuple[int, Record]
"""A record and the newest timestamp of its partition so far: a partition's own timestamps may go backwards."""


async def read_merged(kafka: KafkaSettings, starts: Positions, ends: Positions) -> AsyncIterator[list[Record]]:
    """The records from `starts` up to `ends`, not included, oldest timestamp first, each partition's in its own order.

    Holds about a fetch (1 MiB) a partition in memory, however long the stretch.

    Raises:
        OffsetGone: retention passed the reader.
        BusUnavailable: no broker answers.
    """
    left = {TopicPartition(*each): ends[each] for each, start in starts.items() if start < ends[each]}
    if not left:
        return
    consumer = await connected(kafka, {(tp.topic, tp.partition): starts[tp.topic, tp.partition] for tp in left})
    held: dict[TopicPartition, deque[_Held]] = {tp: deque() for tp in left}
    newest = dict.fromkeys(left, 0)
    try:
        while held:
            empty = [tp for tp, records in held.items() if not records]
            for tp in empty:
                if await consumer.position(tp) >= left[tp]:
                    del held[tp]
            empty = [tp for tp in empty if tp in held]
            if empty:
                for tp, records in (await consumer.getmany(*empty, timeout_ms=_POLL_MS)).items():
                    for each in records:
                        if each.offset < left[tp]:
                            newest[tp] = max(newest[tp], each.timestamp)
                            held[tp].append((newest[tp], as_record(each)))
            if batch := _oldest(held):
                yield batch
    except OffsetOutOfRangeError as error:
        raise OffsetGone(f"retention passed the reader: {error}") from error
    except (KafkaConnectionError, KafkaTimeoutError) as error:
        raise unavailable(kafka, _PATIENCE_S) from error
    finally:
        await consumer.stop()


def _oldest(held: dict[TopicPartition, deque[_Held]]) -> list[Record]:
    """Those that nothing older can come before any more: up to the moment when a partition's records have run out."""
    if not held or not all(held.values()):
        return []
    horizon = min(records[-1][0] for records in held.values())
    batch: list[_Held] = []
    for records in held.values():
        while records and records[0][0] <= horizon:
            batch.append(records.popleft())
    batch.sort(key=lambda each: each[0])  # stable: what is of one instant keeps its partition's order
    return [record for _, record in batch]
