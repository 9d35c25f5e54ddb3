"""Outcomes on their way to Kafka."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence

from guidance.session.reported import Reported
from models.redaction import Memory, redact
from schemas.codec import encode
from schemas.outcomes import BusinessOutcome, PromptOutcome, WrapUp
from schemas.topics import OUTCOMES as OUTCOMES_TOPIC
from streams.bus.connection import KafkaSettings
from streams.bus.metrics import OUTCOMES
from streams.bus.ports import BusUnavailable, Message
from streams.bus.producer import KafkaPublisher

_LOG = logging.getLogger(__name__)
_PATIENCE_S = 60.0


class Outcomes:
    """Stores outcomes. One that a desk reports again while the first attempt runs is stored twice: readers know it
    by its id."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._publisher = KafkaPublisher(kafka, patience_s=_PATIENCE_S)
        self._renewing = asyncio.Lock()
        self._reported = Reported()
        self._own: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Connected. On the way out the gateway's own findings are still stored."""
        await self._publisher.start()
        try:
            yield
        finally:
            if self._own:
                await asyncio.wait(self._own, timeout=3.0)
            await self._publisher.stop()

    async def store(self, outcome: PromptOutcome) -> bool:
        """True: it is safely in Kafka. False: Kafka stayed away for longer than the patience."""
        if outcome.note is not None:  # typed by hand: numbers get in
            outcome = outcome.model_copy(update={"note": redact(outcome.note, Memory())[0]})
        if await self.store_all([outcome]):
            OUTCOMES.labels(outcome.state.value).inc()
            return True
        return False

    async def store_all(self, records: Sequence[PromptOutcome | BusinessOutcome | WrapUp]) -> bool:
        """The same of several, in their order, as they are."""
        publisher = self._publisher
        try:
            await publisher.publish([Message(OUTCOMES_TOPIC.name, each.route_key, encode(each)) for each in records])
        except BusUnavailable as error:
            _LOG.error("%s is not stored: %s", ", ".join(each.outcome_id for each in records), error)
            await self._renew(publisher)
            return False
        return True

    def store_soon(self, outcome: PromptOutcome) -> None:
        """The gateway's own finding: stored in the background, once, however often it is found; nobody waits."""
        if not self._reported.is_news(outcome):
            return
        self._reported.add(outcome)
        task = asyncio.create_task(self._store_in_the_end(outcome))
        self._own.add(task)
        task.add_done_callback(self._own.discard)

    async def _store_in_the_end(self, outcome: PromptOutcome) -> None:
        while not await self.store(outcome):
            await asyncio.sleep(1.0)

    async def _renew(self, broken: KafkaPublisher) -> None:
        """A publisher that gave up may still hold what it could not send: begin with a new one."""
        async with self._renewing:
            if self._publisher is broken:
                renewed = KafkaPublisher(self._kafka, patience_s=_PATIENCE_S)
                with contextlib.suppress(BusUnavailable):
                    await renewed.start()
                    self._publisher = renewed
                    await broken.stop()
