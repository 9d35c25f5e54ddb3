"""Is the worker moving? Lag without progress ends the process; readiness means progress, not just being up."""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka.errors import IllegalStateError, KafkaError
from faust.types import TP

from streams.bus.metrics import LAG, OWNED_PARTITIONS, READY
from streams.engine.consumer import GapFreeConsumer
from streams.engine.loop import EXIT_STUCK, end_process

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Progress:
    """Since when each partition has lagged without moving. Pure: offsets and seconds in, a verdict out."""

    _seen: dict[Any, tuple[int, float]] = field(default_factory=dict)
    """Partition → (done, since when it has stood there with records behind it)."""

    def observe(self, done: Mapping[Any, int], ends: Mapping[Any, int], now_s: float) -> None:
        """`done` and `ends`: next offset to be done and the log's end, of every partition owned."""
        seen = {}
        for partition, offset in done.items():
            before = self._seen.get(partition)
            stands = before is not None and before[0] == offset and offset < ends.get(partition, offset)
            seen[partition] = (offset, before[1] if before is not None and stands else now_s)
        self._seen = seen

    def stuck_s(self, now_s: float) -> float:
        """For how many seconds the worst partition has stood still with records behind it; 0.0: all move."""
        return max((now_s - since for _, since in self._seen.values()), default=0.0)


class Watchdog:
    """Looks once a second."""

    def __init__(self, consumer: GapFreeConsumer, processor: str, bound_s: float) -> None:
        self._consumer = consumer
        self._processor = processor
        self._bound_s = bound_s
        self._progress = Progress()
        self._settled_at = time.monotonic()
        self._looked_at: float | None = None
        """When the broker last told the logs' ends; None: it has not yet."""

    def readiness(self) -> tuple[bool, str]:
        """Ready or not, and why, in a few words."""
        if self._consumer.app.rebalancing:
            return False, "being assigned partitions, or recovering the table"
        if self._looked_at is None or time.monotonic() - self._looked_at > self._bound_s:
            return False, "Kafka has not answered"
        stuck_s = self._progress.stuck_s(time.monotonic())
        if stuck_s > self._bound_s / 2:
            return False, f"no progress for {stuck_s:.0f} s though records wait"
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
            stuck_s = self._progress.stuck_s(now)
            if stuck_s > self._bound_s:
                log.critical("no progress for %.0f s though records wait: the process ends", stuck_s)
                end_process(EXIT_STUCK)
            if now - self._settled_at > 2 * self._bound_s:
                log.critical(
                    "not settled after %.0f s of assignment and recovery: the process ends", now - self._settled_at
                )
                end_process(EXIT_STUCK)

    async def _look(self) -> None:
        done = self._consumer.positions.done()
        OWNED_PARTITIONS.labels(self._processor).set(len(done))
        try:
            async with asyncio.timeout(self._bound_s / 2):
                ends = await self._ends(list(done))
        except (IllegalStateError, KafkaError, TimeoutError):
            return  # revoked meanwhile, or the broker is away: that is for the publisher's patience to judge
        now = time.monotonic()
        self._looked_at = now
        self._progress.observe(done, ends, now)
        LAG.clear()
        for tp, offset in done.items():
            LAG.labels(self._processor, tp.topic, tp.partition).set(max(0, ends[tp] - offset))

    async def _ends(self, tps: list[TP]) -> Mapping[TP, int]:
        return await self._consumer.highwaters(*tps) if tps else {}
