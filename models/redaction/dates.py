"""Dates in tokens, written or spoken: `12/09/1991`, `4 March 1986`, `twenty second of july eighty four`."""

from collections.abc import Iterator, Sequence

from models.redaction.lexer import Token

_MONTHS = frozenset({
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
})  # fmt: skip
_ORDINALS = frozenset({
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
    "twentieth", "thirtieth",
})  # fmt: skip
_BETWEEN = frozenset(("of", "the", "and", "st", "nd", "rd", "th"))
_MOST_DIGITS = 8
_MOST_TOKENS = 12
"""Of a date among what is no part of it."""


def date_spans(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Where `tokens` spell what could be a date of birth, if one is expected: disjoint `(first, beyond)`."""
    first = 0
    while first < len(tokens):
        beyond = first
        index = first
        while index < len(tokens) and (_dates(tokens[index]) or (beyond > first and tokens[index].word in _BETWEEN)):
            index += 1
            if _dates(tokens[index - 1]):
                beyond = index
        if _is_date(tokens[first:beyond]):
            yield first, beyond
        else:
            yield from _named_within(tokens, first, beyond)
        first = max(index, first + 1)


def _named_within(tokens: Sequence[Token], first: int, beyond: int) -> Iterator[tuple[int, int]]:
    """Dates with a month or an ordinal in a stretch that is too much for one: `4 march 2600481`. What else is in it may
    be redacted as a number, and the date would then stand there by itself."""
    while first < beyond:
        ends = range(min(beyond, first + _MOST_TOKENS), first + 1, -1)
        end = next((end for end in ends if _is_named(tokens[first:end]) and _is_date(tokens[first:end])), None)
        if end is not None:
            yield first, end
        first = end or first + 1


def _is_named(tokens: Sequence[Token]) -> bool:
    return any(token.word in _MONTHS or token.word in _ORDINALS for token in tokens)


def _dates(token: Token) -> bool:
    return token.word in _MONTHS or token.word in _ORDINALS or 0 < len(token.digits) <= _MOST_DIGITS


def _is_date(tokens: Sequence[Token]) -> bool:
    parts = [token for token in tokens if token.word not in _BETWEEN]
    digits = sum(len(token.digits) for token in parts)
    named = sum(not token.digits for token in parts)
    if digits > _MOST_DIGITS:
        return False
    return (
        (named > 0 and len(parts) >= 2) or (len(parts) >= 3 and digits >= 4) or (len(parts) <= 2 and digits in (6, 8))
    )
