"""Passwords and memorable words: the words that follow "my password is", or that answer the question for one."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from models.redaction.kinds import Kind
from models.redaction.lexer import Token
from models.redaction.shapes import Span

_NAMES = r"\b(?:pass ?word|pass ?code|pass ?phrase|memorable word)"
_NAMED = re.compile(_NAMES, re.IGNORECASE)
_SAID = re.compile(
    _NAMES
    + r"(?: ?(?:is|was|:|=)|'s|’s)\s{0,3}(?:(?:it's|it’s|it is|um|uh)\s{1,3})?[\"'“‘]?(?P<secret>[^\s\[\]\"”]{1,64})",
    re.IGNORECASE,
)
_LEAD_INS = frozenset({
    "yes", "yeah", "yep", "sure", "ok", "okay", "it's", "its", "it", "is", "that's", "um", "uh", "er", "erm",
    "my", "the", "so", "right",
})  # fmt: skip
_NO_SECRETS = frozenset({
    "a", "all", "always", "at", "because", "being", "blocked", "broken", "can", "can't", "could", "course", "do",
    "don't", "else", "expired", "fine", "for", "forgot", "forgotten", "going", "gone", "good", "great", "hang",
    "hello", "help", "how", "i", "i'm", "i've", "idea", "in", "incorrect", "invalid", "is", "it", "just", "know",
    "later", "locked", "lost", "me", "minute", "moment", "much", "never", "no", "none", "nope", "not", "nothing",
    "of", "off", "on", "one", "password", "please", "remember", "reset", "same", "saved", "sec", "second",
    "sorry", "still", "thank", "thanks", "that", "the", "this", "to", "too", "wait", "was", "what", "when",
    "where", "which", "who", "why", "working", "wrong", "yes", "you",
})  # fmt: skip
_LONGEST_ANSWER = 3


def says_word(text: str) -> bool:
    """Whether `text` speaks of a password or a memorable word at all."""
    return _NAMED.search(text) is not None


def passwords_in(text: str, tokens: Sequence[Token]) -> Iterator[Span]:
    """Words of `text` that are introduced as a password, with the numbers said in the same breath."""
    for match in _SAID.finditer(text):
        secret = match["secret"].rstrip(".,;:!?'’”)")
        if not secret or secret.lower().replace("’", "'") in _NO_SECRETS:
            continue
        end = match.start("secret") + len(secret)
        at = bisect_left(tokens, end, key=lambda token: token.start)
        while at < len(tokens) and tokens[at].digits and text[end : tokens[at].start].isspace():
            end = tokens[at].end
            at += 1
        yield match.start("secret"), end, Kind.PIN


def bare_answer(tokens: Sequence[Token]) -> Iterator[Span]:
    """The whole of a short turn, its lead-in apart, that can only be the word that was asked for."""
    answer = list(tokens)
    while answer and answer[0].word in _LEAD_INS:
        answer.pop(0)
    if 1 <= len(answer) <= _LONGEST_ANSWER and not any(token.marker or token.word in _NO_SECRETS for token in answer):
        yield answer[0].start, answer[-1].end, Kind.PIN
