"""The turns that we wrote: every label, customers' and agents', and plenty of talk that wants nothing."""

import json
from pathlib import Path
from typing import Literal

from models.training.turns import LabelledTurn, digest

_FOLDER = Path(__file__).parents[1] / "authored"
Split = Literal["train", "validation", "test", "idle"]
_APART = ("validation", "test", "idle")
_ONCE_MEASURED = "once_"
"""Files of this name were test splits of earlier models, each by other people than the rest."""


def load_authored(split: Split) -> list[LabelledTurn]:
    """All authored turns of one split.

    ``test`` and ``idle`` (talk that wants nothing) were written last, by people who saw none of the rest, and nothing
    is ever fitted on them. ``validation`` is what calibration and thresholds are fitted on: a file written apart,
    every second turn of what earlier models were measured on, which sounds like new talk because others wrote it, and
    every tenth of all else. ``train`` is what is left.
    """
    if split in ("test", "idle"):
        return read_turns(_FOLDER / f"{split}.jsonl")
    apart = read_turns(_FOLDER / "validation.jsonl") if split == "validation" else []
    paths = [path for path in sorted(_FOLDER.glob("*.jsonl")) if path.stem not in _APART]
    return apart + [
        turn
        for path in paths
        for turn in read_turns(path)
        if held_out(turn.text, 2 if path.stem.startswith(_ONCE_MEASURED) else 10) == (split == "validation")
    ]


def held_out(text: str, every: int = 10) -> bool:
    """Whether a turn is kept from training for validation: by a hash of its text, so that it stays where it is."""
    return int(digest(text), 16) % every == 0


def read_turns(path: Path) -> list[LabelledTurn]:
    """Read a JSONL of ``{"text", "speaker", "labels", "sentiment", "churn_risk", …}``, every label annotated."""
    turns = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        turns.append(
            LabelledTurn(
                text=row["text"],
                speaker=row["speaker"],
                labels=frozenset(row["labels"]),
                sentiment=row["sentiment"],
                churn_risk=row["churn_risk"],
            )
        )
    return turns
