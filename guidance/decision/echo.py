"""Said already: whether what the agent says means what a treatment says, by the model's similarity embeddings."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt
from operator import mul
from typing import Self

from schemas.conversation import Speaker
from schemas.intent import ScoredTurn
from schemas.published import TreatmentEmbedding


@dataclass(frozen=True, slots=True)
class _Meaning:
    numbers: tuple[int, ...]
    length: float
    """0 for a text that says nothing: it is like nothing."""

    @classmethod
    def read(cls, embedding: str) -> Self:
        """From base64 of int8."""
        numbers = tuple(memoryview(base64.b64decode(embedding)).cast("b"))
        return cls(numbers, sqrt(sum(map(mul, numbers, numbers))))

    def likeness(self, other: "_Meaning") -> float:
        """The cosine, -1 to 1."""
        lengths = self.length * other.length
        return sum(map(mul, self.numbers, other.numbers)) / lengths if lengths else 0.0


@dataclass(frozen=True, slots=True)
class Echoes:
    """What the catalogue's treatments say, as one model hears it. Comparable with turns of that model only."""

    model_revision: str
    _by_action: Mapping[str, tuple[_Meaning, ...]]

    @classmethod
    def of(cls, embeddings: Iterable[TreatmentEmbedding], model_revision: str | None) -> Self | None:
        """As they are published with a catalogue; None where none are."""
        by_action: dict[str, tuple[_Meaning, ...]] = {}
        for each in embeddings:
            by_action[each.action_id] = (*by_action.get(each.action_id, ()), _Meaning.read(each.embedding))
        return cls(model_revision, by_action) if by_action and model_revision is not None else None

    def likeness(self, turn: ScoredTurn) -> Mapping[str, float]:
        """By action: how much what is said on `turn` is like the nearest of its treatments, -1 to 1.

        Empty for what no agent says, and for a turn of another model, or without an embedding.
        """
        scores = turn.scores
        if (
            turn.turn.speaker is not Speaker.AGENT
            or scores is None
            or scores.embedding is None
            or scores.model_revision != self.model_revision
        ):
            return {}
        said = _Meaning.read(scores.embedding)
        return {action_id: max(map(said.likeness, treatments)) for action_id, treatments in self._by_action.items()}


def said_on(turn: ScoredTurn, echoes: Echoes | None, at_least: float) -> frozenset[str]:
    """The actions of which the agent says on `turn` what one of their treatments says."""
    if echoes is None:
        return frozenset()
    return frozenset(action_id for action_id, likeness in echoes.likeness(turn).items() if likeness >= at_least)
