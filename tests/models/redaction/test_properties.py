"""What holds for every text."""

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.redaction import Kind, Memory, redact
from models.redaction.luhn import LuhnSums

WORDS = st.sampled_from([
    "oh", "double", "triple", "one", "two", "nine", "twenty", "hundred", "thousand", "and", "um", "then", "4111",
    "1111", "12", "2026", "£", ",", "-", ".", "/", "+", "(", ")", "[CARD]", "[PIN]", "password", "pin", "is",
    "card", "number", "born", "fourth", "of", "march", "may", "account", "sort", "code", "email", "a@b.co", "at",
    "dot", "com", "GB82", "months", "x",
])  # fmt: skip
TALK = st.lists(WORDS, max_size=30).map(" ".join)
TEXTS = st.one_of(st.text(max_size=200), TALK)
MEMORIES = st.builds(
    Memory,
    asked=st.lists(st.sampled_from(Kind), unique=True, max_size=3).map(tuple),
    asked_word=st.booleans(),
    pending=st.builds(LuhnSums, st.integers(0, 20), st.integers(0, 9), st.integers(0, 9)),
    pending_kind=st.none() | st.sampled_from(Kind),
)


@st.composite
def cards(draw: st.DrawFn) -> str:
    """A Luhn-valid number of 16 digits, the first not 0, as issuers give them."""
    payload = draw(st.sampled_from("123456789")) + draw(st.text("0123456789", min_size=14, max_size=14))
    return next(payload + check for check in "0123456789" if LuhnSums().then(payload + check).plain == 0)


SEPARATORS = st.text(st.characters(exclude_categories=["L", "N", "Cs"], exclude_characters="[]"), max_size=4)


@given(TEXTS, MEMORIES, MEMORIES)
@example("00FOURTH0000000", Memory(), Memory(asked=(Kind.DOB,)))
@settings(deadline=None, max_examples=300)
def test_redacting_again_changes_nothing(text: str, memory: Memory, other: Memory) -> None:
    once, _ = redact(text, memory, other)

    again, _ = redact(once, memory, other)

    assert again == once


@given(st.text(), MEMORIES, MEMORIES)
@settings(deadline=None)
def test_memory_after_any_text_can_be_stored(text: str, memory: Memory, other: Memory) -> None:
    _, after = redact(text, memory, other)

    assert Memory.model_validate_json(after.model_dump_json()) == after


@given(TEXTS)
@settings(deadline=None)
def test_what_is_not_private_is_not_touched(text: str) -> None:
    redacted, _ = redact(text, Memory())
    kept = [re.escape(part) for part in re.split(r"\[(?:[A-Z]+)\]", redacted)]

    assert re.fullmatch(".*".join(kept), text, re.DOTALL)


@given(cards(), st.data())
@settings(deadline=None)
def test_no_card_number_survives_whatever_separates_its_digits(card: str, data: st.DataObject) -> None:
    separators = data.draw(st.lists(SEPARATORS, min_size=15, max_size=15))
    text = card[0] + "".join(separator + digit for separator, digit in zip(separators, card[1:], strict=True))

    redacted, _ = redact(f"it is {text} ok", Memory())

    assert card not in re.sub(r"\D", "", redacted)


@given(cards())
@settings(deadline=None)
def test_no_spoken_card_number_survives(card: str) -> None:
    names = ("oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

    redacted, _ = redact(" ".join(names[int(digit)] for digit in card), Memory())

    assert redacted == "[CARD]"


@given(cards(), st.integers(4, 12))
@settings(deadline=None)
def test_of_a_card_number_cut_by_turns_at_most_six_digits_survive(card: str, cut: int) -> None:
    first, memory = redact(card[:cut], Memory())
    second, _ = redact(card[cut:], memory)

    assert len(re.sub(r"\D", "", first + second)) <= 6


@pytest.mark.parametrize(
    "unit",
    [
        "1", "1 ", "one ", "a", "a.", "a@", "double ", "oh ", "4111 ", "card 1 ", "password is x ", "password is x 1 ",
        "GB82", "aa11 ", "born may ", "[", "12/12/2012 ", "£1 ", "a dot ", "um ", "İ", " ",
    ],
)  # fmt: skip
def test_time_is_linear_in_the_text(unit: str) -> None:
    """Ten times the text may take ten times as long, with room for noise; a square would take a hundred."""

    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        best = float("inf")
        for _ in range(3):
            began = time.perf_counter()
            redact(text, Memory(), Memory(asked=tuple(Kind), asked_word=True))
            best = min(best, time.perf_counter() - began)
        return best

    assert seconds(20_000) < 30 * seconds(2_000) + 0.005
    assert seconds(20_000) < 1.0
