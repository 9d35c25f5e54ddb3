"""Text to tokens: words, markers, and numbers whether written (`4111`) or spoken (`four double one`)."""

import re
from typing import NamedTuple

from models.redaction.kinds import Kind

_RAW = re.compile(rf"(?P<marker>\[(?:{'|'.join(Kind)})\])|(?P<digits>\d+)|(?P<word>[^\W\d_]+(?:['’][^\W\d_]+)*)")

_ONES = {
    word: str(value)
    for value, word in enumerate(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
} | {"nought": "0", "nil": "0"}
_TEENS = {
    word: str(value)
    for value, word in enumerate(
        ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
        start=10,
    )
}
_TENS = {
    word: str(value * 10)
    for value, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), start=2
    )
} | {"fourty": "40", "ninty": "90"}
_OHS = frozenset({"oh", "o"})
"""A zero only beside other digits: "oh seven", but not "oh dear"."""
_REPEATS = {"double": 2, "triple": 3, "treble": 3}
_ROUND = {"hundred": "00", "thousand": "000"}


class Token(NamedTuple):
    """A stretch of the text, `text[start:end]`."""

    start: int
    end: int
    word: str
    """In lower case, ' for ’; for spoken digits, their last word; empty for written digits."""
    digits: str = ""
    """The number's digits in ASCII; empty for words and markers."""
    spoken: bool = False
    marker: bool = False
    """Already redacted. Nothing is read across it."""


def tokens_of(text: str) -> list[Token]:
    """The tokens of `text`, in order; what is between them is neither a letter nor a digit."""
    tokens: list[Token] = []
    for raw in _RAW.finditer(text):
        start, end = raw.span()
        if raw["marker"]:
            tokens.append(Token(start, end, "", marker=True))
        elif raw["digits"]:
            token = Token(start, end, "", "".join(str(int(digit)) for digit in raw["digits"]))
            _append(tokens, token, text)
        else:
            _append(tokens, _read(start, end, raw["word"].lower().replace("’", "'")), text)
    return tokens


def _read(start: int, end: int, word: str) -> Token:
    digits = _ONES.get(word) or _TEENS.get(word) or _TENS.get(word) or ""
    return Token(start, end, word, digits, spoken=bool(digits))


def _append(tokens: list[Token], token: Token, text: str) -> None:
    """Put `token` behind the others, as one with those before it that it is said in one breath with."""
    before = tokens[-1] if tokens and text[tokens[-1].end : token.start].isspace() else None
    if before is None:
        tokens.append(token)
    elif before.digits and token.word in _OHS:
        tokens.append(token._replace(digits="0", spoken=True))
    elif before.word in _REPEATS and (len(token.digits) == 1 or token.word in _OHS):
        digits = (token.digits or "0") * _REPEATS[before.word]
        tokens[-1] = token._replace(start=before.start, digits=digits, spoken=True)
        _wake_oh(tokens, len(tokens) - 2, text)
    elif token.word in _ROUND and before.spoken and len(before.digits) <= 2:
        tokens[-1] = token._replace(start=before.start, digits=before.digits + _ROUND[token.word], spoken=True)
    elif before.word in _TENS and token.spoken and len(token.digits) == 1 and token.digits != "0":
        tokens[-1] = token._replace(start=before.start, digits=before.digits[0] + token.digits)
    else:
        tokens.append(token)
        if token.digits:
            _wake_oh(tokens, len(tokens) - 2, text)


def _wake_oh(tokens: list[Token], at: int, text: str) -> None:
    """Each "oh" right before a number turns out to have been its zero."""
    while at >= 0 and tokens[at].word in _OHS and not tokens[at].digits:
        if not text[tokens[at].end : tokens[at + 1].start].isspace():
            return
        tokens[at] = tokens[at]._replace(digits="0", spoken=True)
        at -= 1
