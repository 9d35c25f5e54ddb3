"""How speech recognition would have written a turn: no punctuation, fillers, restarts, lost apostrophes."""

import random
import re

_PUNCTUATION = re.compile(r"[^\w\s'’]+")
_FILLERS = ("um", "uh", "er", "well", "so", "yeah", "like", "you know", "i mean", "okay so", "right so")


def strip_punctuation(text: str) -> str:
    """Lower case, words and apostrophes only."""
    return " ".join(_PUNCTUATION.sub(" ", text).lower().split())


def stripped(text: str) -> str:
    """``text`` without case, punctuation and apostrophes: the least that a transcript can keep of it."""
    return strip_punctuation(text.replace("'", "").replace("’", ""))


def as_heard(text: str, rng: random.Random) -> str:
    """``text`` as a recogniser might write it; short texts keep all their words."""
    words = strip_punctuation(text).split()
    if not words:
        return text
    if rng.random() < 0.3:
        words = [word.replace("'", "").replace("’", "") for word in words]
    if len(words) >= 4:
        if rng.random() < 0.4:
            words.insert(rng.randrange(len(words)), rng.choice(_FILLERS))
        if rng.random() < 0.2:  # a restart: the first words twice
            words[:0] = words[: rng.randint(1, 2)]
        if len(words) >= 8 and rng.random() < 0.2:  # a word not caught
            del words[rng.randrange(len(words))]
    return " ".join(words)
