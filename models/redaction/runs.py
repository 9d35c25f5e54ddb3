"""Numbers as people give them: digit tokens said or written in one go, and card numbers however they are cut."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from models.redaction.lexer import Token
from models.redaction.luhn import card_windows

HESITATIONS = frozenset(("um", "uh", "er", "erm", "ah", "hmm"))
_JOINS = HESITATIONS | {"and", "then", "dash", "hyphen", "space", "dot", "slash", "comma"}
"""Words that a card number may have between its groups."""
_TIGHT = re.compile(r"[ \t\u00a0\u202f]{0,3}[-‐‑‒–—/_()]{0,2}[ \t\u00a0\u202f(]{0,2}|\.")
_COMMA = re.compile(r" ?, ?")
_CURRENCY = re.compile(r"(?:[$£€¥]|\b(?:gbp|usd|eur)) ?$", re.IGNORECASE)
_UNITS = frozenset({
    "pound", "pounds", "quid", "dollar", "dollars", "euro", "euros", "cent", "cents", "pence", "p", "k",
    "percent", "gig", "gigs", "gigabyte", "gigabytes", "gigahertz", "gb", "meg", "megs", "mb", "mbps", "gbps",
    "tb", "month", "months", "year", "years", "week", "weeks", "day", "days", "hour", "hours", "minute",
    "minutes", "second", "seconds", "min", "mins", "am", "pm", "o'clock", "time", "times", "line", "lines",
    "people", "user", "users", "device", "devices", "mile", "miles",
})  # fmt: skip
_LONGEST_QUANTITY = 9
"""In digits; a longer number is none, whatever follows it."""


class Run(NamedTuple):
    """A number, `tokens[first:beyond]`."""

    first: int
    beyond: int
    digits: str
    counted: bool
    """An amount, a duration or a calendar date: nothing private unless a card number goes through it."""

    @property
    def plain(self) -> bool:
        """Counted, or shaped like a year."""
        year = self.beyond - self.first <= 2 and len(self.digits) == 4 and self.digits[:2] in ("19", "20")
        return self.counted or year


def runs_in(text: str, tokens: Sequence[Token]) -> list[Run]:
    """All numbers of `tokens`, in order, each digit token in exactly one."""
    counted = _counted_tokens(text, tokens)
    runs: list[Run] = []
    for index, token in enumerate(tokens):
        if not token.digits:
            continue
        last = runs[-1] if runs else None
        if last and not (last.counted or index in counted) and _tight(text, tokens, last.beyond - 1, index):
            runs[-1] = Run(last.first, index + 1, last.digits + token.digits, counted=False)
        else:
            runs.append(Run(index, index + 1, token.digits, index in counted))
    return runs


def cards_in(tokens: Sequence[Token], runs: Sequence[Run]) -> list[tuple[int, int]]:
    """Which runs hold card numbers, whatever separates their digits: disjoint `(first, beyond)` of `runs`."""
    cards: list[tuple[int, int]] = []
    for chain in _chains(tokens, runs):
        owned = [
            (at, token.digits) for at in chain for token in tokens[runs[at].first : runs[at].beyond] if token.digits
        ]
        for first, beyond in card_windows([digits for _, digits in owned]):
            cards.append((owned[first][0], owned[beyond - 1][0] + 1))
    return cards


def is_phone(run: Run, text_before: str) -> bool:
    """Whether a number that nobody announced looks like one to call."""
    international = text_before.endswith(("+", "(+"))
    shape = len(run.digits) <= 13 if run.digits.startswith("0") else len(run.digits) <= 11
    return international or (len(run.digits) >= 10 and shape)


def _chains(tokens: Sequence[Token], runs: Sequence[Run]) -> Iterator[list[int]]:
    chain: list[int] = []
    for at, run in enumerate(runs):
        if chain and not all(token.word in _JOINS for token in tokens[runs[at - 1].beyond : run.first]):
            yield chain
            chain = []
        chain.append(at)
    if chain:
        yield chain


def _tight(text: str, tokens: Sequence[Token], before: int, after: int) -> bool:
    between = tokens[before + 1 : after]
    if between:
        return len(between) <= 2 and all(token.word in HESITATIONS for token in between)
    gap = text[tokens[before].end : tokens[after].start]
    single = len(tokens[before].digits) == 1 == len(tokens[after].digits)
    spoken = tokens[before].spoken and tokens[after].spoken
    return _TIGHT.fullmatch(gap) is not None or ((single or spoken) and _COMMA.fullmatch(gap) is not None)


def _counted_tokens(text: str, tokens: Sequence[Token]) -> set[int]:
    """Which of `tokens` are amounts, durations or dates."""
    counted: set[int] = set()
    for index, token in enumerate(tokens):
        if not token.digits or len(token.digits) > _LONGEST_QUANTITY:
            continue
        if _is_written_date(text, tokens[index : index + 3]):
            counted.update(range(index, index + 3))
        goes_on = index - 1 in counted and text[tokens[index - 1].end : token.start] in (",", ".")
        if goes_on or _has_currency(text, token) or _has_unit(text, token, tokens[index + 1 : index + 2]):
            counted.add(index)
    return counted


def _has_currency(text: str, token: Token) -> bool:
    return _CURRENCY.search(text, max(0, token.start - 5), token.start) is not None


def _has_unit(text: str, token: Token, following: Sequence[Token]) -> bool:
    if text.startswith("%", token.end) or token.word == "thousand":
        return True
    return any(after.word in _UNITS and text[token.end : after.start] in ("", " ", "-") for after in following)


def _is_written_date(text: str, parts: Sequence[Token]) -> bool:
    if len(parts) < 3 or any(part.spoken or not part.digits for part in parts):
        return False
    separators = {text[parts[0].end : parts[1].start], text[parts[1].end : parts[2].start]}
    if len(separators) != 1 or not separators <= {"/", ".", "-"}:
        return False
    first, middle, last = (part.digits for part in parts)
    year, others = (first, (middle, last)) if len(first) == 4 else (last, (first, middle))
    in_range = all(len(other) <= 2 and 1 <= int(other) <= 31 for other in others)
    short_year = len(year) == 2 and "-" not in separators  # 20-30-40 is a sort code
    return in_range and (short_year or (len(year) == 4 and year[:2] in ("19", "20")))
