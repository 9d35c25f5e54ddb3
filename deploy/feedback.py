"""What agents report as misheard, joined with the turns: candidates for training. Reads Kafka, and nothing else."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from deploy.publishing import versions
from guidance.decision.catalog import Catalog, parse_catalog
from schemas.codec import decode
from schemas.errors import Malformed
from schemas.guidance import DECISION, Decision, PromptState
from schemas.intent import INTENTS, ScoredTurn
from schemas.outcomes import OUTCOME, DismissReason, PromptOutcome
from schemas.topics import DECISIONS, INTENTS_TOPIC, OUTCOMES
from streams.bus.connection import KafkaSettings
from streams.bus.ports import Record
from streams.bus.readers import KafkaReaders

_REPORTED_WITHIN = timedelta(hours=1)
"""How long after its turn a prompt is still reported on: turns and decisions are read from that much earlier on."""


@dataclass
class Feedback:
    """What was found."""

    reports: int = 0
    candidates: list[dict[str, Any]] = field(default_factory=list)
    """One a turn: text (redacted), speaker, labels that fired and stand, not_labels that were misheard, and where it is
    from."""
    no_longer_kept: int = 0
    """Reports whose decision or turn Kafka no longer has."""
    by_no_label: int = 0
    """Reports on what no label of its very turn had called for, but words, facts, or an earlier turn."""
    unknown_catalog: int = 0
    """Reports on prompts of a catalogue that is not to be found."""

    def as_dict(self) -> dict[str, int]:
        """The counts."""
        counts = {name: value for name, value in vars(self).items() if isinstance(value, int)}
        return {**counts, "candidates": len(self.candidates)}


async def collect(
    kafka: KafkaSettings, since: datetime, own: Iterable[Catalog], on_read: Callable[[int, int], None]
) -> Feedback:
    """All that was reported since then. `own`: catalogues that were never published; `on_read`: is told how many
    partitions of how many are read.

    Raises:
        LookupError: a topic is missing.
        BusUnavailable: no broker answers.
    """
    reading = _Reading(KafkaReaders(kafka), on_read)
    ranges = {
        topic: await reading.ranges(topic, start)
        for topic, start in (
            (OUTCOMES.name, since),
            (DECISIONS.name, since - _REPORTED_WITHIN),
            (INTENTS_TOPIC.name, since - _REPORTED_WITHIN),
        )
    }
    reports = {
        each.outcome_id: each
        async for each in reading.all(OUTCOMES.name, OUTCOME, ranges)
        if isinstance(each, PromptOutcome) and _is_report(each)
    }
    wanted = {report.decision_id for report in reports.values()}
    decisions = {
        each.decision_id: each
        async for each in reading.all(DECISIONS.name, DECISION, ranges)
        if each.decision_id in wanted
    }
    turn_ids = {decision.turn_id for decision in decisions.values()}
    turns = {
        each.turn.turn_id: each
        async for each in reading.all(INTENTS_TOPIC.name, INTENTS, ranges)
        if isinstance(each, ScoredTurn) and each.turn.is_final and each.turn.turn_id in turn_ids
    }
    return join(
        reports.values(), decisions, turns, _by_version([*(each.catalog for each in await versions(kafka)), *own])
    )


def join(
    reports: Iterable[PromptOutcome],
    decisions: Mapping[str, Decision],
    turns: Mapping[str, ScoredTurn],
    catalogs: Mapping[str, Catalog],
) -> Feedback:
    """Each turn of which a label was misheard, once, in order of time. `decisions` and `turns` by their ids, `catalogs`
    by version."""
    feedback = Feedback()
    found: dict[str, dict[str, Any]] = {}
    for report in sorted(reports, key=lambda each: (each.at, each.outcome_id)):
        feedback.reports += 1
        decision = decisions.get(report.decision_id)
        turn = None if decision is None else turns.get(decision.turn_id)
        if decision is None or turn is None or turn.scores is None:
            feedback.no_longer_kept += 1
            continue
        catalog = catalogs.get(decision.versions.catalog)
        action = None if catalog is None else catalog.by_id.get(report.action_id)
        if action is None:
            feedback.unknown_catalog += 1
            continue
        called = {trigger.intent for trigger in action.triggers}
        misheard = [label for label in turn.scores.fired if label in called]
        if not misheard:
            feedback.by_no_label += 1
            continue
        candidate = found.setdefault(turn.turn.turn_id, _candidate(turn))
        candidate["not_labels"] = sorted({*candidate["not_labels"], *misheard})
        candidate["labels"] = [label for label in candidate["labels"] if label not in misheard]
        candidate["reports"].append(
            {"action_id": report.action_id, "note": report.note, "at": report.model_dump(mode="json")["at"]}
        )
    feedback.candidates = list(found.values())
    return feedback


def shipped() -> Iterator[Catalog]:
    """The example catalogues."""
    for file in (files("guidance") / "catalogs").iterdir():
        if file.name.endswith(".yaml") and not file.name.endswith(".tests.yaml"):
            yield parse_catalog(file.read_text(encoding="utf-8"))


def _candidate(turn: ScoredTurn) -> dict[str, Any]:
    assert turn.scores is not None
    return {
        "text": turn.turn.text,
        "speaker": turn.turn.speaker.value,
        "labels": list(turn.scores.fired),
        "not_labels": [],
        "turn_id": turn.turn.turn_id,
        "conversation_id": turn.conversation_id,
        "channel": turn.channel.value,
        "language": turn.language,
        "model_revision": turn.scores.model_revision,
        "reports": [],
    }


def _is_report(outcome: PromptOutcome) -> bool:
    return outcome.state is PromptState.DISMISSED and outcome.reason is DismissReason.WRONG_INTENT


def _by_version(catalogs: Iterable[Catalog]) -> dict[str, Catalog]:
    return {catalog.version: catalog for catalog in catalogs}


class _Reading:
    """Topics read from an instant to their present end, partition by partition."""

    def __init__(self, readers: KafkaReaders, on_read: Callable[[int, int], None]) -> None:
        self.readers = readers
        self._on_read = on_read
        self._read = 0
        self._of = 0

    async def ranges(self, topic: str, since: datetime) -> dict[int, tuple[int, int]]:
        """By partition: the first offset to read, and the one to stop before."""
        starts = await self.readers.positions([topic], since)
        ends = await self.readers.positions([topic], "latest")
        self._of += len(starts)
        return {partition: (start, ends[name, partition]) for (name, partition), start in starts.items()}

    async def all(self, topic: str, adapter: Any, ranges: Mapping[str, dict[int, tuple[int, int]]]) -> Any:
        """The values of all its records; those that cannot be read are passed over, as their processor buries them."""
        for partition, (start, end) in ranges[topic].items():
            records: list[Record] = []
            if start < end:
                records = await self.readers.read_range(topic, partition, start, end)
            self._read += 1
            self._on_read(self._read, self._of)
            for record in records:
                try:
                    yield decode(adapter, record.value or b"")
                except Malformed:
                    continue
