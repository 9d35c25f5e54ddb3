"""One turn, redacted in the light of those before it."""

from collections.abc import Iterable, Iterator, Sequence

from models.redaction.cues import announced_at, asked_in, cues_in
from models.redaction.dates import date_spans
from models.redaction.kinds import Kind
from models.redaction.lexer import Token, tokens_of
from models.redaction.memory import Memory
from models.redaction.numbers import numbers_in
from models.redaction.passwords import bare_answer, passwords_in, says_word
from models.redaction.shapes import Span, shapes_in

_ASIDE = 3
"""A turn of at most so many tokens leaves what was being asked or read out as it was: "yeah", "go on"."""


def redact(text: str, memory: Memory, other: Memory | None = None) -> tuple[str, Memory]:
    """`text` with what must not be stored replaced by markers, and what to remember for this speaker's next turn.

    Args:
        text: the turn as it was said or typed, any Unicode.
        memory: what the last call returned for this conversation and speaker; `Memory()` at the start.
        other: the same for the other speaker, whose question this turn may answer; None: nothing is known of it.

    Never raises; takes time linear in the text; redacting the result again changes nothing.
    """
    tokens = tokens_of(text)
    cues = cues_in(tokens)
    asks = asked_in(text, tokens, cues)
    asked = frozenset(other.asked if other else ())

    email_expected = Kind.EMAIL in asked or Kind.EMAIL in cues.values()
    spans = _disjoint([*shapes_in(text, email_expected=email_expected), *passwords_in(text, tokens)])
    if other and other.asked_word and not spans:
        spans = list(bare_answer(tokens))
    rest = _covered(tokens, spans)
    births = list(_births(rest, asked)) if Kind.DOB in asked or Kind.DOB in cues.values() else []
    rest = _covered(rest, births)
    numbers = numbers_in(text, rest, memory, asked)

    aside = len(tokens) <= _ASIDE and not numbers.heard
    keeps_asking = aside and not asks
    return _replaced(text, _disjoint([*spans, *births, *numbers.spans])), Memory(
        asked=memory.asked if keeps_asking else asks,
        asked_word=memory.asked_word if keeps_asking else Kind.PIN in asks and says_word(text),
        pending=memory.pending if aside else numbers.pending,
        pending_kind=memory.pending_kind if aside else numbers.pending_kind,
    )


def _births(tokens: Sequence[Token], asked: frozenset[Kind]) -> Iterator[Span]:
    """Dates that were asked for, or announced, as somebody's date of birth."""
    cues = cues_in(tokens)
    for first, beyond in date_spans(tokens):
        if Kind.DOB in asked or Kind.DOB in announced_at(tokens, first, cues):
            yield tokens[first].start, tokens[beyond - 1].end, Kind.DOB


def _disjoint(spans: Iterable[Span]) -> list[Span]:
    """`spans` in order; of two that overlap, one over both of the earlier's kind."""
    disjoint: list[Span] = []
    for start, end, kind in sorted(spans):
        if disjoint and start < disjoint[-1][1]:
            first, beyond, earlier = disjoint[-1]
            disjoint[-1] = (first, max(beyond, end), earlier)
        else:
            disjoint.append((start, end, kind))
    return disjoint


def _covered(tokens: Sequence[Token], spans: Sequence[Span]) -> list[Token]:
    """`tokens` with one marker in place of those that each of the disjoint `spans` touches."""
    covered: list[Token] = []
    at = 0
    for token in tokens:
        while at < len(spans) and spans[at][1] <= token.start:
            at += 1
        if at == len(spans) or token.end <= spans[at][0]:
            covered.append(token)
        elif not (covered and covered[-1].marker and covered[-1].start == spans[at][0]):
            covered.append(Token(spans[at][0], spans[at][1], "", marker=True))
    return covered


def _replaced(text: str, spans: Sequence[Span]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end, kind in spans:
        pieces += text[done:start], kind.marker
        done = end
    return "".join([*pieces, text[done:]])
