"""Confusions and the surest errors, counted by hand."""

import numpy as np

from models.training.mistakes import Confusion, confusions, worst_mistakes
from models.training.turns import LabelledTurn

NAMES = ["leaving", "price", "closing"]


def turn(text: str, *labels: str) -> LabelledTurn:
    return LabelledTurn(text, "customer", frozenset(labels))


def test_a_confusion_is_one_missed_while_another_fired() -> None:
    holds = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], dtype=bool)
    fires = np.array([[0, 1, 0], [0, 1, 0], [1, 0, 0], [1, 1, 1]], dtype=bool)

    found = confusions(NAMES, fires, holds)

    assert found == (Confusion("leaving", "price", 2), Confusion("price", "leaving", 1))
    assert confusions(NAMES, fires, holds, most=1) == found[:1]
    assert confusions(NAMES, holds, holds) == ()


def test_the_surest_errors_come_first_each_turn_once() -> None:
    turns = [
        turn("right", "leaving"),
        turn("fired on nothing"),
        turn("missed outright", "price"),
        turn("just missed, and fired on", "leaving"),
    ]
    probabilities = np.array([[0.9, 0.2, 0.1], [0.1, 0.1, 0.8], [0.1, 0.05, 0.1], [0.45, 0.7, 0.1]])

    worst = worst_mistakes(turns, NAMES, probabilities, probabilities >= 0.5)

    assert [(mistake.text, mistake.label, mistake.probability) for mistake in worst] == [
        ("missed outright", "price", 0.05),
        ("fired on nothing", "closing", 0.8),
        ("just missed, and fired on", "price", 0.7),
    ]
    assert worst[0].wanted == ("price",)
    assert worst[1].wanted == ()
    assert [mistake.text for mistake in worst_mistakes(turns, NAMES, probabilities, probabilities >= 0.5, most=1)] == [
        "missed outright"
    ]
