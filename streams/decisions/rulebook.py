"""Every version of what decisions were made by, so that they can be decided again as they were."""

import contextlib
from collections.abc import Iterable

from guidance.decision.arbitration import Levers
from guidance.decision.catalog import Catalog
from guidance.decision.catalog_text import CatalogError
from guidance.decision.replay import Recorded, RulesUnknown
from guidance.decision.rules import Rules
from schemas.codec import decode
from schemas.errors import Malformed
from schemas.guidance import Versions
from schemas.published import CATALOG, LEVERS
from schemas.topics import CATALOGS, LEVERS_TOPIC
from streams.bus.connection import KafkaSettings
from streams.bus.readers import KafkaReaders
from streams.decisions.live_rules import levers_of, usable


class Rulebook:
    """Called with a recorded decision, it gives what it was made by. Raises `RulesUnknown`."""

    def __init__(self, catalogs: Iterable[Catalog], levers: Iterable[Levers] = ()) -> None:
        self._catalogs = {catalog.version: catalog for catalog in catalogs}
        self._levers = {each.version: each for each in levers}
        self._made: dict[Versions, Rules] = {}

    @classmethod
    async def published(cls, kafka: KafkaSettings, besides: Iterable[Catalog]) -> "Rulebook":
        """All that was ever published; `besides` are catalogues that workers were given as files.

        Raises:
            LookupError: a topic is missing; the message says how to create it.
            BusUnavailable: no broker answers.
        """
        readers = KafkaReaders(kafka)
        catalogs = list(besides)
        for record in (await readers.read_compacted(CATALOGS.name)).latest.values():
            with contextlib.suppress(Malformed, CatalogError):  # workers refused it, so nothing was decided by it
                catalogs.append(usable(decode(CATALOG, record.value)))
        levers = []
        for record in (await readers.read_compacted(LEVERS_TOPIC.name)).latest.values():
            with contextlib.suppress(Malformed):
                levers.append(levers_of(decode(LEVERS, record.value)))
        return cls(catalogs, levers)

    def __call__(self, recorded: Recorded) -> Rules:
        versions = recorded.versions
        made = self._made.get(versions)
        if made is None:
            made = self._made[versions] = self._make(versions)
        return made

    def _make(self, versions: Versions) -> Rules:
        catalog = self._catalogs.get(versions.catalog)
        if catalog is None:
            raise RulesUnknown(f"its catalogue {versions.catalog} was never published: name its file by --old-catalog")
        levers = None if versions.levers is None else self._levers.get(versions.levers)
        if versions.levers is not None and levers is None:
            raise RulesUnknown(f"its levers {versions.levers} are not to be had any more")
        if versions.propensities is not None:
            raise RulesUnknown(f"its propensities {versions.propensities} are not to be had any more")
        return Rules(catalog, levers)
