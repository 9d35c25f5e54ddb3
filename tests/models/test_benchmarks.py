"""Accuracy and the two threshold rules, on rows few enough to reckon with."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.training.benchmarks import (
    Answered,
    answered,
    at_threshold,
    paper_threshold,
    strictest_threshold,
)
from models.training.datasets.splits import banking77_split, clinc150_split


def rows(*pairs: tuple[float, bool]) -> Answered:
    return Answered(np.array([each for each, _ in pairs]), np.array([right for _, right in pairs]))


SCOPE = rows((0.9, True), (0.8, True), (0.6, False), (0.5, True), (0.2, False))
OUTSIDE = rows((0.7, False), (0.4, False), (0.3, False))


def test_an_answer_is_the_most_confident_class() -> None:
    confidences = np.array([[0.1, 0.9], [0.6, 0.4], [-1.0, -2.0]])

    found = answered(confidences, ["card", "loan"], ["loan", "loan", "oos"])

    assert found.confidence.tolist() == [0.9, 0.6, -1.0]
    assert found.right.tolist() == [True, False, False]
    assert found.accuracy == pytest.approx(1 / 3)


def test_under_the_threshold_is_out_of_scope() -> None:
    found = at_threshold(0.5, SCOPE, OUTSIDE)

    assert found.in_scope == pytest.approx(3 / 5), "what is right and answered, of all in scope"
    assert found.oos_recall == pytest.approx(2 / 3)


def test_the_papers_threshold_gets_most_rows_right() -> None:
    # At 0.5: three in scope and two outside of it, five of eight; at 0.8 two and three; at any other fewer.
    assert paper_threshold(SCOPE, OUTSIDE) == 0.5


def test_the_strictest_threshold_keeps_the_floor_beyond_chance() -> None:
    many = rows(*((step / 1000, True) for step in range(1000)))  # at a threshold t, 1 - t of them are answered right

    # 0.96 ± 0.0062 is what a thousand rows of a true 0.96 come to; 1.645 of that are 0.0102.
    assert strictest_threshold(many, OUTSIDE, floor=0.96) == pytest.approx(0.029)
    assert strictest_threshold(SCOPE, OUTSIDE, floor=0.9) == 0.2, "out of reach: every row is answered"


def test_splits_are_read_as_published(tmp_path: Path) -> None:
    (tmp_path / "banking77").mkdir()
    (tmp_path / "banking77" / "test.csv").write_text('text,category\n"Where, please, is it?",card_arrival\n')
    (tmp_path / "clinc150").mkdir()
    data = {"oos_val": [["sing", "oos"]], "val": [["what time is it", "time"]]}
    (tmp_path / "clinc150" / "data_full.json").write_text(json.dumps(data))

    assert banking77_split(tmp_path, "test") == [("Where, please, is it?", "card_arrival")]
    assert clinc150_split(tmp_path, "oos_val") == [("sing", "oos")]
    assert clinc150_split(tmp_path, "val") == [("what time is it", "time")]
