"""Where the model goes wrong: which label it takes for which, and the errors that it is surest of."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.training.measures import Mask, Matrix
from models.training.turns import LabelledTurn


@dataclass(frozen=True, slots=True)
class Confusion:
    """On ``turns`` turns ``missed`` held and did not fire, while ``fired`` did and did not hold."""

    missed: str
    fired: str
    turns: int


def confusions(names: Sequence[str], fires: Mask, holds: Mask, most: int = 10) -> tuple[Confusion, ...]:
    """The commonest confusions, at most ``most``; both masks (n, labels)."""
    missed, wrong = (holds & ~fires).astype(int), (fires & ~holds).astype(int)
    together = missed.T @ wrong
    counts = Counter({(names[row], names[column]): int(together[row, column]) for row, column in np.argwhere(together)})
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Confusion(missed, fired, turns) for (missed, fired), turns in ranked[:most])


@dataclass(frozen=True, slots=True)
class Mistake:
    """One wrong answer, and how sure the model was of it."""

    text: str
    speaker: str
    wanted: tuple[str, ...]
    """The turn's labels; empty where it wants nothing."""
    label: str
    """The label it is wrong about."""
    probability: float
    """What the model gave that label: high where it fired wrongly, low where it was missed."""


def worst_mistakes(
    turns: Sequence[LabelledTurn], names: Sequence[str], probabilities: Matrix, fires: Mask, most: int = 10
) -> tuple[Mistake, ...]:
    """The turns whose answer is wrong and surest, at most ``most``, each with its worst label.

    Sure is far from the truth: a probability near 1 of what does not hold, near 0 of what does. ``probabilities`` and
    ``fires`` are (n, labels).
    """
    holds = np.array([[name in turn.labels for name in names] for turn in turns], dtype=bool)
    distance = np.where(fires != holds, np.abs(probabilities - holds), -1.0)
    worst = distance.argmax(axis=1)
    sureness = distance[np.arange(len(turns)), worst]
    rows = [int(row) for row in np.argsort(-sureness, kind="stable")[:most] if sureness[row] >= 0]
    return tuple(
        Mistake(
            text=turns[row].text,
            speaker=turns[row].speaker,
            wanted=tuple(sorted(turns[row].labels)),
            label=names[worst[row]],
            probability=round(float(probabilities[row, worst[row]]), 4),
        )
        for row in rows
    )
