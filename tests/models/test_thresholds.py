"""When labels may fire, on probabilities whose right answer is plain."""

import numpy as np
import pytest

from models.training.calibration import threshold_steps
from models.training.task import Task
from models.training.thresholds import choose_thresholds, unseen_thresholds
from models.training.turns import LabelledTurn

TASK = Task.of(
    [
        LabelledTurn("I want out", "customer", frozenset({"cancel_service"})),
        LabelledTurn("thanks and bye", "customer", frozenset({"gratitude", "closing"})),
        LabelledTurn("hm", "customer", frozenset()),
    ]
)


def logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def test_a_task_is_read_off_its_turns() -> None:
    assert TASK.labels == ("cancel_service", "gratitude", "closing")
    assert (TASK.exclusive, TASK.sentiment, TASK.churn_risk) == (False, False, False)
    one_each = Task.of([LabelledTurn("a", "customer", frozenset({label}), churn_risk=1) for label in ("z", "b")])
    assert (one_each.labels, one_each.exclusive, one_each.churn_risk) == (("b", "z"), True, True)
    or_none = Task.of([LabelledTurn("a", "customer", frozenset(labels)) for labels in ({"z"}, {"b"}, ())])
    assert (or_none.labels, or_none.exclusive) == (("b", "z"), True)


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

    found = choose_thresholds(TASK, intents, holds, known)

    assert 0.6 < found[0] <= 0.9
    assert found[1] < 0.6


def test_what_only_holds_selling_back_is_not_raised_for_quiet() -> None:
    labels = ("cancel_service", "vulnerability")
    task = Task.of([LabelledTurn("a", "customer", frozenset(each)) for each in (labels, labels[:1])])
    count = 200
    intents = np.full((count, 2), logit(0.02))
    holds = np.zeros((count, 2), dtype=bool)
    holds[:40, 0] = holds[40:80, 1] = True
    intents[:40, 0] = intents[40:80, 1] = np.repeat([logit(0.55), logit(0.9)], 20)
    intents[80:90, 0] = intents[90:100, 1] = logit(0.6)  # of both labels ten idle turns of 120 sound like it

    found = choose_thresholds(task, intents, holds, np.ones_like(holds))

    assert found[0] > 0.6
    assert found[1] < 0.55


def test_the_label_that_loses_least_is_raised_for_quiet() -> None:
    task = Task.of([LabelledTurn("a", "customer", frozenset(each)) for each in ("ab", "a")])
    count = 200
    intents = np.full((count, 2), logit(0.02))
    holds = np.zeros((count, 2), dtype=bool)
    holds[:40, 0] = holds[40:80, 1] = True
    intents[:40, 0] = logit(0.9)  # raised to 0.7, the first label loses nothing
    intents[40:80, 1] = np.repeat([logit(0.55), logit(0.9)], 20)  # and the second half of its turns
    intents[80:92, 0] = intents[92:96, 1] = logit(0.5)

    found = choose_thresholds(task, intents, holds, np.ones_like(holds))

    assert found[0] > 0.5
    assert found[1] < 0.55


def test_turns_that_none_can_be_meant_on_never_stop_the_choice() -> None:
    intents = np.full((30, 3), 20.0)  # everything fires on everything, at every threshold

    found = choose_thresholds(TASK, intents, np.zeros((30, 3), dtype=bool), np.ones((30, 3), dtype=bool))

    assert found[0] == threshold_steps()[-1]


def test_unseen_thresholds_are_those_of_the_other_half() -> None:
    intents = np.full((200, 3), logit(0.02))
    holds = np.zeros((200, 3), dtype=bool)
    holds[:80, 0] = True
    intents[:80, 0] = np.tile([logit(0.9), logit(0.4)], 40)  # every second turn is found at 0.4 alone
    intents[80:160, 0] = np.tile([logit(0.5), logit(0.02)], 40)  # where the others would fire on what does not hold
    known = np.ones_like(holds)

    found = unseen_thresholds(TASK, intents, holds, known)

    halves = [choose_thresholds(TASK, intents[half::2], holds[half::2], known[half::2]) for half in (0, 1)]
    assert halves[1][0] <= 0.4 < 0.5 < halves[0][0]
    assert found[::2].tolist() == [halves[1].tolist()] * 100
    assert found[1::2].tolist() == [halves[0].tolist()] * 100
