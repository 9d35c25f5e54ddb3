"""More turns out of those we have: as heard, and with talk that wants nothing around them."""

import random
from collections.abc import Sequence
from dataclasses import replace

from models.training.speech import as_heard
from models.training.turns import LabelledTurn


def with_variants(turns: Sequence[LabelledTurn], rng: random.Random) -> list[LabelledTurn]:
    """The authored turns as written, as heard, and amid other talk; public turns once, half of them as heard."""
    asides = {
        speaker: [turn for turn in turns if turn.source == "authored" and turn.speaker == speaker and _idle(turn)]
        for speaker in ("customer", "agent")
    }
    variants: list[LabelledTurn] = []
    for turn in turns:
        heard = replace(turn, text=as_heard(turn.text, rng))
        if turn.source != "authored":
            variants.append(heard if rng.random() < 0.5 else turn)
            continue
        variants += [turn, heard]
        if asides[turn.speaker]:
            variants.append(_amid(rng.choice((turn, heard)), rng.choice(asides[turn.speaker]), rng))
    return variants


def _idle(turn: LabelledTurn) -> bool:
    return not turn.labels and turn.sentiment == "neutral"


def _amid(turn: LabelledTurn, aside: LabelledTurn, rng: random.Random) -> LabelledTurn:
    before, after = (aside, turn) if rng.random() < 0.7 else (turn, aside)
    return replace(turn, text=f"{before.text} {after.text}")
