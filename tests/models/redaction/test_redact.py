"""What is taken out of one turn, and what stays."""

import pytest

from models.redaction import Memory, redact


def redacted(text: str) -> str:
    return redact(text, Memory())[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's 4111 1111 1111 1111, expiry 08/27.", "It's [CARD], expiry [CARD]."),
        ("5555-5555-5555-4444", "[CARD]"),
        ("378282246310005", "[CARD]"),
        ("4222222222222", "[CARD]"),
        ("4111, 1111, 1111, 1111", "[CARD]"),
        ("４１１１ １１１１ １１１１ １１１１", "[CARD]"),
        ("it's um four one one one uh one one one one one one one one one one one one", "it's um [CARD]"),
        ("four triple one double one and then one one double one one one one one one one", "[CARD]"),
        ("forty two forty two forty two forty two forty two forty two forty two forty two", "[CARD]"),
        ("the security code is 737", "the security code is [PIN]"),
        ("cvv 123", "cvv [PIN]"),
        ("my pin is one nine eight four", "my pin is [PIN]"),
        ("my password is Hunter2! ok?", "my password is [PIN]! ok?"),
        ("password is bluebell ninety", "password is [PIN]"),
        ("oh seven seven double oh nine hundred one two three", "[PHONE]"),
        ("call me on +44 (0)7700 900123 please", "call me on +[PHONE] please"),
        ("(555) 010-4477", "([PHONE]"),
        ("jonas.weber@example.com", "[EMAIL]"),
        ("my email is jo dot weber at example dot com", "my email is [EMAIL]"),
        ("GB82 WEST 1234 5698 7654 32 and that's it", "[ACCOUNT] and that's it"),
        ("sort code 20-30-40, account 12345678", "sort code [ACCOUNT], account [ACCOUNT]"),
        ("it's QQ 12 34 56 C", "it's QQ 12 34 56 C"),  # QQ is never issued
        ("it's AB 12 34 56 C", "it's [NUMBER]"),
        ("078-05-1120", "[NUMBER]"),
        ("my social security number ends one one two zero", "my social security number ends [NUMBER]"),
        ("I was born on the fourth of March 1986.", "I was born on the [DOB]."),
        ("date of birth twenty second of july eighty four", "date of birth [DOB]"),
        ("dob 12/09/1991", "dob [DOB]"),
    ],
)
def test_private_things_are_replaced(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "£24 for 12 months",
        "twenty four pounds a month for the next twelve months",
        "this is the third time I'm calling",
        "2 lines and 100 meg",
        "from 2024 to 2026, in 2025 too",
        "on 2026-01-05 and on 12/09/2025",
        "my postcode is LS6 2AB, SW1A 1AA or 90210",
        "speeds of 100, 300, 900 or 1000",
        "between eight and ten, 24/7",
        "the password is not working",
        "my card was declined twice for £1,250.50",
        "a bill of 1 250 000 pounds",
        "look at northline dot com",
        "version 5.2.1 on a pixel 7",
        "oh dear one of the two",
        "the visit was on 3 December",
        "dial 159",
        "one hundred and twenty three thousand four hundred",
        "i have 3 kids aged 5, 7 and 11",
        "",
    ],
)
def test_harmless_numbers_stay(text: str) -> None:
    assert redacted(text) == text


def test_a_marker_is_left_as_it_is() -> None:
    text = "my [PIN] is [CARD] and [PHONE]"
    assert redacted(text) == text
