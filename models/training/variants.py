"""More turns out of those we have: as heard, and with talk that wants nothing around them."""

import random
from collections.abc import Sequence
from dataclasses import replace

from models.training.speech import as_heard
from models.training.turns import LabelledTurn

PREFIX_WORDS = 7
"""A turn that is still being said is scored from this many words on."""
_HEARD_SHARE = 0.5
_LEFT_OUT = 0.05


def with_variants(turns: Sequence[LabelledTurn], rng: random.Random) -> list[LabelledTurn]:
    """Authored turns as written, as heard, and amid other talk; others as they are, half of them also as heard.

    Turns of public sets, of which some label is not annotated, are taken once: they are not to swamp what we wrote.
    """
    asides = {
        speaker: [turn for turn in turns if turn.source == "authored" and turn.speaker == speaker and _idle(turn)]
        for speaker in ("customer", "agent")
    }
    variants: list[LabelledTurn] = []
    for turn in turns:
        heard = replace(turn, text=as_heard(turn.text, rng))
        if turn.source == "authored":
            variants += [turn, heard]
            if asides[turn.speaker]:
                variants.append(_amid(rng.choice((turn, heard)), rng.choice(asides[turn.speaker]), rng))
        elif turn.known is not None:
            variants.append(heard if rng.random() < _HEARD_SHARE else turn)
        else:
            variants.append(turn)
            if rng.random() < _HEARD_SHARE:
                variants.append(heard)
    return variants


def prefix_of(text: str) -> str:
    """The first words of ``text``, as a partial turn has them; all of a short one."""
    words = text.split()
    return text if len(words) <= PREFIX_WORDS else " ".join(words[:PREFIX_WORDS])


def recombined(texts: Sequence[str], rng: random.Random) -> str:
    """The start of one text and the end of another, some words left out: what it means a teacher is asked."""
    words: list[str] = []
    for text in rng.sample(texts, min(len(texts), rng.choice((1, 2, 2)))):
        parts = text.split()
        start = rng.randrange(max(1, len(parts) // 2))
        words += parts[start : start + rng.randint(3, 16)]
    return " ".join(word for word in words if rng.random() > _LEFT_OUT) or words[0]


def _idle(turn: LabelledTurn) -> bool:
    return not turn.labels and turn.sentiment == "neutral"


def _amid(turn: LabelledTurn, aside: LabelledTurn, rng: random.Random) -> LabelledTurn:
    before, after = (aside, turn) if rng.random() < 0.7 else (turn, aside)
    return replace(turn, text=f"{before.text} {after.text}")
