"""The turns that we wrote are what they say: every label real and covered, and the test turns seen by no training."""

from collections import Counter
from typing import get_args

import pytest

from models.training.datasets.authored import Split, load_authored
from models.training.speech import strip_punctuation
from models.training.taxonomy import ACTIONABLE, AGENT_LABELS, CUSTOMER_LABELS, LABELS
from models.training.turns import LabelledTurn


@pytest.mark.parametrize("split", get_args(Split))
def test_every_label_is_one_of_its_speaker(split: Split) -> None:
    for turn in load_authored(split):
        assert turn.labels <= set(CUSTOMER_LABELS if turn.speaker == "customer" else AGENT_LABELS), turn.text
        assert turn.churn_risk in ((None, 0) if turn.speaker == "agent" else (0, 1, 2)), turn.text


def test_training_covers_every_label_and_enough_that_wants_nothing() -> None:
    turns = load_authored("train")
    seen = Counter(label for turn in turns for label in turn.labels)

    assert min(seen[label] for label in LABELS) >= 200
    assert sum(not turn.labels for turn in turns) >= 3_000
    assert len(turns) >= 10_000


def test_half_of_what_we_wrote_is_as_speech_recognition_writes() -> None:
    turns = load_authored("train")
    as_speech = sum(turn.text == strip_punctuation(turn.text) for turn in turns)

    assert 0.45 <= as_speech / len(turns) <= 0.75


def test_the_test_turns_cover_every_label_and_none_comes_twice() -> None:
    turns = load_authored("test")
    seen = Counter(label for turn in turns for label in turn.labels)

    assert min(seen[label] for label in LABELS) >= 50
    assert len({key(turn) for turn in turns}) == len(turns) >= 1_400


def test_the_idle_turns_want_nothing() -> None:
    idle = load_authored("idle")

    assert len(idle) >= 1_500
    assert not any(turn.labels & ACTIONABLE for turn in idle)


@pytest.mark.parametrize("split", ["validation", "test", "idle"])
def test_nothing_that_is_measured_on_is_trained_on(split: Split) -> None:
    trained_on = {key(turn) for turn in load_authored("train")}
    calibrated_on = {key(turn) for turn in load_authored("validation")} if split != "validation" else set()

    assert [turn.text for turn in load_authored(split) if key(turn) in trained_on | calibrated_on] == []


def key(turn: LabelledTurn) -> tuple[str, str]:
    return turn.speaker, strip_punctuation(turn.text).strip()
