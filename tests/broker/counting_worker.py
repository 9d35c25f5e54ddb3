"""A worker process for tests: counts each key's records, and fails on demand.

    python counting_worker.py '{"kafka": "127.0.0.1:9092", "topic": "a", "data_dir": "/tmp/a", "stock": false}'

It reads `<topic>.in` and writes `<value> <count>` to `<topic>.out`. On the value `raise` it raises, on `hang` it never
comes back. `stock` puts stock Faust's consumer under it; other fields go to `WorkerSettings`.
"""

import asyncio
import json
import logging
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from broker.stock import StockTransport
from streams.bus.connection import KafkaSettings
from streams.bus.ports import Effects, Message, Record, Table, Write
from streams.engine.app import run_worker
from streams.engine.consumer import GapFreeTransport
from streams.engine.settings import WorkerSettings


class Counting:
    def __init__(self, topic: str) -> None:
        self.name, self.topics, self._out = f"counting-{topic}", (f"{topic}.in",), f"{topic}.out"

    async def process(self, batch: Sequence[Record], table: Table) -> Effects:
        counts: dict[tuple[int, str], int] = {}
        writes, messages = [], []
        for record in batch:
            if record.value == b"raise":
                raise RuntimeError("put in on purpose")
            if record.value == b"hang":
                await asyncio.Event().wait()
            row = (record.partition, (record.key or b"").decode())
            count = counts.get(row) or int(table.get(*row) or b"0")
            counts[row] = count = count + 1
            writes.append(Write(*row, b"%d" % count))
            messages.append(Message(self._out, row[1], b"%b %d" % (record.value or b"", count)))
        return Effects(writes, messages)

    def revoked(self, partitions: Collection[int]) -> None:
        logging.info("revoked: %s", sorted(partitions))


def main() -> None:
    told = json.loads(sys.argv[1])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    kafka, topic, stock = KafkaSettings(servers=(told.pop("kafka"),)), told.pop("topic"), told.pop("stock", False)
    settings = WorkerSettings(kafka=kafka, data_dir=Path(told.pop("data_dir")), **told)
    transport_class = StockTransport if stock else GapFreeTransport
    asyncio.run(run_worker(Counting(topic), settings, transport_class=transport_class))


if __name__ == "__main__":
    main()
