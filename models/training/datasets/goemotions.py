"""GoEmotions (Google, Apache-2.0): comments with emotions, for sentiment and thanks alone."""

import csv
from pathlib import Path

from models.training.datasets.sampling import take_per_class
from models.training.turns import LabelledTurn, Sentiment

_MOST_PER_SENTIMENT = 400
_POSITIVE = frozenset(
    ["admiration", "approval", "excitement", "gratitude", "joy", "love", "optimism", "pride", "relief"]
)
_NEGATIVE = frozenset(
    [
        "anger",
        "annoyance",
        "disappointment",
        "disapproval",
        "disgust",
        "embarrassment",
        "fear",
        "grief",
        "nervousness",
        "remorse",
        "sadness",
    ]
)


def load_goemotions(folder: Path) -> list[LabelledTurn]:
    """Comments of the train split with one clear sentiment."""
    names = (folder / "goemotions" / "labels.txt").read_text(encoding="utf-8").split()
    emotions: dict[str, frozenset[str]] = {}
    with (folder / "goemotions" / "train.tsv").open(encoding="utf-8", newline="") as file:
        for text, indices, _ in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            emotions[text] = frozenset(names[int(index)] for index in indices.split(","))
    felt = {text: sentiment for text, found in emotions.items() if (sentiment := _sentiment(found)) is not None}
    return [
        LabelledTurn(
            text,
            "customer",
            frozenset({"gratitude"} & emotions[text]),
            frozenset() if "admiration" in emotions[text] else frozenset({"gratitude"}),
            sentiment=felt[text],
            source="goemotions",
        )
        for text, _ in take_per_class(felt.items(), _MOST_PER_SENTIMENT)
    ]


def _sentiment(emotions: frozenset[str]) -> Sentiment | None:
    if emotions <= _POSITIVE:
        return "positive"
    if emotions <= _NEGATIVE:
        return "negative"
    return "neutral" if emotions == {"neutral"} else None
