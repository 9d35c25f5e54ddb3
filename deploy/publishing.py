"""Catalogues onto Kafka and back: publish one, list them, put an older one in force again."""

import contextlib
import getpass
from dataclasses import dataclass
from datetime import UTC, datetime

from deploy.embeddings import embed_treatments
from guidance.decision.catalog import Catalog, parse_catalog
from guidance.decision.catalog_text import CatalogError
from models.artifact import ArtifactError
from models.serving import IntentModel
from schemas.codec import decode, encode
from schemas.errors import Malformed
from schemas.published import CATALOG, PublishedCatalog, TreatmentEmbedding
from schemas.topics import CATALOGS
from streams.bus.connection import KafkaSettings
from streams.bus.ports import Message
from streams.bus.producer import KafkaPublisher
from streams.bus.readers import KafkaReaders
from streams.decisions.live_rules import age, usable


@dataclass(frozen=True, slots=True)
class Version:
    """One published catalogue, and whether it is the one in force."""

    published: PublishedCatalog
    catalog: Catalog
    in_force: bool


async def publish(
    kafka: KafkaSettings, text: str, model: IntentModel, *, by: str | None = None, note: str | None = None
) -> PublishedCatalog:
    """Check a catalogue's text and put it in force in all running workers. Returns once Kafka has it safely.

    Its treatments are embedded by `model`, which is to be the one that the workers run; one that does not embed leaves
    the published catalogue without, so that only labels tell what was said.

    Raises:
        CatalogError: the text has mistakes.
        BusUnavailable: no broker answers.
    """
    catalog = parse_catalog(text)
    embeddings: tuple[TreatmentEmbedding, ...] = ()
    with contextlib.suppress(ArtifactError):
        embeddings = embed_treatments(catalog, model)
    published = PublishedCatalog(
        version=catalog.version,
        text=text,
        embeddings=embeddings,
        model_revision=model.manifest.revision if embeddings else None,
        published_at=datetime.now(UTC),
        published_by=by or getpass.getuser(),
        note=note,
    )
    await _write(kafka, published)
    return published


async def versions(kafka: KafkaSettings) -> list[Version]:
    """Every usable catalogue that was ever published, the one in force first, then by when they last were.

    Raises:
        LookupError: the topics are missing.
        BusUnavailable: no broker answers.
    """
    kept = await KafkaReaders(kafka).read_compacted(CATALOGS.name)
    found: list[Version] = []
    for record in sorted(kept.latest.values(), key=age, reverse=True):
        with contextlib.suppress(Malformed, CatalogError):  # workers refuse it, and say so
            published = decode(CATALOG, record.value)
            found.append(Version(published, usable(published), in_force=not found))
    return found


async def roll_back(kafka: KafkaSettings, to: str | None, *, by: str | None, note: str | None) -> PublishedCatalog:
    """Publish an older catalogue again: the version `to`, or the one before the one in force.

    Raises:
        ValueError: there is no such version; the message lists those there are.
        LookupError, BusUnavailable: as `versions`.
    """
    known = await versions(kafka)
    found = known[1:2] if to is None else [each for each in known if each.published.version == to]
    if not found:
        there = ", ".join(each.published.version for each in known) or "none"
        wanted = "an older catalogue" if to is None else f"the catalogue {to}"
        raise ValueError(f"{wanted} was never published; published are: {there}")
    again = found[0].published.model_copy(
        update={"published_at": datetime.now(UTC), "published_by": by or getpass.getuser(), "note": note}
    )
    await _write(kafka, again)
    return again


async def _write(kafka: KafkaSettings, published: PublishedCatalog) -> None:
    async with KafkaPublisher(kafka) as publisher:
        await publisher.publish([Message(CATALOGS.name, published.version, encode(published))])
