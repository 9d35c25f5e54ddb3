"""What is known by its shape alone: e-mail addresses, IBANs, British national insurance numbers."""

import re
from collections.abc import Iterator

from models.redaction.kinds import Kind

Span = tuple[int, int, Kind]
"""`text[start:end]` is of the kind."""

# Every repetition is bounded: each start costs a constant, so that the whole costs linear time.
_EMAIL = re.compile(r"[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_SPOKEN_EMAIL = re.compile(
    r"\b[\w+-]{1,64}(?: (?:dot|underscore|dash|hyphen) [\w+-]{1,64}){0,4} at [\w-]{1,63}(?: dot [a-z]{2,63}){1,3}\b",
    re.IGNORECASE,
)
_IBAN = re.compile(r"\b[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_NATIONAL_INSURANCE = re.compile(r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?[0-9]{2}){3} ?[A-D]\b", re.IGNORECASE)


def shapes_in(text: str, *, email_expected: bool) -> Iterator[Span]:
    """The spans of `text` with such a shape; they may overlap. Spoken addresses ("jo at example dot com") are looked
    for only where an address is expected, since "look at northline dot com" is none."""
    for match in _EMAIL.finditer(text):
        yield *match.span(), Kind.EMAIL
    if email_expected:
        for match in _SPOKEN_EMAIL.finditer(text):
            yield *match.span(), Kind.EMAIL
    for match in _IBAN.finditer(text):
        if length := _iban_length(match[0]):
            yield match.start(), match.start() + length, Kind.ACCOUNT
    for match in _NATIONAL_INSURANCE.finditer(text):
        yield *match.span(), Kind.NUMBER


def _iban_length(candidate: str) -> int:
    """How many characters of `candidate` are an IBAN, the longest that passes ISO 7064 mod 97; 0: none."""
    for length in range(len(candidate), 14, -1):
        iban = candidate[:length].replace(" ", "").replace("-", "")
        if len(iban) < 15:
            return 0
        if (
            candidate[length - 1].isalnum()
            and int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1
        ):
            return length
    return 0
