"""A processor's table on this machine: RocksDB, kept equal to its changelog.

The changelog is written first and awaited, then the rows are applied here together with the offset they are known up
to. So the local copy is never ahead of what another worker would recover, and a crash between the two costs the
reading of a few changelog records.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from faust.stores.rocksdb import Store
from rocksdict import WriteBatch

from streams.bus.ports import Message, Write
from streams.bus.producer import KafkaPublisher

OPTIONS = {"block_cache_size": 16 << 20, "write_buffer_size": 8 << 20, "max_open_files": 128}
"""Of each partition's database. Faust's defaults reserve up to 2 GiB of cache for every one."""


class RocksTable:
    """The `Table` port over the RocksDB store of a Faust table, whose key-to-partition guess is not used."""

    def __init__(self, faust_table: Any, publisher: KafkaPublisher) -> None:
        self._faust_table = faust_table
        self._publisher = publisher

    @property
    def _store(self) -> Any:
        return self._faust_table.data

    def get(self, partition: int, key: str) -> bytes | None:
        value: bytes | None = self._store._db_for_partition(partition).get(key.encode())
        return value

    def scan(self, partition: int, prefix: str) -> Iterator[tuple[str, bytes]]:
        start = prefix.encode()
        for key, value in self._store._db_for_partition(partition).items(from_key=start):
            if not key.startswith(start):
                return
            if key != Store.offset_key:
                yield key.decode(), value

    async def write(self, writes: Sequence[Write], still_owned: Callable[[], bool]) -> bool:
        """Carry out `writes`, in order. False: the partitions were revoked meanwhile, and nothing changed here.

        Raises:
            BusUnavailable: the changelog cannot be written.
        """
        if not writes:
            return still_owned()
        topic = self._faust_table.changelog_topic_name
        stored = await self._publisher.store([Message(topic, w.key, w.value, w.partition) for w in writes])
        if not still_owned():
            return False
        batches: defaultdict[int, WriteBatch] = defaultdict(lambda: WriteBatch(raw_mode=True))
        for write, at in zip(writes, stored, strict=True):
            batch = batches[write.partition]
            if write.value is None:
                batch.delete(write.key.encode())
            else:
                batch.put(write.key.encode(), write.value)
            batch.put(Store.offset_key, str(at.offset).encode())
        for partition, batch in batches.items():
            self._store._db_for_partition(partition).write(batch)
        return True
