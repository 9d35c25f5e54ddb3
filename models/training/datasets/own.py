"""Anybody's own labelled turns: a JSONL of ``{"text", "labels"}``, with whatever else of a turn is known."""

import json
from pathlib import Path
from typing import Any, Literal

from models.training.datasets.authored import held_out
from models.training.turns import SENTIMENTS, LabelledTurn
from schemas.errors import Malformed

_FEWEST = 20


def load_own(path: Path) -> list[LabelledTurn]:
    """Read ``path``: a JSON object a line with ``text`` and ``labels`` (a list, or one string), and, where known,
    ``speaker`` (``customer`` where not given), ``sentiment`` and ``churn_risk`` (0 to 2).

    Raises:
        Malformed: a line is no such turn, or there are too few; the message names the line.
    """
    turns = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            try:
                turns.append(_turn(json.loads(line)))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise Malformed(
                    f'{path}, line {number}: not a labelled turn ({error}); write {{"text": "…", "labels": ["…"]}}'
                ) from error
    if len(turns) < _FEWEST:
        raise Malformed(f"{path} has {len(turns)} turns: too few to train and calibrate on, {_FEWEST} are the least")
    return turns


def split_own(turns: list[LabelledTurn]) -> tuple[list[LabelledTurn], list[LabelledTurn]]:
    """Training and validation turns: a twentieth of a large set is held out, up to a fifth of a small one."""
    every = min(20, max(5, len(turns) // 250))
    parts: tuple[list[LabelledTurn], list[LabelledTurn]] = ([], [])
    for turn in turns:
        parts[held_out(turn.text, every)].append(turn)
    return parts


def _turn(row: dict[str, Any]) -> LabelledTurn:
    text, labels = row["text"], row["labels"]
    if not isinstance(text, str) or not text.strip():
        raise ValueError("text is empty")
    labels = [labels] if isinstance(labels, str) else labels
    if not all(isinstance(label, str) and label for label in labels):
        raise ValueError("labels are strings")
    sentiment, churn_risk = row.get("sentiment"), row.get("churn_risk")
    if sentiment not in (None, *SENTIMENTS):
        raise ValueError(f"sentiment is one of {', '.join(SENTIMENTS)}, or not given")
    if churn_risk not in (None, 0, 1, 2):
        raise ValueError("churn_risk is 0, 1 or 2, or not given")
    speaker: Literal["customer", "agent"] = row.get("speaker") or "customer"
    if speaker not in ("customer", "agent"):
        raise ValueError("speaker is customer or agent")
    return LabelledTurn(text, speaker, frozenset(labels), None, sentiment, churn_risk, source="own")
