"""Screenplays to records: `python -m deploy.samples.build` writes each `*.ndjson` from the `*.txt` beside it.

A screenplay is a list of conversations. Each begins with a header and is told line by line, in order of time:

    [churn-neighbour] voice start=00:05 agent=ada customer=c-1001 name="Dana Whitfield"
    profile c-1001 tenure_months=74 products=[broadband,mobile]     a second before the conversation starts
    A: thank you for calling                                        the agent says
    C: i'm thinking | of leaving                                    the customer says; `|`: a partial was heard
    assigned agent=ben   transferred agent=ben   identified customer=c-1001 name="Dana Whitfield"
    event c-1001 mail offer.made summary="..." intents=[...] action=...
    pause 12                                                        seconds in which nothing is said
    ended retained

Pacing is by words, so that the same screenplay always gives the same bytes.
"""

import re
import shlex
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from schemas.codec import encode
from schemas.conversation import (
    Channel,
    ConversationAssigned,
    ConversationEnded,
    ConversationIdentified,
    ConversationRecord,
    ConversationStarted,
    ConversationTransferred,
    Speaker,
    Turn,
)
from schemas.customer import CustomerEvent, Fact

HERE = Path(__file__).parent
DAY_STARTS = datetime(2026, 1, 5, 9, tzinfo=UTC)

Record = ConversationRecord | CustomerEvent

_HEADER = re.compile(r"\[(?P<id>[a-z0-9-]+)\] (?P<channel>\w+) (?P<rest>.+)")
_SPEAKERS = {"A:": Speaker.AGENT, "C:": Speaker.CUSTOMER}


def build(screenplay: str) -> list[Record]:
    """All records of `screenplay`, in order of time. Raises ValueError at a line it cannot read."""
    records: list[Record] = []
    for scene in _scenes(screenplay.splitlines()):
        records += _Scene(scene[0]).play(scene[1:])
    return sorted(records, key=_instant)


def write(screenplay: Path) -> Path:
    """Write the records of the file `screenplay` beside it, one JSON object a line, and say where."""
    target = screenplay.with_suffix(".ndjson")
    records = build(screenplay.read_text(encoding="utf-8"))
    target.write_bytes(b"".join(encode(record) + b"\n" for record in records))
    return target


def _instant(record: Record) -> datetime:
    return record.ended_at if isinstance(record, Turn) else record.at


def _scenes(lines: Iterable[str]) -> Iterator[list[str]]:
    scene: list[str] = []
    for line in (raw.strip() for raw in lines):
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and scene:
            yield scene
            scene = []
        scene.append(line)
    if scene:
        yield scene


