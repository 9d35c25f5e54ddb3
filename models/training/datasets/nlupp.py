"""NLU++ banking (PolyAI, CC BY 4.0): spoken banking requests; its thanks and goodbyes are annotated on every turn."""

import json
from pathlib import Path

from models.training.turns import LabelledTurn

_LABEL_OF_INTENT = {"thank": "gratitude", "end_call": "closing"}
_FOLDS = 6
"""Of its 15 folds of about 100 turns each."""


def load_nlupp(folder: Path) -> list[LabelledTurn]:
    """The turns of some of its folds, for gratitude and closing alone."""
    turns = []
    for fold in range(_FOLDS):
        path = folder / "nlupp_banking" / f"fold{fold}.json"
        for row in json.loads(path.read_text(encoding="utf-8")):
            labels = frozenset(_LABEL_OF_INTENT[name] for name in row.get("intents", ()) if name in _LABEL_OF_INTENT)
            known = frozenset(_LABEL_OF_INTENT.values())
            turns.append(LabelledTurn(row["text"], "customer", labels, known, source="nlupp"))
    return turns
