"""What the encoder is asked for the first stage: new texts, of the words of the old."""

import random

import pytest

from models.training.asking import Questions
from models.training.speech import strip_punctuation

TEXTS = [
    "Hello, I've moved house, so I need the bill sent somewhere else.",
    "no",
    "The router drops every evening; can you have a look?",
    "yes please go ahead",
]
FILLERS = {"um", "uh", "er", "well", "so", "yeah", "like", "you", "know", "i", "mean", "okay", "right"}


def words(text: str) -> set[str]:
    return set(strip_punctuation(text).replace("'", "").split())


@pytest.mark.parametrize("idle", [[], ["lovely weather today"]])
def test_they_are_new_and_made_of_what_was_said(idle: list[str]) -> None:
    made = Questions(TEXTS, idle, random.Random(1)).make(800)

    said = words(" ".join(TEXTS + idle)) | FILLERS
    assert len(made) == 800
    assert all(words(text) for text in made)
    assert set().union(*map(words, made)) <= said
    assert len(set(made) - set(TEXTS)) > 400
    assert ("weather" in " ".join(made)) == bool(idle)


def test_the_same_seed_asks_the_same() -> None:
    one, other, third = (Questions(TEXTS, [], random.Random(seed)).make(40) for seed in (1, 1, 2))

    assert one == other != third


def test_of_one_word_there_is_little_to_ask() -> None:
    assert set(Questions(["no", " "], [], random.Random(1)).make(16)) <= {"no", "no no"}
