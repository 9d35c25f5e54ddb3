"""Catalogues onto Kafka and back: publish one, list them, put an older one in force again."""

import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from guidance.decision.catalog import Catalog
from schemas.codec import decode, encode
from schemas.published import CATALOG, PublishedCatalog, TreatmentEmbedding
from schemas.topics import CATALOGS
from streams.bus.connection import KafkaSettings
from streams.bus.ports import Message, Record
from streams.bus.producer import KafkaPublisher
from streams.bus.readers import KafkaReaders


@dataclass(frozen=True, slots=True)
class Version:
    """One published catalogue, and whether it is the one in force."""

    published: PublishedCatalog
    in_force: bool


async def publish(
    kafka: KafkaSettings,
    catalog: Catalog,
    text: str,
    embeddings: Sequence[TreatmentEmbedding],
    model_revision: str | None,
    *,
    by: str | None,
    note: str | None,
) -> PublishedCatalog:
    """Put `catalog`, parsed from `text`, in force in all running workers. Returns once Kafka has it safely.

    Raises:
        BusUnavailable: no broker answers.
    """
    published = PublishedCatalog(
        version=catalog.version,
        text=text,
        embeddings=tuple(embeddings),
        model_revision=model_revision if embeddings else None,
        published_at=datetime.now(UTC),
        published_by=by or getpass.getuser(),
        note=note,
    )
    await _write(kafka, published)
    return published


async def versions(kafka: KafkaSettings) -> list[Version]:
    """Every catalogue that was ever published, the one in force first, then by when they last were.

    Raises:
        LookupError: the topics are missing.
        BusUnavailable: no broker answers.
    """
    kept = await KafkaReaders(kafka).read_compacted(CATALOGS.name)
    newest_first = sorted(kept.latest.values(), key=_age, reverse=True)
    return [Version(decode(CATALOG, record.value), index == 0) for index, record in enumerate(newest_first)]


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


def _age(record: Record) -> tuple[int, bytes]:
    """As `streams.decisions.live_rules` orders them."""
    return record.timestamp_ms, record.key or b""
