"""Which numbers of a turn are private: by their own shape, by what was announced or asked for, by the turn before."""

from collections.abc import Sequence
from typing import NamedTuple

from models.redaction.cues import announced_at, cues_in
from models.redaction.kinds import Kind
from models.redaction.lexer import Token
from models.redaction.luhn import LuhnSums
from models.redaction.memory import Memory
from models.redaction.runs import HESITATIONS, Run, cards_in, is_phone, runs_in
from models.redaction.shapes import Span

_LONG = 7
"""From so many digits on a number is private, whatever it may be."""
_SHORTEST_ANNOUNCED = {Kind.CARD: 4, Kind.ACCOUNT: 6, Kind.PHONE: 5, Kind.NUMBER: 4, Kind.PIN: 5}
"""From so many digits on a number is what it was announced to be; a PIN of three or four digits comes first."""
_SHORTEST_ASKED = _SHORTEST_ANNOUNCED | {Kind.ACCOUNT: 4}
_SHORTEST_BARE = dict.fromkeys(_SHORTEST_ANNOUNCED, 2)
_LEAD_INS = HESITATIONS | frozenset({
    "and", "then", "yeah", "yes", "yep", "okay", "ok", "it's", "its", "it", "is", "that's", "the", "so", "right",
    "sure", "rest", "other", "half", "second", "last", "next", "number",
})  # fmt: skip


class Numbers(NamedTuple):
    """What a turn's numbers came to."""

    heard: bool
    """Whether there was any."""
    spans: list[Span]
    """The private ones, disjoint and in order."""
    pending: LuhnSums
    """The number that the turn ended with, and may go on in the next; a length of 0: none."""
    pending_kind: Kind | None


def numbers_in(text: str, tokens: Sequence[Token], memory: Memory, asked: frozenset[Kind]) -> Numbers:
    """The private numbers of `tokens`, given the same speaker's `memory` and what the other `asked` for."""
    runs = runs_in(text, tokens)
    if not runs:
        return Numbers(False, [], LuhnSums(), None)
    cues = cues_in(tokens)
    cards = cards_in(tokens, runs)
    kinds: list[Kind | None] = [None] * len(runs)
    for first, beyond in cards:
        kinds[first:beyond] = [Kind.CARD] * (beyond - first)
    bare = _leads_in(tokens, 0, len(tokens))
    for at, run in enumerate(runs):
        if kinds[at] is None:
            announced = announced_at(tokens, run.first, cues)
            kinds[at] = _kind(
                run, text[max(0, tokens[run.first].start - 2) : tokens[run.first].start], announced, asked, bare=bare
            )

    whole = LuhnSums()
    if memory.pending.length and not runs[0].plain and _leads_in(tokens, 0, runs[0].first):
        whole = memory.pending.then(runs[0].digits)
        kinds[0] = _continued(whole, memory.pending_kind, kinds[0], bare=bare)
    spans = _spans(tokens, runs, kinds, cards)

    completed = bool(cards and cards[-1][1] == len(runs)) or (len(runs) == 1 and whole.is_card)
    unfinished = runs[-1].beyond == len(tokens) and not runs[-1].plain and not completed
    if not unfinished or (kinds[-1] is None and not bare):
        return Numbers(True, spans, LuhnSums(), None)
    pending = whole if len(runs) == 1 and whole.length else LuhnSums().then(runs[-1].digits)
    return Numbers(True, spans, pending, kinds[-1])


def _leads_in(tokens: Sequence[Token], first: int, beyond: int) -> bool:
    """Whether `tokens[first:beyond]` say nothing but numbers: "yeah it's four two four two"."""
    return all(token.digits or token.word in _LEAD_INS for token in tokens[first:beyond])


def _kind(run: Run, text_before: str, announced: frozenset[Kind], asked: frozenset[Kind], *, bare: bool) -> Kind | None:
    """What the number of a run is taken for; None: it may stay.

    What was announced in the same breath is believed sooner than what was asked for a turn ago; a `bare` turn, nothing
    but a number, is the answer to the question however short it is.
    """
    length = len(run.digits)
    a_year_may_be_a_pin = Kind.PIN in announced | asked and length == 4 and not run.counted
    if run.plain and not a_year_may_be_a_pin:
        return None
    for kinds, shortest in ((announced, _SHORTEST_ANNOUNCED), (asked, _SHORTEST_BARE if bare else _SHORTEST_ASKED)):
        if Kind.PIN in kinds and 3 <= length <= 4:
            return Kind.PIN
        for kind, digits in shortest.items():
            if kind in kinds and length >= digits:
                return kind
    if length < _LONG:
        return None
    return Kind.PHONE if is_phone(run, text_before) else Kind.NUMBER


def _continued(whole: LuhnSums, before: Kind | None, alone: Kind | None, *, bare: bool) -> Kind | None:
    """What a number is taken for that may go on with the last turn's, taken for `before`; `alone` it would be that."""
    if whole.is_card:
        return Kind.CARD
    if alone not in (None, Kind.NUMBER):
        return alone
    if before or alone:
        return before or alone
    return Kind.NUMBER if bare and whole.length >= _LONG else None


def _spans(
    tokens: Sequence[Token], runs: Sequence[Run], kinds: Sequence[Kind | None], cards: Sequence[tuple[int, int]]
) -> list[Span]:
    """One span for each private run, but one for all the runs of a card number."""
    inside = {at for first, beyond in cards for at in range(first + 1, beyond)}
    last = {first: beyond - 1 for first, beyond in cards}
    return [
        (tokens[run.first].start, tokens[runs[last.get(at, at)].beyond - 1].end, kind)
        for at, run in enumerate(runs)
        if (kind := kinds[at]) is not None and at not in inside
    ]
