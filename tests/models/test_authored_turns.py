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

    assert min(seen[label] for label in LABELS) >= 50
    assert sum(not turn.labels for turn in turns) >= 1000
    assert len(turns) >= 4000


def test_half_of_what_we_wrote_is_as_speech_recognition_writes() -> None:
    turns = load_authored("train")
    as_speech = sum(turn.text == strip_punctuation(turn.text) for turn in turns)

    assert 0.45 <= as_speech / len(turns) <= 0.75


@pytest.mark.parametrize(("split", "least"), [("test_first", 16), ("test_second", 20), ("test_third", 40)])
def test_each_file_of_test_turns_covers_every_label(split: Split, least: int) -> None:
    seen = Counter(label for turn in load_authored(split) for label in turn.labels)

    assert min(seen[label] for label in LABELS) >= least


def test_the_test_turns_are_all_files_and_no_turn_twice() -> None:
    files = [load_authored(split) for split in ("test_first", "test_second", "test_third")]
    keys = [{key(turn) for turn in file} for file in files]

    assert load_authored("test") == [turn for file in files for turn in file]
    assert keys[0] & keys[1] == keys[0] & keys[2] == keys[1] & keys[2] == set()
    assert [len(found) for found in keys[1:]] == [len(file) for file in files[1:]]
    assert sum(map(len, files)) >= 2_300


def test_the_idle_turns_want_nothing() -> None:
    idle = load_authored("idle")

    assert len(idle) >= 2_500
    assert not any(turn.labels & ACTIONABLE for turn in idle)


@pytest.mark.parametrize("split", ["validation", "test", "idle"])
def test_nothing_that_is_measured_on_is_trained_on(split: Split) -> None:
    trained_on = {key(turn) for turn in load_authored("train")}
    calibrated_on = {key(turn) for turn in load_authored("validation")} if split != "validation" else set()

    assert [turn.text for turn in load_authored(split) if key(turn) in trained_on | calibrated_on] == []


def key(turn: LabelledTurn) -> tuple[str, str]:
    return turn.speaker, strip_punctuation(turn.text).strip()
