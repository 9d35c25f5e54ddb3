"""From which sureness on the first stage answers, on answers of which the best choice is plain."""

import numpy as np
import pytest

from models.training.cascade import MOST_CHANGED, MOST_LOST, Truth, carried_by, choose_sure_at
from models.training.task import Task
from models.training.thresholds import Thresholds
from models.training.turns import UNKNOWN, LabelledTurn

TASK = Task.of(
    [
        LabelledTurn("I want out", "customer", frozenset({"cancel_service"})),
        LabelledTurn("thanks", "customer", frozenset({"gratitude"})),
        LabelledTurn("sorry", "agent", frozenset({"apologises"})),
        LabelledTurn("thanks, and I want out", "customer", frozenset({"gratitude", "cancel_service"})),
        LabelledTurn("hm", "customer", frozenset()),
    ]
)
COUNT = 1000
HALVES = Thresholds(np.full(3, 0.5), np.full(3, 0.5))


def truth_of(second: np.ndarray) -> Truth:  # type: ignore[type-arg]
    nothing = np.full(COUNT, UNKNOWN)
    return Truth(TASK, second > 0, np.ones_like(second, dtype=bool), nothing, nothing)


@pytest.fixture
def second() -> np.ndarray:  # type: ignore[type-arg]
    """An encoder that is always right."""
    intents = np.full((COUNT, 3), -4.0)
    for label in range(3):
        intents[100 * label : 100 * (label + 1), label] = 3.0
    return intents


def test_the_first_stage_answers_where_it_loses_nothing(second: np.ndarray) -> None:  # type: ignore[type-arg]
    first, sure = second.copy(), np.full(COUNT, 0.9)
    first[:60, 0], sure[:60] = -3.0, 0.4  # wrong on these, and not sure of them

    at, scores = choose_sure_at(truth_of(second), HALVES, sure, {"intents": first}, {"intents": second})

    assert 0.4 < at <= 0.9
    assert scores["validation.first_stage_share"] == pytest.approx(0.94)
    assert scores["validation.first_stage_changed"] <= MOST_CHANGED
    assert scores["validation.cascade_loss"] <= MOST_LOST


def test_a_first_stage_that_is_always_wrong_never_answers(second: np.ndarray) -> None:  # type: ignore[type-arg]
    sure = np.full(COUNT, 0.99)

    assert choose_sure_at(truth_of(second), HALVES, sure, {"intents": -second}, {"intents": second})[0] == 1.0


def test_another_answer_may_be_the_better_one_but_not_on_many_turns(second: np.ndarray) -> None:  # type: ignore[type-arg]
    truth, encoder = truth_of(second), second.copy()
    encoder[:80, 0] = -4.0  # it misses what the first stage finds
    sure = np.full(COUNT, 0.99)
    sure[:40] = 0.6
    sure[40:80] = 0.7

    at, _ = choose_sure_at(truth, HALVES, sure, {"intents": second}, {"intents": encoder})

    assert 0.6 < at <= 0.7  # 40 turns of 1,000 it may change, 80 it may not


def test_a_rare_label_does_not_buy_many_changes_for_the_worse() -> None:
    second = np.full((COUNT, 3), -4.0)
    second[:20, 0] = second[300:, 2] = 3.0
    truth, encoder, first, sure = truth_of(second), second.copy(), second.copy(), np.full(COUNT, 0.99)
    encoder[:6, 0] = -4.0  # found by the first stage alone: macro-F1 rises by more than all that follows takes away
    first[300:305, 2], sure[300:305] = -4.0, 0.7
    first[305:320, 2], sure[305:320] = -4.0, 0.4

    at, _ = choose_sure_at(truth, HALVES, sure, {"intents": first}, {"intents": encoder})

    assert 0.4 < at <= 0.7  # 5 worse and 6 better may be chance, 20 worse are not


def test_sentiment_counts(second: np.ndarray) -> None:  # type: ignore[type-arg]
    felt = np.zeros(COUNT, dtype=np.int64)
    truth = Truth(TASK, second > 0, np.ones_like(second, dtype=bool), felt, np.full(COUNT, UNKNOWN))
    right, wrong = np.tile([2.0, 0.0, 0.0], (COUNT, 1)), np.tile([0.0, 2.0, 0.0], (COUNT, 1))

    at, _ = choose_sure_at(
        truth,
        HALVES,
        np.full(COUNT, 0.9),
        {"intents": second, "sentiment": wrong},
        {"intents": second, "sentiment": right},
    )

    assert at == 1.0


def test_what_a_speaker_cannot_mean_is_in_no_doubt() -> None:
    assert carried_by(TASK).tolist() == [[True, False], [True, False], [False, True]]
