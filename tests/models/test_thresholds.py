"""When labels may fire, on probabilities whose right answer is plain."""

import numpy as np
import pytest

from models.training.task import Task
from models.training.thresholds import MOST_CHANGED, Thresholds, choose_sure_at, choose_thresholds
from models.training.turns import LabelledTurn

TASK = Task.of(
    [
        LabelledTurn("I want out", "customer", frozenset({"cancel_service"})),
        LabelledTurn("thanks and bye", "customer", frozenset({"gratitude", "closing"})),
        LabelledTurn("hm", "customer", frozenset()),
    ]
)
RNG = np.random.default_rng(3)


def logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def test_a_task_is_read_off_its_turns() -> None:
    assert TASK.labels == ("cancel_service", "gratitude", "closing")
    assert (TASK.exclusive, TASK.sentiment, TASK.churn_risk) == (False, False, False)
    one_each = Task.of([LabelledTurn("a", "customer", frozenset({label}), churn_risk=1) for label in ("z", "b")])
    assert (one_each.labels, one_each.exclusive, one_each.churn_risk) == (("b", "z"), True, True)


def test_one_label_is_no_task() -> None:
    with pytest.raises(ValueError, match="at least two labels"):
        Task.of([LabelledTurn("a", "customer", frozenset({"only"}))])


def test_idle_talk_raises_what_calls_for_something_and_not_what_does_not() -> None:
    count = 200
    intents = np.full((count, 3), logit(0.02))
    holds = np.zeros((count, 3), dtype=bool)
    intents[:40, 0], holds[:40, 0] = logit(0.9), True
    intents[:40, 1], holds[:40, 1] = logit(0.9), True
    intents[40:60, 0] = logit(0.6)  # twenty idle turns of 160 sound like leaving: more than may fire
    known = np.ones_like(holds)

    found = choose_thresholds(TASK, {"intents": intents}, holds, known, None, {})

    assert 0.6 < found.whole[0] <= 0.9
    assert found.whole[1] < 0.6


def test_a_beginning_must_be_surer_where_beginnings_mislead() -> None:
    count = 100
    holds = np.zeros((count, 3), dtype=bool)
    holds[:60, 0] = holds[60:, 1] = True
    whole = np.where(holds, logit(0.9), logit(0.02))
    begun = whole.copy()
    begun[:30] = [logit(0.05), logit(0.7), logit(0.02)]

    found = choose_thresholds(
        TASK, {"intents": whole}, holds, np.ones_like(holds), {"intents": begun}, {"intents": whole}
    )

    assert (found.partial > 0.7).all()


def test_the_first_stage_answers_where_it_changes_little() -> None:
    count = 1000
    second = np.full((count, 3), logit(0.02))
    second[:300, 0] = logit(0.9)
    first = second.copy()
    sure = np.full((count, 1), logit(0.97))
    first[:100, 0], sure[:100] = logit(0.1), logit(0.4)  # wrong on these, and not sure of them
    thresholds = Thresholds(np.full(3, 0.5), np.full(3, 0.5))

    at, scores = choose_sure_at(
        TASK, thresholds, {"intents": first, "sure": sure}, {"intents": second}, np.ones((count, 3), dtype=bool)
    )

    assert 0.4 < at <= 0.97
    assert scores["validation.first_stage_share"] == pytest.approx(0.9)
    assert scores["validation.first_stage_changed"] <= MOST_CHANGED


def test_a_first_stage_that_is_always_wrong_never_answers() -> None:
    second = RNG.normal(0, 3, (200, 3))
    thresholds = Thresholds(np.full(3, 0.5), np.full(3, 0.5))

    at, _ = choose_sure_at(
        TASK,
        thresholds,
        {"intents": -second, "sure": np.full((200, 1), 9.0)},
        {"intents": second},
        np.ones((200, 3), dtype=bool),
    )

    assert at == 1.0
