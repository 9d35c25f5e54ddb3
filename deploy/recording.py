"""Recorded conversations: NDJSON in, records for the topics out, moved in time and renamed for each run."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from schemas.codec import decode, encode
from schemas.conversation import ConversationRecord, Turn
from schemas.customer import CustomerEvent
from schemas.errors import Malformed
from schemas.topics import CUSTOMER_EVENTS, TURNS
from streams.bus.ports import Message

Recorded = Annotated[ConversationRecord | CustomerEvent, Field(discriminator="type")]
_RECORDED: TypeAdapter[Recorded] = TypeAdapter(Recorded)


@dataclass(frozen=True, slots=True)
class Line:
    """One recorded event."""

    event: Recorded

    @property
    def at(self) -> datetime:
        """When it becomes known: a turn when its last word has ended."""
        return self.event.ended_at if isinstance(self.event, Turn) else self.event.at

    @property
    def message(self) -> Message:
        """The record that says it, for the topic it belongs on."""
        event = self.event
        if isinstance(event, CustomerEvent):
            return Message(CUSTOMER_EVENTS.name, event.customer_id, encode(event))
        return Message(TURNS.name, event.conversation_id, encode(event))

    @property
    def is_final_turn(self) -> bool:
        return isinstance(self.event, Turn) and self.event.is_final


def samples() -> tuple[Traversable, ...]:
    """The recordings that come with Livecue, by name."""
    folder = files("deploy") / "samples"
    return tuple(sorted((f for f in folder.iterdir() if f.name.endswith(".ndjson")), key=lambda f: f.name))


def read(sources: Iterable[Path | Traversable]) -> tuple[Line, ...]:
    """All lines of all sources, in order of time; lines of one instant keep their order.

    Raises:
        Malformed: a line that is no recorded event; the message has file, line number and field.
        OSError: a file cannot be read.
    """
    lines: list[Line] = []
    for source in sources:
        for number, text in enumerate(source.read_bytes().splitlines(), 1):
            if not text.strip():
                continue
            try:
                lines.append(Line(decode(_RECORDED, text)))
            except Malformed as error:
                raise Malformed(f"{source}, line {number}: {error}") from None
    return tuple(sorted(lines, key=lambda line: line.at))


def renamed(lines: Sequence[Line], run: str) -> Iterator[Line]:
    """The same events under ids of their own, so that a second run is no redelivery of the first.

    Customers are renamed too: each run meets them as if for the first time.
    """
    for line in lines:
        event = line.event
        names = ("event_id", "conversation_id", "turn_id", "customer_id")
        update = {name: f"{value}.{run}" for name in names if (value := getattr(event, name, None)) is not None}
        yield Line(event.model_copy(update=update))


def moved(line: Line, origin: datetime, start: datetime, speed: float) -> Line:
    """The event as if the recording's `origin` were at `start` and it ran `speed` times as fast."""

    def at(instant: datetime) -> datetime:
        return start + (instant - origin) / speed

    event = line.event
    if isinstance(event, Turn):
        return Line(event.model_copy(update={"started_at": at(event.started_at), "ended_at": at(event.ended_at)}))
    return Line(event.model_copy(update={"at": at(event.at)}))


def compressed(lines: Sequence[Line], longest_pause: timedelta) -> Iterator[Line]:
    """The same events with silences between any two records cut to `longest_pause`: for watching."""
    shift, previous = timedelta(), None
    for line in lines:
        if previous is not None:
            shift += max(timedelta(), line.at - previous - longest_pause)
        previous = line.at
        yield moved(line, line.at, line.at - shift, 1.0)
