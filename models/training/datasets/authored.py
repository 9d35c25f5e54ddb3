"""The turns that we wrote: every label, customers' and agents', and plenty of talk that wants nothing."""

import json
from pathlib import Path
from typing import Literal

from models.training.turns import LabelledTurn, digest

_FOLDER = Path(__file__).parents[1] / "authored"
Split = Literal["train", "validation", "test", "test_first", "test_second", "test_third", "idle", "idle_second"]
_MEASURED_ON: dict[Split, tuple[str, ...]] = {
    "test": ("test", "test_second", "test_third"),
    "test_first": ("test",),
    "test_second": ("test_second",),
    "test_third": ("test_third",),
    "idle": ("idle", "idle_second"),
    "idle_second": ("idle_second",),
}
"""The files of the splits that nothing is ever fitted on."""


def load_authored(split: Split) -> list[LabelledTurn]:
    """All authored turns of one split.

    ``validation`` is what calibration and thresholds are fitted on: a file written apart, and every tenth turn of the
    others. ``test`` and ``idle`` (talk that wants nothing) were written by somebody who saw none of the rest, and
    nothing is ever fitted on them. ``test`` is three files, each written without sight of the others or of how any
    model did on them, and to be had alone, as is the later of the two of ``idle``.
    """
    if split in _MEASURED_ON:
        return [turn for name in _MEASURED_ON[split] for turn in _read(name)]
    apart = {"validation", *(name for names in _MEASURED_ON.values() for name in names)}
    turns = [turn for path in sorted(_FOLDER.glob("*.jsonl")) if path.stem not in apart for turn in read_turns(path)]
    if split == "train":
        return [turn for turn in turns if not held_out(turn.text)]
    return [*_read("validation"), *(turn for turn in turns if held_out(turn.text))]


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


def _read(name: str) -> list[LabelledTurn]:
    return read_turns(_FOLDER / f"{name}.jsonl")
