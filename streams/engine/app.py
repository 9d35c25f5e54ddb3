"""Runs a processor on Kafka."""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from streams.bus.connection import wait_for_kafka
from streams.bus.ports import Processor
from streams.bus.producer import KafkaPublisher
from streams.engine.consumer import GapFreeConsumer, GapFreeTransport
from streams.engine.faust_app import WorkerApp, changelog_topic, new_app, quiet_loggers
from streams.engine.http import serve
from streams.engine.loop import EXIT_STUCK, end_process, process_forever
from streams.engine.settings import WorkerSettings
from streams.engine.table import RocksTable
from streams.engine.ticks import tick_forever
from streams.engine.topics import ensure_changelog, partitions_of_sources
from streams.engine.watchdog import Watchdog

log = logging.getLogger(__name__)


async def run_worker(
    processor: Processor,
    settings: WorkerSettings,
    *,
    ticks: str | None = None,
    transport_class: type[GapFreeTransport] = GapFreeTransport,
) -> None:
    """Run `processor` until SIGTERM, SIGINT or cancellation; then finish the batch in hand, commit, leave the group.

    Delivery is at least once and in order within each partition. The process ends at once, with an exit status of its
    own and nothing acked, where the processor raises (70), where Kafka stays away for longer than the patience (69),
    and where records wait and none is done (75).

    Args:
        ticks: the ticks topic, where the processor wants one `Tick` a second on each of its partitions; else None.
        transport_class: the consumer under it; a test puts stock Faust's there, to see that it loses records.

    Raises:
        BusUnavailable: no broker answered at the start.
        TopicsRefused: a topic is missing, or partition counts differ.
        DataDirInUse: another worker uses the data directory.
    """
    quiet_loggers()
    with _claimed(settings.data_dir / processor.name), _stop_signal() as stop:
        await wait_for_kafka(settings.kafka, min(30.0, settings.patience_s))
        partitions = await asyncio.to_thread(partitions_of_sources, settings.kafka, processor.topics)
        await asyncio.to_thread(ensure_changelog, settings.kafka, changelog_topic(processor), partitions)
        async with KafkaPublisher(settings.kafka, patience_s=settings.patience_s) as publisher:
            app, faust_table = new_app(processor, settings, partitions, transport_class)
            consumer: GapFreeConsumer = app.consumer
            consumer.revoked = processor.revoked
            watchdog = Watchdog(consumer, processor.name, settings.watchdog_s, settings.patience_s)
            table = RocksTable(faust_table, publisher)
            work = [
                process_forever(processor, consumer, table, publisher, settings.batch_max),
                watchdog.watch_forever(),
            ]
            if ticks is not None:
                topic = ticks
                owned = lambda: [tp.partition for tp in consumer.positions.done() if tp.topic == topic]  # noqa: E731
                work.append(tick_forever(topic, owned, publisher, processor.name))
            async with _http(settings.http_port, watchdog), asyncio.TaskGroup() as group:
                tasks = [group.create_task(coroutine) for coroutine in work]
                starting = group.create_task(_start(app))
                try:
                    await stop.wait()
                    log.info("%s stops", processor.name)
                finally:
                    starting.cancel()
                    await _stop(app, settings.stop_s, asked=stop.is_set())
                    for task in tasks:
                        task.cancel()
    log.info("%s stopped", processor.name)


async def _start(app: WorkerApp) -> None:
    await app.start()
    log.info("%s is ready", app.processor_name)
    await app.wait_until_stopped()
    if app.crash_reason is not None:
        log.critical("Faust crashed: the process ends, nothing more is acked", exc_info=app.crash_reason)
        end_process(EXIT_STUCK)


async def _stop(app: WorkerApp, within_s: float, *, asked: bool) -> None:
    try:
        async with asyncio.timeout(within_s):
            await app.stop()
    except TimeoutError:
        if not asked:  # cancelled by a caller in this process, which is not ours to end
            raise
        log.warning("the graceful stop took longer than %s s: what is not committed is delivered again", within_s)
        end_process(0)


@contextlib.contextmanager
def _stop_signal() -> Iterator[asyncio.Event]:
    stop, loop, signals = asyncio.Event(), asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


@contextlib.asynccontextmanager
async def _http(port: int | None, watchdog: Watchdog) -> AsyncIterator[None]:
    if port is None:
        yield
        return
    runner = await serve(port, watchdog.readiness)
    try:
        yield
    finally:
        await runner.cleanup()


class DataDirInUse(RuntimeError):
    """Two workers may not share a data directory: each keeps the rows of its own partitions there."""


@contextlib.contextmanager
def _claimed(data_dir: Path) -> Iterator[None]:
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "claim").open("a+") as claim:
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            claim.seek(0)
            raise DataDirInUse(
                f"another worker (process {claim.read().strip()}) uses {data_dir}: give each one of its own"
            ) from None
        claim.truncate(0)
        claim.write(f"{os.getpid()}\n")
        claim.flush()
        yield
