"""The turns that we wrote: every label, customers' and agents', and plenty of talk that wants nothing."""

import json
from pathlib import Path
from typing import Literal

from models.training.turns import LabelledTurn

_FOLDER = Path(__file__).parents[1] / "authored"
_TEST = "test.jsonl"


def load_authored(split: Literal["train", "test"]) -> list[LabelledTurn]:
    """All authored turns of one split; ``test`` was written apart and is never trained on."""
    paths = [_FOLDER / _TEST] if split == "test" else sorted(p for p in _FOLDER.glob("*.jsonl") if p.name != _TEST)
    return [turn for path in paths for turn in read_turns(path)]


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
