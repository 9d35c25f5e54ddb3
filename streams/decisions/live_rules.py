"""What is in force, as the compacted topics have it: read to their end before the worker is ready, then followed.

The last one published holds, by Kafka's timestamp. A catalogue that cannot be used is refused, loudly, and the one in
force stays: publishing checks beforehand, but anybody may write to a topic.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace

from guidance.decision.catalog import Catalog, parse_catalog
from guidance.decision.catalog_text import CatalogError
from guidance.decision.echo import Echoes
from guidance.decision.lever_settings import levers_of
from guidance.decision.propensity import Propensities
from guidance.decision.rules import Rules
from schemas.codec import decode
from schemas.errors import Malformed
from schemas.learning import POSTERIOR, Posterior
from schemas.published import CATALOG, LEVERS, PublishedCatalog, PublishedLevers
from schemas.topics import CATALOGS, LEVERS_TOPIC, PROPENSITIES
from streams.bus.connection import KafkaSettings
from streams.bus.metrics import RULES_REFUSED, RULES_SWAPPED
from streams.bus.ports import Record
from streams.bus.readers import KafkaReaders, Positions, Tail

_LOG = logging.getLogger(__name__)
_LAST_HOLDS = (CATALOGS.name, LEVERS_TOPIC.name)


class LiveRules:
    """Called, it says what is in force; whoever decides asks it anew for every input."""

    def __init__(self, kafka: KafkaSettings, standing: Catalog, *, fixed: bool = False) -> None:
        """`standing` holds as long as none is published; `fixed`: whatever is published."""
        self._kafka = kafka
        self._fixed = fixed
        self._rules = Rules(standing)
        self._since: dict[str, tuple[int, bytes]] = {}
        """By topic: the timestamp and key of the record in force."""
        self._learned: dict[str, Posterior] = {}
        """By action: the highest version."""

    def __call__(self) -> Rules:
        return self._rules

    async def load(self) -> Positions:
        """Read all that was ever published. Returns from where to `follow`.

        Raises:
            LookupError: a topic is missing; the message says how to create it.
            BusUnavailable: no broker answers.
        """
        readers = KafkaReaders(self._kafka)
        positions: dict[tuple[str, int], int] = {}
        learned = await readers.read_compacted(PROPENSITIES.name)
        positions.update(learned.positions)
        self._learn(learned.latest.values())
        for topic in _LAST_HOLDS:
            kept = await readers.read_compacted(topic)
            positions.update(kept.positions)
            for record in sorted(kept.latest.values(), key=age, reverse=True):
                if await self.take(record):
                    break  # all others are older
        _LOG.info("decides by %s", self._rules.catalog.version)
        return positions

    async def follow(self, positions: Positions) -> None:
        """Take what is published from there on, until cancelled. Raises `OffsetGone` after a very long absence."""
        async with Tail(self._kafka, positions) as tail:
            async for batch in tail:
                await self.take_all(batch)

    async def take_all(self, records: Iterable[Record]) -> None:
        """Several, in whichever order the partitions gave them."""
        records = sorted(records, key=age)
        self._learn(record for record in records if record.topic == PROPENSITIES.name)
        for record in records:
            if record.topic in _LAST_HOLDS:
                await self.take(record)

    async def take(self, record: Record) -> bool:
        """Put the catalogue or the levers of `record` in force if they are newer than what is. False: they are not, or
        cannot be used."""
        if record.value is None or age(record) < self._since.get(record.topic, (-1, b"")):
            return False
        try:
            if record.topic == CATALOGS.name:
                await self._take_catalog(decode(CATALOG, record.value))
            else:
                self._take_levers(decode(LEVERS, record.value))
        except (Malformed, CatalogError) as error:
            RULES_REFUSED.labels(record.topic).inc()
            _LOG.error(
                "%s/%s@%s cannot be used, what was in force stays. Check it with `livecue catalog check` and publish "
                "it again: %s", record.topic, record.partition, record.offset, error,
            )  # fmt: skip
            return False
        self._since[record.topic] = age(record)
        RULES_SWAPPED.labels(record.topic).inc()
        return True

    async def _take_catalog(self, published: PublishedCatalog) -> None:
        if self._fixed:
            return
        catalog = await asyncio.to_thread(usable, published)  # some hundred conditions to compile
        echoes = Echoes.of(published.embeddings, published.model_revision)
        self._rules = replace(self._rules, catalog=catalog, echoes=echoes)
        _LOG.info("catalogue %s is in force, published by %s", catalog.version, published.published_by)

    def _take_levers(self, published: PublishedLevers) -> None:
        levers = levers_of(published)
        self._rules = replace(self._rules, levers=levers)
        _LOG.info("levers %s are in force, set by %s", published.version, published.set_by)

    def _learn(self, records: Iterable[Record]) -> None:
        """Each action's highest version holds. With nothing learned at all, nothing is drawn: see `Rules`."""
        before = dict(self._learned)
        for record in records:
            try:
                posterior = decode(POSTERIOR, record.value)
            except Malformed as error:
                RULES_REFUSED.labels(record.topic).inc()
                _LOG.error("%s/%s@%s cannot be used: %s", record.topic, record.partition, record.offset, error)
                continue
            known = self._learned.get(posterior.action_id)
            if known is None or known.version < posterior.version:
                self._learned[posterior.action_id] = posterior
        if self._learned != before:
            self._rules = replace(self._rules, propensities=Propensities.of(self._learned.values()))
            RULES_SWAPPED.labels(PROPENSITIES.name).inc()


def usable(published: PublishedCatalog) -> Catalog:
    """The catalogue that was published.

    Raises:
        CatalogError: its text has mistakes.
        Malformed: it is not what it calls itself.
    """
    catalog = parse_catalog(published.text)
    if catalog.version != published.version:
        raise Malformed(f"the text is {catalog.version}, but it calls itself {published.version}")
    return catalog


def age(record: Record) -> tuple[int, bytes]:
    """Of published records, the one with the highest holds."""
    return record.timestamp_ms, record.key or b""
