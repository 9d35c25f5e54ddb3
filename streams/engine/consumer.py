"""The gap-free consumer: every partition's records are delivered in order with none skipped, whatever rebalances.

Stock Faust 0.15.3 loses records when workers come and go: source partitions are read before they are sought after a
table recovery, jumps in offsets are taken for holes in the log and committed over, cancelled fetches have already
moved the client's position. Here one number a partition decides, the offset that is due (`Positions`), and Faust's
own bookkeeping of gaps, read offsets and acks is not used. Changelogs pass untouched: table recovery keeps its own
offsets.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

from aiokafka.errors import CommitFailedError, ConsumerStoppedError, IllegalStateError, KafkaError
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.bus.metrics import COMMITS_FAILED, LOG_HOLES, REBALANCES, RESOUGHT
from streams.bus.ports import Record
from streams.engine.inbox import Inbox
from streams.engine.positions import Positions, Verdict

log = logging.getLogger(__name__)

IN_HAND_BOUND_S = 15.0
"""How long a revocation waits for the batch in hand; well below Kafka's rebalance timeout of 60 s."""

FETCH_WAIT_S = 0.25
"""How long a fetch waits for records, and so at most a seek for a fetch. Records that come are taken at once."""


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    logger = driver.logger

    def _create_worker_consumer(self, transport: Any) -> Any:
        # A broker answers one request a connection at a time, so whatever asks for offsets waits for the fetch before
        # it: with Faust's 1.5 s, an assignment took 3 s where nothing was there to be read.
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = int(1000 * FETCH_WAIT_S)
        return consumer

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """A commit that fails is tried again with the next one: it costs redelivery at most, never the process."""
        try:
            await self._ensure_consumer().commit({driver.ensure_aiokafka_TP(tp): at for tp, at in offsets.items()})
        except (CommitFailedError, IllegalStateError) as error:
            log.info("commit refused, the partitions are being assigned anew: %s", error)
        except (KafkaError, TimeoutError) as error:
            log.warning("commit failed, to be tried again: %r", error)
        else:
            return True
        return False


