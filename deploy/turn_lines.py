"""Turns as JSON lines, a stream of any length: what `livecue model score` reads."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from models.serving import Utterance
from schemas.conversation import Speaker


class NotATurn(ValueError):
    """A line cannot be scored. ``str(error)`` names the line, says why, and what it must be."""


class TurnLine(NamedTuple):
    id: str | int
    utterance: Utterance
    end: int
    """Where the line ends, in bytes from where reading began."""


def read_lines(lines: Iterable[bytes]) -> Iterator[TurnLine]:
    """The turns on ``lines``, UTF-8, one at a time; blank lines are passed over.

    Raises:
        NotATurn: at the first line that is none, after all turns before it were given.
    """
    end = 0
    for number, line in enumerate(lines, start=1):
        end += len(line)
        if not line.strip():
            continue
        try:
            turn_id, utterance = _turn(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise NotATurn(
                f'line {number} is not a turn: {error}; it must be {{"id": "…", "text": "…"}} with, where known, '
                '"speaker" ("customer" or "agent"), "channel" and "context"'
            ) from error
        yield TurnLine(turn_id, utterance, end)


def _turn(row: Any) -> tuple[str | int, Utterance]:
    match row:
        case {"id": str() | int() as turn_id, "text": str() as text}:
            speaker = row.get("speaker") or Speaker.CUSTOMER
        case {"id": str() | int()}:
            raise ValueError("its text is missing, or no string")
        case dict():
            raise ValueError("its id is missing, or neither a string nor an integer")
        case _:
            raise ValueError("it is no JSON object")
    if speaker not in tuple(Speaker):
        raise ValueError("its speaker is neither customer nor agent")
    return turn_id, Utterance(Speaker(speaker), text)
