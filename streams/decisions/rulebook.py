"""Every version of what decisions were made by, so that they can be decided again as they were."""

import contextlib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace

from guidance.decision.arbitration import Levers
from guidance.decision.catalog import Catalog
from guidance.decision.catalog_text import CatalogError
from guidance.decision.echo import Echoes
from guidance.decision.lever_settings import levers_of
from guidance.decision.propensity import Propensities
from guidance.decision.replay import Recorded, RulesUnknown
from guidance.decision.rules import Rules
from schemas.codec import decode
from schemas.errors import Malformed
from schemas.guidance import DECISION, Versions
from schemas.learning import POSTERIOR, Posterior
from schemas.published import CATALOG, LEVERS
from schemas.topics import CATALOGS, LEVERS_TOPIC, PROPENSITIES
from streams.bus.connection import KafkaSettings
from streams.bus.readers import KafkaReaders
from streams.decisions.live_rules import usable


class Rulebook:
    """Called with a recorded decision, it gives what it was made by. Raises `RulesUnknown`."""

    def __init__(
        self,
        catalogs: Iterable[tuple[Catalog, Echoes | None]],
        levers: Iterable[Levers] = (),
        posteriors: Iterable[Posterior] = (),
    ) -> None:
        self._catalogs = {catalog.version: (catalog, echoes) for catalog, echoes in catalogs}
        self._levers = {each.version: each for each in levers}
        self._learned = _Learned(posteriors)
        self._made: dict[Versions, Rules] = {}

    @classmethod
    async def published(cls, kafka: KafkaSettings, besides: Iterable[Catalog]) -> "Rulebook":
        """All that was ever published, and learned; `besides` are catalogues that workers were given as files.

        Raises:
            LookupError: a topic is missing; the message says how to create it.
            BusUnavailable: no broker answers.
        """
        readers = KafkaReaders(kafka)
        catalogs: list[tuple[Catalog, Echoes | None]] = [(catalog, None) for catalog in besides]
        levers, posteriors = [], []
        # What cannot be read was refused by the workers: nothing was decided by it.
        for record in (await readers.read_compacted(CATALOGS.name)).latest.values():
            with contextlib.suppress(Malformed, CatalogError):
                published = decode(CATALOG, record.value)
                echoes = Echoes.of(published.embeddings, published.model_revision)
                catalogs.append((usable(published), echoes))
        for record in (await readers.read_compacted(LEVERS_TOPIC.name)).latest.values():
            with contextlib.suppress(Malformed):
                levers.append(levers_of(decode(LEVERS, record.value)))
        for record in (await readers.read_compacted(PROPENSITIES.name)).latest.values():
            with contextlib.suppress(Malformed):
                posteriors.append(decode(POSTERIOR, record.value))
        return cls(catalogs, levers, posteriors)

    def __call__(self, recorded: Recorded) -> Rules:
        versions = recorded.versions
        made = self._made.get(versions)
        if made is None:
            made = self._make(recorded)
            if made.propensities is None or made.propensities.version == versions.propensities:
                self._made[versions] = made
            else:  # it is what this decision names, but not all that there was: the next one may name others
                made = replace(made, propensities=replace(made.propensities, version=str(versions.propensities)))
        return made

    def _make(self, recorded: Recorded) -> Rules:
        versions = recorded.versions
        if versions.catalog not in self._catalogs:
            raise RulesUnknown(f"its catalogue {versions.catalog} was never published: name its file by --old-catalog")
        catalog, echoes = self._catalogs[versions.catalog]
        if versions.echoes is None:
            echoes = None
        elif echoes is None or echoes.model_revision != versions.echoes:
            raise RulesUnknown(f"its catalogue {versions.catalog} is not kept as the model {versions.echoes} heard it")
        levers = None if versions.levers is None else self._levers.get(versions.levers)
        if versions.levers is not None and levers is None:
            raise RulesUnknown(f"its levers {versions.levers} are not to be had any more")
        learned = None if versions.propensities is None else self._learned.by(recorded)
        return Rules(catalog, levers, learned, echoes)


class _Learned:
    """What had been learned when. A decision names each posterior that it used, and a digest of all there were."""

    def __init__(self, posteriors: Iterable[Posterior]) -> None:
        self._in_order = sorted(posteriors, key=lambda each: (each.at, each.action_id, each.version))
        self._at = [each.at for each in self._in_order]
        self._by_name = {f"{each.action_id}@{each.version}": each for each in self._in_order}

    def by(self, recorded: Recorded) -> Propensities:
        """What the decision was made by: the posteriors that it names, and of other actions the newest until then."""
        weighed = [each for each in decode(DECISION, recorded.written).candidates if each.propensity is not None]
        names = {each.posterior for each in weighed if each.posterior is not None}
        if not names <= self._by_name.keys():
            gone = ", ".join(sorted(names - self._by_name.keys()))
            raise RulesUnknown(f"what was learned and it was made by is not to be had any more: {gone}")
        until_then = self._in_order[: bisect_right(self._at, recorded.now)]
        decided = {each.action_id for each in weighed}
        others = (each for each in until_then if each.action_id not in decided)
        return Propensities.of([*map(self._by_name.__getitem__, names), *others])
