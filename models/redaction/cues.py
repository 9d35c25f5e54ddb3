"""The words that say what a number is going to be, and whether somebody is being asked for one."""

import re
from collections.abc import Mapping, Sequence

from models.redaction.kinds import Kind
from models.redaction.lexer import Token

_PHRASES: dict[Kind, str] = {
    Kind.CARD: r"card|long number|(?:16|sixteen) digits?|visa|mastercard|amex|expiry",
    Kind.PIN: r"security (?:code|number)|cvv2?|cvc2?|cv2|(?:3|three) (?:digits|numbers)|pin|pass ?code|pass ?word"
    r"|pass ?phrase|memorable word|(?:one time|verification|access) code",
    Kind.ACCOUNT: r"account|sort code|iban|routing number",
    Kind.PHONE: r"(?:phone|mobile|contact|cell|landline|telephone|your) number|phone|mobile"
    r"|(?:reach|call|ring|text) (?:me|you) (?:on|at)",
    Kind.EMAIL: r"e ?mail",
    Kind.DOB: r"(?:date of|year of) birth|birth ?da(?:y|te)|born|d ?o ?b|memorable date",
    Kind.NUMBER: r"social security|national insurance|n ?i number|ssn|passport|driving licence|driver'?s licen[cs]e"
    r"|licence number",
}
_CUES = re.compile("|".join(rf"(?P<{kind}>\b(?:{phrase})\b)" for kind, phrase in _PHRASES.items()))
_REQUESTS = frozenset({
    "can", "could", "may", "what", "what's", "give", "confirm", "tell", "take", "need", "enter", "type", "read",
    "have", "please",
})  # fmt: skip
_TRAILING = 6
"""A cue this near the end of a turn, in tokens, is a request without its verb: "and the long number"."""
_REACH = 8
"""How many tokens after a cue its number may begin."""

Cues = Mapping[int, Kind]
"""The kind that is announced, by the index of the announcement's last token."""


def cues_in(tokens: Sequence[Token]) -> Cues:
    """What `tokens` announce, and where."""
    words = ["|" if token.marker else token.word or token.digits for token in tokens]
    cues: dict[int, Kind] = {}
    index, end = 0, len(words[0]) if words else 0
    for match in _CUES.finditer(" ".join(words)):
        while end < match.end():
            index += 1
            end += 1 + len(words[index])
        cues[index] = Kind(str(match.lastgroup))
    return cues


def announced_at(tokens: Sequence[Token], index: int, cues: Cues) -> frozenset[Kind]:
    """What the number or date that begins at `tokens[index]` was announced to be, by the speaker's own last words.

    A number of three digits or a marker between them has used the announcement up.
    """
    kinds: set[Kind] = set()
    for before in range(index - 1, max(-1, index - 1 - _REACH), -1):
        if tokens[before].marker or (len(tokens[before].digits) >= 3 and before not in cues):
            break
        if before in cues:
            kinds.add(cues[before])
    return frozenset(kinds)


def asked_in(text: str, tokens: Sequence[Token], cues: Cues) -> tuple[Kind, ...]:
    """What the speaker of `text` asks the other for, in the order of the alphabet."""
    requests = "?" in text or any(token.word in _REQUESTS for token in tokens)
    return tuple(sorted({kind for index, kind in cues.items() if requests or len(tokens) - index <= _TRAILING}))
