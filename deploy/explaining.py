"""One decision out of the log, and the turn or request that it was made on."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.replaying import adapter_of
from guidance.decision.identity import input_id_of
from schemas.codec import decode
from schemas.errors import Malformed
from schemas.guidance import DECISION, Decision
from schemas.handoff import Forwarded
from schemas.intent import ScoredTurn
from schemas.requests import DecisionRequest
from schemas.topics import DECISIONS, HANDOFFS, INTENTS_TOPIC, REQUESTS
from streams.bus.connection import KafkaSettings
from streams.bus.merge import read_merged
from streams.bus.readers import KafkaReaders, OffsetGone

_ID = re.compile(r"(\d{3})-(\d{13})-[0-9a-f]{12}")
_CLOCKS_DIFFER = timedelta(minutes=10)
"""By how much the clock of a turn's source may be ahead of Kafka's: so much before the turn's time is looked, too."""
_INPUTS_READ = 2_000


@dataclass(frozen=True, slots=True)
class Found:
    """A decision with what it was made on."""

    decision: Decision
    made_on: ScoredTurn | DecisionRequest | None
    """None: the log has it no more (turns are kept for a shorter time), or it was read from a file."""


@dataclass(frozen=True, slots=True)
class DecisionId:
    """What an id tells: where to look, and from when on."""

    text: str
    partition: int
    at: datetime
    """When the turn ended, by its source's clock."""

    @classmethod
    def parse(cls, text: str) -> "DecisionId":
        """Of a decision's id, or of one of its prompts' (which begin with it). Raises ValueError for anything else."""
        found = _ID.fullmatch(text.strip().partition(".")[0])
        if found is None:
            raise ValueError(f"“{text}” is no decision's id: they look like 003-1764150000000-0123456789ab")
        at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(found[2]))
        return cls(found[0], int(found[1]), at)


async def find(kafka: KafkaSettings, wanted: DecisionId) -> Found:
    """The decision of that id.

    Raises:
        LookupError: the log has none; the message says where it was looked for, and how far back the log goes.
        BusUnavailable: no broker answers.
    """
    readers, topic = KafkaReaders(kafka), DECISIONS.name
    partitions = (await readers.describe(topic)).partitions
    if wanted.partition >= partitions:
        raise LookupError(
            f"there is no decision {wanted.text}: its number begins with partition {wanted.partition}, but {topic} has "
            f"partitions 0 to {partitions - 1} on this cluster. Is it the right one?"
        )
    source = (topic, wanted.partition)
    start = (await readers.positions([topic], wanted.at - _CLOCKS_DIFFER))[source]
    end = await readers.end(*source)
    name = f'"decision_id":"{wanted.text}"'.encode()
    async for batch in read_merged(kafka, {source: start}, {source: end}):
        for record in batch:
            if record.value is not None and name in record.value:
                decision = decode(DECISION, record.value)
                if decision.decision_id == wanted.text:  # and not a text that quotes it
                    return Found(decision, await _made_on(readers, wanted.partition, decision))
    raise LookupError(await _not_found(readers, wanted, start, end))


async def _not_found(readers: KafkaReaders, wanted: DecisionId, start: int, end: int) -> str:
    topic, partition = DECISIONS.name, wanted.partition
    looked = (
        f"there is no decision {wanted.text}: {topic}, partition {partition}, was read from offset {start} to {end}"
    )
    begin = (await readers.positions([topic], "earliest"))[topic, partition]
    first = await readers.read_range(topic, partition, begin, begin + 1) if begin < end else []
    if not first:
        return f"{looked}, and has no decisions at all. Is it the right cluster?"
    back_to = first[0].at
    if wanted.at < back_to:
        kept = "" if DECISIONS.retention is None else f" (decisions are kept for {DECISIONS.retention.days} days)"
        of, since = f"{wanted.at:%Y-%m-%d %H:%M:%S} UTC", f"{back_to:%Y-%m-%d %H:%M:%S} UTC"
        return f"{looked}. It would be of {of}, and the log goes back to {since} only{kept}"
    return (
        f"{looked}, which is all since {wanted.at - _CLOCKS_DIFFER:%Y-%m-%d %H:%M:%S} UTC; the log goes back to "
        f"{back_to:%Y-%m-%d %H:%M:%S} UTC. Is the id whole, and is it the right cluster?"
    )


async def _made_on(readers: KafkaReaders, partition: int, decision: Decision) -> ScoredTurn | DecisionRequest | None:
    """The turn or request: its record has the very timestamp that the decision calls now."""
    for topic in (REQUESTS,) if decision.occasion == "request" else (INTENTS_TOPIC, HANDOFFS):
        start = (await readers.positions([topic.name], decision.now))[topic.name, partition]
        try:
            records = await readers.read_range(topic.name, partition, start, start + _INPUTS_READ)
        except OffsetGone:
            continue
        for record in records:
            try:
                event = decode(adapter_of(topic.name), record.value)
            except Malformed:
                continue
            event = event.record if isinstance(event, Forwarded) else event
            if isinstance(event, ScoredTurn | DecisionRequest) and input_id_of(event) == decision.input_id:
                return event
    return None


def find_in(path: Path, wanted: DecisionId) -> Found:
    """The same from a file of decisions, one JSON object a line.

    Raises:
        LookupError: the file has none of that id; the message says what it has.
        Malformed: a line is no decision; the message says which.
        OSError: the file cannot be read.
    """
    seen: list[datetime] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            decision = decode(DECISION, line)
        except Malformed as error:
            raise Malformed(f"{path}, line {number}: {error}") from None
        if decision.decision_id == wanted.text:
            return Found(decision, None)
        seen.append(decision.now)
    has = (
        f"{len(seen)} others, of {min(seen):%Y-%m-%d %H:%M:%S} to {max(seen):%Y-%m-%d %H:%M:%S} UTC" if seen else "none"
    )
    raise LookupError(f"there is no decision {wanted.text} in {path}: it has {has}")
