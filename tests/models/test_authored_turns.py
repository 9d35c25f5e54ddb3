"""The turns that we wrote are what they say: every label real and covered, and the test turns seen by no training."""

from collections import Counter

import pytest

from models.training.datasets.authored import load_authored
from models.training.speech import strip_punctuation
from models.training.taxonomy import AGENT_LABELS, CUSTOMER_LABELS, LABELS
from models.training.turns import LabelledTurn


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_label_is_one_of_its_speaker(split: str) -> None:
    for turn in load_authored(split):
        assert turn.labels <= set(CUSTOMER_LABELS if turn.speaker == "customer" else AGENT_LABELS), turn.text
        assert (turn.churn_risk is None) == (turn.speaker == "agent"), turn.text


def test_training_covers_every_label_and_enough_that_wants_nothing() -> None:
    turns = load_authored("train")
    seen = Counter(label for turn in turns for label in turn.labels)

    assert min(seen[label] for label in LABELS) >= 20
    assert sum(not turn.labels for turn in turns) >= 250
    assert len(turns) >= 1200


def test_no_test_turn_is_trained_on() -> None:
    def key(turn: LabelledTurn) -> tuple[str, str]:
        return turn.speaker, strip_punctuation(turn.text).strip()

    trained_on = {key(turn) for turn in load_authored("train")}

    assert [turn.text for turn in load_authored("test") if key(turn) in trained_on] == []
    assert len(load_authored("test")) >= 250
