"""A labelled turn, as every loader gives it and training takes it."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Sentiment = Literal["negative", "neutral", "positive"]
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
    digests = sorted(hashlib.sha256(json.dumps(_content(turn)).encode()).hexdigest() for turn in turns)
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:16]


def _content(turn: LabelledTurn) -> list[object]:
    known = None if turn.known is None else sorted(turn.known)
    return [turn.text, turn.speaker, sorted(turn.labels), known, turn.sentiment, turn.churn_risk]
