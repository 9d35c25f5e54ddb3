"""A labelled turn, as every loader gives it and training takes it."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Sentiment = Literal["negative", "neutral", "positive"]
UNKNOWN = -1
"""Stands for a class that nobody annotated."""
SENTIMENTS: tuple[Sentiment, ...] = ("negative", "neutral", "positive")


@dataclass(frozen=True, slots=True)
class LabelledTurn:
    """A text and what is known of it; what is not known teaches nothing (it is masked out of the loss)."""

    text: str
    speaker: Literal["customer", "agent"]
    labels: frozenset[str]
    """Labels that hold."""
    known: frozenset[str] | None = None
    """Labels that this source annotates: those of them not in ``labels`` do not hold. None: all of the speaker's."""
    sentiment: Sentiment | None = None
    churn_risk: int | None = None
    source: str = "authored"


def data_revision(turns: Iterable[LabelledTurn]) -> str:
    """Hash of all that training sees, 16 hexadecimal digits, whatever the order of the turns."""
    return digest("".join(sorted(digest(json.dumps(_content(turn))) for turn in turns)))[:16]


def digest(text: str) -> str:
    """Its sha256 in hexadecimal: an order that has nothing to do with what the text says."""
    return hashlib.sha256(text.encode()).hexdigest()


def _content(turn: LabelledTurn) -> list[object]:
    known = None if turn.known is None else sorted(turn.known)
    return [turn.text, turn.speaker, sorted(turn.labels), known, turn.sentiment, turn.churn_risk]
