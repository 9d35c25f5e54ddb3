"""The stream workers, put together: a processor, its pure core, and the engine that runs it."""

import asyncio
import logging
import time
from importlib.resources import files
from pathlib import Path

from guidance.decision.catalog import Catalog, parse_catalog
from models.artifacts import INTENT
from models.serving import IntentModel
from schemas.topics import TICKS
from streams.bus.connection import KafkaSettings, wait_for_kafka
from streams.decisions.live_rules import LiveRules
from streams.decisions.processor import DecisionsProcessor
from streams.engine.app import run_worker
from streams.engine.settings import WorkerSettings
from streams.engine.topics import partitions_of_sources
from streams.intents.processor import IntentsProcessor
from streams.intents.scoring import Scoring
from streams.learner.processor import LearnerProcessor


def run_intents(kafka: KafkaSettings, data: Path, http_port: int | None, model: Path | None) -> None:
    """Score turns until SIGTERM. `model` None: the one that ships.

    Raises:
        ArtifactError: the model does not load.
        BusUnavailable, TopicsRefused, DataDirInUse: as `run_worker`.
    """
    log_to_stderr()
    scoring = Scoring(load_model(model).score)
    settings = WorkerSettings(kafka=kafka, data_dir=data, http_port=http_port)

    async def run() -> None:
        partitions = await _partitions(kafka, IntentsProcessor.topics)
        await run_worker(IntentsProcessor(scoring, partitions), settings)

    try:
        asyncio.run(run())
    finally:
        scoring.close()


def run_decisions(kafka: KafkaSettings, data: Path, http_port: int | None, catalog: Path | None) -> None:
    """Decide on scored turns until SIGTERM.

    `catalog` None: by what is published, and by the telecom example as long as nothing is. Levers are followed anyway.

    Raises:
        CatalogError: the catalogue has mistakes; the message lists each with its line and how to mend it.
        BusUnavailable, TopicsRefused, DataDirInUse: as `run_worker`.
    """
    log_to_stderr()
    rules = LiveRules(kafka, load_catalog(catalog), fixed=catalog is not None)
    settings = WorkerSettings(kafka=kafka, data_dir=data, http_port=http_port)

    async def run() -> None:
        partitions = await _partitions(kafka, DecisionsProcessor.topics)
        positions = await rules.load()
        async with asyncio.TaskGroup() as group:
            following = group.create_task(rules.follow(positions))
            await run_worker(DecisionsProcessor(rules, partitions), settings, ticks=TICKS.name)
            following.cancel()

    asyncio.run(run())


def run_learner(kafka: KafkaSettings, data: Path, http_port: int | None) -> None:
    """Learn from lessons until SIGTERM.

    Raises:
        BusUnavailable, TopicsRefused, DataDirInUse: as `run_worker`.
    """
    log_to_stderr()
    settings = WorkerSettings(kafka=kafka, data_dir=data, http_port=http_port)

    async def run() -> None:
        partitions = await _partitions(kafka, LearnerProcessor.topics)
        await run_worker(LearnerProcessor(partitions), settings)

    asyncio.run(run())


def load_model(folder: Path | None) -> IntentModel:
    """The intent model in `folder`; None: the one that ships."""
    return IntentModel.load(folder or INTENT)


def load_catalog(path: Path | None) -> Catalog:
    """The catalogue in the file `path`; None: the telecom example."""
    return parse_catalog(catalog_text(path))


def catalog_text(path: Path | None) -> str:
    """The text of the file `path`; None: of the telecom example."""
    source = path or files("guidance") / "catalogs" / "telecom.yaml"
    return source.read_text(encoding="utf-8")


async def _partitions(kafka: KafkaSettings, topics: tuple[str, ...]) -> int:
    await wait_for_kafka(kafka)
    return await asyncio.to_thread(partitions_of_sources, kafka, topics)


def log_to_stderr() -> None:
    """A line an event, with its time in UTC."""
    logging.basicConfig(format="%(asctime)sZ %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    logging.Formatter.converter = time.gmtime
