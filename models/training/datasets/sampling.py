"""Choosing a share of a public set, the same one every time, so that it does not swamp what we wrote."""

from collections import defaultdict
from collections.abc import Iterable

from models.training.turns import digest

Row = tuple[str, str]
"""A text and its class."""


def take_per_class(rows: Iterable[Row], most: int) -> list[Row]:
    """At most ``most`` rows of each class, chosen by a hash of the text: adding rows hardly changes the choice."""
    by_class: dict[str, list[str]] = defaultdict(list)
    for text, name in rows:
        by_class[name].append(text)
    return [(text, name) for name, texts in by_class.items() for text in sorted(texts, key=digest)[:most]]