class _Scene:
    """One conversation being told: who and what it is about, and what time it is in it."""

    def __init__(self, header: str) -> None:
        match = _HEADER.fullmatch(header)
        if match is None:
            raise ValueError(f"not a conversation's header: {header!r}")
        _, self._is = _words_and_options(match["rest"])
        self._id = match["id"]
        self._channel = Channel(match["channel"])
        minutes, seconds = self._is["start"].split(":")
        self._now = DAY_STARTS + timedelta(minutes=int(minutes), seconds=int(seconds))
        self._turns = 0
        self._events = 0

    def play(self, lines: Iterable[str]) -> Iterator[Record]:
        yield self._started()
        for line in lines:
            cue, _, rest = line.partition(" ")
            if cue in _SPEAKERS:
                yield from self._turn(_SPEAKERS[cue], rest)
            elif cue == "pause":
                self._now += timedelta(seconds=float(rest))
            elif cue in ("profile", "event"):
                yield self._customer_event(cue, rest)
            else:
                yield self._lifecycle(cue, rest)

    def _started(self) -> ConversationStarted:
        agent = self._is.get("agent")
        return ConversationStarted(
            event_id=f"{self._id}-started",
            conversation_id=self._id,
            at=self._now,
            channel=self._channel,
            customer_id=self._is.get("customer"),
            customer_name=self._is.get("name"),
            agent_id=agent,
            team=self._is.get("team", self._channel.value) if agent else None,
        )

    def _lifecycle(self, cue: str, rest: str) -> Record:
        words, options = _words_and_options(rest)
        self._now += timedelta(seconds=2)
        event_id = f"{self._id}-{cue}"
        team = options.get("team", self._channel.value)
        match cue:
            case "assigned":
                return ConversationAssigned(
                    event_id=event_id, conversation_id=self._id, at=self._now, agent_id=options["agent"], team=team
                )
            case "transferred":
                return ConversationTransferred(
                    event_id=event_id, conversation_id=self._id, at=self._now, agent_id=options["agent"], team=team
                )
            case "identified":
                return ConversationIdentified(
                    event_id=event_id,
                    conversation_id=self._id,
                    at=self._now,
                    customer_id=options["customer"],
                    customer_name=options.get("name"),
                )
            case "ended":
                return ConversationEnded(
                    event_id=event_id, conversation_id=self._id, at=self._now, disposition=words[0] if words else None
                )
        raise ValueError(f"{self._id}: no line begins with {cue!r}")

    def _customer_event(self, cue: str, rest: str) -> CustomerEvent:
        words, options = _words_and_options(rest)
        self._events += 1
        event_id = f"{self._id}-event-{self._events}"
        before = self._now - timedelta(seconds=1)
        if cue == "profile":
            facts = {name: _fact(value) for name, value in options.items()}
            return CustomerEvent(
                event_id=event_id,
                customer_id=words[0],
                channel=Channel.CRM,
                kind="profile.updated",
                at=before,
                facts=facts,
            )
        intents = _fact(options.get("intents", "[]"))
        return CustomerEvent(
            event_id=event_id,
            customer_id=words[0],
            channel=Channel(words[1]),
            kind=words[2],
            at=before,
            summary=options.get("summary"),
            intents=intents if isinstance(intents, tuple) else (),
            action_id=options.get("action"),
        )

    def _turn(self, speaker: Speaker, script: str) -> Iterator[Turn]:
        """The turn's partials, if any were heard, and its final."""
        heard = [part.strip() for part in script.split("|")]
        text = " ".join(heard)
        began, took, silence = self._now, self._speaking(text), self._silence(text)
        self._turns += 1
        self._now += took + silence
        for revision in range(len(heard) - 1):
            so_far = " ".join(heard[: revision + 1])
            share = len(so_far) / len(text)
            yield self._utterance(speaker, so_far, began, took * share, is_final=False, revision=revision)
        yield self._utterance(speaker, text, began, took)

    def _utterance(
        self,
        speaker: Speaker,
        text: str,
        began: datetime,
        took: timedelta,
        *,
        is_final: bool = True,
        revision: int = 0,
    ) -> Turn:
        return Turn(
            turn_id=f"{self._id}-t{self._turns:02d}",
            conversation_id=self._id,
            speaker=speaker,
            text=text,
            started_at=began,
            ended_at=began + took,
            is_final=is_final,
            revision=revision,
        )

    def _speaking(self, text: str) -> timedelta:
        a_word = 0.32 if self._channel is Channel.VOICE else 0.5
        return timedelta(seconds=min(10.0, max(1.2, a_word * len(text.split()))))

    def _silence(self, text: str) -> timedelta:
        shortest = 0.8 if self._channel is Channel.VOICE else 1.6
        return timedelta(seconds=shortest + 0.2 * (len(text) % 4))


def _words_and_options(text: str) -> tuple[list[str], dict[str, str]]:
    parts = shlex.split(text)
    options = dict(part.split("=", 1) for part in parts if "=" in part)
    return [part for part in parts if "=" not in part], options


def _fact(text: str) -> Fact:
    if text.startswith("["):
        return tuple(item for item in text.strip("[]").split(",") if item)
    if text in ("true", "false"):
        return text == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


if __name__ == "__main__":
    for path in sorted(HERE.glob("*.txt")):
        print(write(path).name)
