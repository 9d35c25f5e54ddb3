"""Is the worker moving? Lag without progress ends the process; readiness means progress, not just being up."""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka.errors import IllegalStateError, KafkaError

from streams.bus.metrics import LAG, OWNED_PARTITIONS, READY
from streams.engine.consumer import GapFreeConsumer
from streams.engine.loop import EXIT_STUCK, EXIT_UNAVAILABLE, end_process

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Progress:
    """Since when each partition has lagged without moving. Pure: offsets and seconds in, a verdict out."""

    stuck_s: float = 0.0
    """For how many seconds, as last observed, the worst partition stood still with records behind it; 0.0: all move."""
    _seen: dict[Any, tuple[int, float]] = field(default_factory=dict)
    """Partition → (done, since when it has stood there with records behind it)."""

    def observe(self, done: Mapping[Any, int], ends: Mapping[Any, int], now_s: float) -> None:
        """`done` and `ends`: next offset to be done and the log's end, of every partition owned."""
        seen = {}
        for partition, offset in done.items():
            before = self._seen.get(partition)
            lags = offset < ends.get(partition, offset)
            seen[partition] = before if before is not None and lags and before[0] == offset else (offset, now_s)
        self._seen = seen
        self.stuck_s = max((now_s - since for _, since in seen.values()), default=0.0)


class Watchdog:
    """Looks once a second, and ends the process where waiting any longer would not help."""

    def __init__(self, consumer: GapFreeConsumer, processor: str, bound_s: float, patience_s: float) -> None:
        self._consumer = consumer
        self._processor = processor
        self._bound_s = bound_s
        self._patience_s = patience_s
        self._progress = Progress()
        self._settled_at = self._answered_at = time.monotonic()

    def readiness(self) -> tuple[bool, str]:
        """Ready or not, and why, in a few words."""
        silent_s = time.monotonic() - self._answered_at
        if silent_s > 5.0:
            return False, f"Kafka has not answered for {silent_s:.0f} s"
        if self._consumer.app.rebalancing or not self._consumer.app.tables.recovery.completed.is_set():
            return False, "being assigned partitions, or recovering the table"
        if self._progress.stuck_s > self._bound_s / 2:
            return False, f"no progress for {self._progress.stuck_s:.0f} s though records wait"
        owned = len(self._consumer.positions.done())
        return True, f"owns {owned} partitions" if owned else "on standby: other workers own all partitions"

    async def watch_forever(self) -> None:
        """Watch until cancelled, or end the process."""
        while True:
            await asyncio.sleep(1.0)
            await self._look()
            READY.labels(self._processor).set(self.readiness()[0])
            now = time.monotonic()
            if not self._consumer.app.rebalancing:
                self._settled_at = now
            if self._progress.stuck_s > self._bound_s:
                log.critical("no progress for %.0f s though records wait: the process ends", self._progress.stuck_s)
                end_process(EXIT_STUCK)
            if now - self._answered_at > self._patience_s + self._bound_s:
                log.critical("Kafka has not answered for %.0f s: the process ends", now - self._answered_at)
                end_process(EXIT_UNAVAILABLE)
            if now - max(self._settled_at, self._answered_at) > 2 * self._bound_s:
                log.critical("neither assigned nor recovered after %.0f s: the process ends", now - self._settled_at)
                end_process(EXIT_STUCK)

    async def _look(self) -> None:
        done = self._consumer.positions.done()
        OWNED_PARTITIONS.labels(self._processor).set(len(done))
        try:
            async with asyncio.timeout(5.0):
                ends = await self._consumer.highwaters(*done) if done else {}
        except (IllegalStateError, KafkaError, TimeoutError):
            self._progress = Progress()  # revoked meanwhile, or the broker is away: no standing still
            return
        self._answered_at = time.monotonic()
        self._progress.observe(done, ends, self._answered_at)
        LAG.clear()
        for tp, offset in done.items():
            LAG.labels(self._processor, tp.topic, tp.partition).set(max(0, ends[tp] - offset))