class GapFreeConsumer(driver.Consumer):
    """Faust's consumer with its bookkeeping of offsets replaced."""

    logger = driver.logger

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.positions: Positions[TP] = Positions()
        self.in_hand = asyncio.Lock()
        """Held while a batch is taken and processed: revocation and stopping wait for it."""
        self._fetching = asyncio.Lock()
        self.inbox = Inbox()
        self.revoked: Callable[[set[int]], None] = lambda partitions: None
        """Told which source partitions were revoked, once nothing is processed of them any more."""

    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    # --- Delivering ---------------------------------------------------------------------------------------------------

    async def _drain_messages(self, fetcher: Any) -> None:
        """Fetch and deliver until stopped: changelogs to Faust, source records to the inbox."""
        try:
            while not (self.should_stop or fetcher.should_stop):
                await self.inbox.room()
                if not self.flow_active:
                    await self.wait(self.can_resume_flow)
                elif active := frozenset(self._get_active_partitions()):
                    async with self._fetching:
                        await self._deliver(await self._getmany(active_partitions=active, timeout=FETCH_WAIT_S))
                else:
                    await self.sleep(FETCH_WAIT_S)
                await asyncio.sleep(0)
        except ConsumerStoppedError:
            if not self.app.should_stop:
                raise

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Seek, with no fetch in flight: what one brings was read before the seek, and has moved the position."""
        async with self._fetching:
            await super().seek_wait(partitions)

    async def _deliver(self, fetched: Mapping[Any, list[Any]]) -> None:
        """What is due of one fetch. Partitions that lost records on the way are sought back after it."""
        epoch, leapt = self.positions.epoch, set()
        for tp, record in self.scheduler.iterate({ensure_TP(tp): batch for tp, batch in fetched.items()}):
            if not self.flow_active or epoch != self.positions.epoch:
                return  # a seek follows: nothing fetched before it counts
            if self._is_changelog_tp(tp):
                await self.callback(self._to_message(tp, record))
            elif tp not in leapt:
                due = self.positions.due(tp)
                verdict = self.positions.judge(tp, record.offset)
                if verdict is Verdict.SEEK_BACK:
                    leapt.add(tp)
                elif verdict is not Verdict.DROP:
                    if verdict is Verdict.HOLE:
                        self._report_hole(tp, cast(int, due), record.offset)
                    self.inbox.put(
                        Record(tp.topic, tp.partition, record.offset, record.timestamp, record.key, record.value)
                    )
        if leapt and epoch == self.positions.epoch:
            await self._seek_back({tp: cast(int, self.positions.due(tp)) for tp in leapt})

    async def _seek_back(self, due: Mapping[TP, int]) -> None:
        for tp, offset in due.items():
            RESOUGHT.labels(self.app.processor_name, tp.topic).inc()
            log.info("sought back to %s/%s/%s: records behind it came first", tp.topic, tp.partition, offset)
        try:
            await super().seek_wait(due)  # the fetch in flight is the one that is being delivered
        except (IllegalStateError, KafkaError, TimeoutError) as error:  # revoked, or the broker is away: found again
            log.info("could not seek back: %r", error)

    def _report_hole(self, tp: TP, due: int, found: int) -> None:
        LOG_HOLES.labels(self.app.processor_name, tp.topic).inc(found - due)
        log.critical(
            "RECORDS LOST: %s/%s has no records from offset %s up to %s any more; going on at %s. "
            "Retention passed a worker that was too far behind, or records were deleted.",
            *(tp.topic, tp.partition, due, found, found),
        )

    async def perform_seek(self) -> None:
        """After an assignment: every source partition to its committed offset, or the log's start without one."""
        epoch = self.positions.epoch
        committed = {ensure_TP(tp): offset for tp, offset in (await self.seek_to_committed()).items()}
        sources = [tp for tp in committed if not self._is_changelog_tp(tp)]
        if not sources:
            return
        earliest = {ensure_TP(tp): at for tp, at in (await self.earliest_offsets(*sources)).items()}
        latest = {ensure_TP(tp): at for tp, at in (await self.highwaters(*sources)).items()}
        starts = {}
        for tp in sources:
            offset = committed[tp]
            starts[tp] = earliest[tp] if offset is None or offset > latest[tp] else max(offset, earliest[tp])
            if offset is not None and offset > latest[tp]:
                log.critical(
                    "%s/%s ends at offset %s, before the committed offset %s: the topic was made anew or its log was "
                    "cut. Reading it from its start, offset %s.",
                    *(tp.topic, tp.partition, latest[tp], offset, earliest[tp]),
                )
            elif offset is not None and offset < earliest[tp]:
                self._report_hole(tp, offset, earliest[tp])
        await self.seek_wait(starts)
        if epoch == self.positions.epoch:
            for tp, offset in starts.items():
                self.positions.start(tp, offset)

    # --- Acking and committing ----------------------------------------------------------------------------------------

    def done(self, record: Record) -> None:
        """The record is processed and all it gave rise to is stored. Counts only in order, and while it is owned."""
        self.positions.ack(TP(record.topic, record.partition), record.offset)

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Commit what is done."""
        offsets = self.positions.to_commit()
        if not offsets:
            return False
        if not await self._commit(offsets):
            COMMITS_FAILED.labels(self.app.processor_name).inc()
            return False
        self.positions.committed(offsets)
        return True

    async def wait_empty(self) -> None:
        """Wait for the batch in hand, within a bound, and commit."""
        try:
            async with asyncio.timeout(IN_HAND_BOUND_S), self.in_hand:
                pass
        except TimeoutError:
            log.warning("the batch in hand takes longer than %s s: it is abandoned", IN_HAND_BOUND_S)
        await self.commit()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """The batch in hand is finished and committed; from then on nothing of the old assignment counts."""
        REBALANCES.labels(self.app.processor_name).inc()
        self.inbox.clear()
        await super().on_partitions_revoked(revoked)
        self.inbox.clear()
        self.positions.forget()
        self.revoked({tp.partition for tp in revoked if not self._is_changelog_tp(tp)})

    async def verify_all_partitions_active(self) -> None:
        """Faust looks for stuck partitions by its streams, which are not used here: our watchdog does it."""


class GapFreeTransport(driver.Transport):
    """Faust's Kafka transport, with the gap-free consumer."""

    Consumer = GapFreeConsumer
