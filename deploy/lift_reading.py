"""What lift is reckoned from: lessons, their decisions and what is learned now, from Kafka or from files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from guidance.lift.choices import Weighed, weighed
from schemas.codec import decode
from schemas.errors import Malformed
from schemas.guidance import DECISION, Decision
from schemas.learning import LESSON, POSTERIOR, Lesson, Posterior
from schemas.topics import DECISIONS, LESSONS, PROPENSITIES
from streams.bus.connection import KafkaSettings
from streams.bus.ports import Record
from streams.bus.readers import KafkaReaders, Positions, Tail

_Line = Annotated[Lesson | Decision | Posterior, Field(discriminator="type")]
_LINE: TypeAdapter[_Line] = TypeAdapter(_Line)


@dataclass(slots=True)
class Log:
    """What was read. Second copies of a record count once."""

    since: datetime | None
    """Lessons of earlier decisions are passed over; None: none is."""
    lessons: dict[str, Lesson] = field(default_factory=dict)
    """By decision id."""
    decisions: dict[str, Weighed] = field(default_factory=dict)
    """By decision id; of lessons alone."""
    posteriors: list[Posterior] = field(default_factory=list)
    unreadable: int = 0
    """Records on Kafka that are not what their topic carries; passed over."""

    def add(self, record: Lesson | Decision | Posterior) -> None:
        """Lessons come before decisions, of which those without a lesson are not kept."""
        match record:
            case Lesson():
                if self.since is None or record.decided_at >= self.since:
                    self.lessons[record.decision_id] = record
            case Decision():
                if record.decision_id in self.lessons and (found := weighed(record)) is not None:
                    self.decisions[record.decision_id] = found
            case Posterior():
                self.posteriors.append(record)


def from_files(paths: Sequence[Path], since: datetime | None) -> Log:
    """From files of lessons, decisions and posteriors, one JSON object a line, in any order.

    Raises:
        Malformed: a line is none of these; the message says where.
        OSError: a file cannot be read.
    """
    log = Log(since)
    for wanted in (Lesson, Decision | Posterior):
        for path in paths:
            for record in _lines(path):
                if isinstance(record, wanted):
                    log.add(record)
    return log


def _lines(path: Path) -> Iterator[Lesson | Decision | Posterior]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield decode(_LINE, line)
                except Malformed as error:
                    raise Malformed(f"{path}, line {number}: {error}") from None


async def from_kafka(kafka: KafkaSettings, since: datetime) -> Log:
    """From the topics.

    Raises:
        LookupError: a topic is missing.
        BusUnavailable: no broker answers.
    """
    log = Log(since)
    readers = KafkaReaders(kafka)
    for topic, adapter in ((LESSONS.name, LESSON), (DECISIONS.name, DECISION)):
        starts, ends = [await readers.positions([topic], each) for each in (since, "latest")]
        async with Tail(kafka, {source: start for source, start in starts.items() if start < ends[source]}) as tail:
            await _read_to(tail, ends, log, adapter)
    for record in (await readers.read_compacted(PROPENSITIES.name)).latest.values():
        _add(log, record, POSTERIOR)
    return log


async def _read_to(tail: Tail, ends: Positions, log: Log, adapter: TypeAdapter[Any]) -> None:
    if tail.positions:
        async for batch in tail:
            for record in batch:
                _add(log, record, adapter)
            if all(position >= ends[source] for source, position in tail.positions.items()):
                return


def _add(log: Log, record: Record, adapter: TypeAdapter[Any]) -> None:
    try:
        log.add(decode(adapter, record.value))
    except Malformed:
        log.unreadable += 1
