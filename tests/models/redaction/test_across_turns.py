"""Numbers that are cut by turns, and answers that only their question gives away."""

import pytest

from models.redaction import Kind, Memory, redact


def told(*turns: str) -> list[str]:
    """The redacted turns of a conversation; each is told as "A: …" or "C: …"."""
    memories = {"A": Memory(), "C": Memory()}
    redacted = []
    for turn in turns:
        speaker, text = turn[0], turn[3:]
        after, memories[speaker] = redact(text, memories[speaker], memories["C" if speaker == "A" else "A"])
        redacted.append(after)
    return redacted


def test_a_card_in_two_halves() -> None:
    assert told("C: the first half is 4111 1111", "A: yeah", "C: and then 1111 1111") == [
        "the first half is [NUMBER]",
        "yeah",
        "and then [CARD]",
    ]


def test_a_card_by_four_digits_a_turn_shows_only_the_first_four() -> None:
    assert told("C: 4111", "A: mhm", "C: 1111", "A: mhm", "C: 1111", "A: go on", "C: 1111")[::2] == [
        "4111",
        "[NUMBER]",
        "[NUMBER]",
        "[CARD]",
    ]


def test_a_card_that_was_asked_for_shows_nothing() -> None:
    assert told("A: go ahead with the long number", "C: four two four two", "A: yeah", "C: four two")[1::2] == [
        "[CARD]",
        "[CARD]",
    ]


def test_what_follows_a_card_is_read_by_its_own_question() -> None:
    assert told(
        "A: your card number please", "C: 4242 4242 4242 4242", "A: and the expiry", "C: oh nine twenty eight",
        "A: and the security code", "C: one two three",
    )[1::2] == ["[CARD]", "[CARD]", "[PIN]"]  # fmt: skip


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("Can I take your date of birth?", "8 August 1990.", "[DOB]."),
        ("and the memorable word please", "yes it's marmalade", "yes it's [PIN]"),
        ("and the memorable word please", "I don't remember", "I don't remember"),
        ("What's the password on the account?", "sure, one moment", "sure, one moment"),
        ("the last four digits of your account number?", "Kate Doyle, 7731.", "Kate Doyle, [ACCOUNT]."),
        ("What's your email?", "jo at example dot org", "[EMAIL]"),
        ("your national insurance number please", "a b one two three four five six c", "a b [NUMBER] c"),
        ("What's a good phone number?", "555 0104", "[PHONE]"),
        ("How many lines do you have?", "3", "3"),
        ("Your card was declined.", "that's 24 pounds for 2 lines", "that's 24 pounds for 2 lines"),
    ],
)
def test_an_answer_is_read_in_the_light_of_its_question(question: str, answer: str, expected: str) -> None:
    assert told(f"A: {question}", f"C: {answer}")[1] == expected


def test_a_question_is_forgotten_when_the_talk_moves_on() -> None:
    turns = told("A: Can I take your date of birth?", "C: 8 August 1990", "A: Thank you, how can I help you today?")
    assert told(*["A: Can I take your date of birth?", "A: Thank you, how can I help you today?"], "C: since 3 May")[
        2
    ] == ("since 3 May")
    assert turns[1] == "[DOB]"


def test_small_numbers_in_turns_of_their_own_are_no_card() -> None:
    assert told("C: 2", "C: 100", "C: 2024", "C: and 2025") == ["2", "100", "2024", "and 2025"]


def test_memory_holds_no_digits_and_survives_being_stored() -> None:
    _, memory = redact("the card number is 4111 1111", Memory())
    stored = memory.model_dump_json()

    assert Memory.model_validate_json(stored) == memory
    assert memory.pending_kind is Kind.CARD
    assert "4111" not in stored
    assert "1111" not in stored
