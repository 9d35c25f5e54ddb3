"""The one loop of a worker: take what has arrived, process it, state first, then the world, then ack."""

import logging
import os
import sys
import time
from typing import NoReturn

from streams.bus.metrics import ABANDONED, BATCH_RECORDS, BATCH_SECONDS, PROCESS_SECONDS, PROCESSED
from streams.bus.ports import BusUnavailable, Processor
from streams.bus.producer import KafkaPublisher
from streams.engine.consumer import GapFreeConsumer
from streams.engine.table import RocksTable

log = logging.getLogger(__name__)

EXIT_BUG = 70
"""Exit status: the processor raised. (EX_SOFTWARE)"""
EXIT_UNAVAILABLE = 69
"""Exit status: Kafka stayed away longer than the patience. (EX_UNAVAILABLE)"""
EXIT_STUCK = 75
"""Exit status: the watchdog. (EX_TEMPFAIL)"""


def end_process(status: int) -> NoReturn:
    """End the process here and now. Nothing more is acked, committed or published: not by us, not by Faust."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


async def process_forever(
    processor: Processor, consumer: GapFreeConsumer, table: RocksTable, publisher: KafkaPublisher, batch_max: int
) -> None:
    """Process batches until cancelled. Whatever goes wrong ends the process before an offset moves."""
    try:
        while True:
            await consumer.inbox.filled()
            async with consumer.in_hand:
                await _process_batch(processor, consumer, table, publisher, batch_max)
    except BusUnavailable as error:
        log.critical("%s. Nothing was acked; the supervisor starts this worker again.", error)
        end_process(EXIT_UNAVAILABLE)
    except Exception:
        log.critical(
            "%s raised: this is a bug in Livecue. The process ends before anything is acked.",
            processor.name,
            exc_info=True,
        )
        end_process(EXIT_BUG)


async def _process_batch(
    processor: Processor, consumer: GapFreeConsumer, table: RocksTable, publisher: KafkaPublisher, batch_max: int
) -> None:
    batch = consumer.inbox.take(batch_max)
    if not batch:  # revoked while we waited for the lock
        return
    epoch, started = consumer.positions.epoch, time.monotonic()

    def still_owned() -> bool:
        return epoch == consumer.positions.epoch

    effects = await processor.process(batch, table)
    PROCESS_SECONDS.labels(processor.name).observe(time.monotonic() - started)
    if not (still_owned() and await table.write(effects.writes, still_owned)):
        ABANDONED.labels(processor.name).inc()
        return
    # What this processor reads itself goes last: another of its workers acts on it, and must not be ahead of us.
    await publisher.publish([each for each in effects.messages if each.topic not in processor.topics])
    await publisher.publish([each for each in effects.messages if each.topic in processor.topics])
    for record in batch:
        consumer.done(record)
        PROCESSED.labels(processor.name, record.topic).inc()
    BATCH_RECORDS.labels(processor.name).observe(len(batch))
    BATCH_SECONDS.labels(processor.name).observe(time.monotonic() - started)
