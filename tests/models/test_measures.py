"""The figures of the model card, on arrays small enough to count by hand."""

import numpy as np
import pytest

from models.training.measures import (
    agreement,
    error_by_chance,
    label_scores,
    macro_f1,
    share_ordered,
    worst_label_error,
)


def mask(*rows: str) -> np.ndarray:
    """A row of letters each: x is true."""
    return np.array([[letter == "x" for letter in row] for row in rows])


def test_labels_are_counted_each_by_itself() -> None:
    first, second, third = label_scores(
        ["a", "b", "c"], fires=mask("x..", "xx.", ".x."), holds=mask("x..", "x..", "..x")
    )

    assert (first.support, first.fired, first.right) == (2, 2, 2)
    assert (first.precision, first.recall, first.f1) == (1.0, 1.0, 1.0)
    assert (second.support, second.fired, second.precision, second.recall, second.f1) == (0, 2, 0.0, 0.0, 0.0)
    assert (third.support, third.fired, third.precision, third.f1) == (1, 0, 0.0, 0.0)


def test_macro_f1_is_over_labels_that_are_there_to_be_found() -> None:
    labels = label_scores(["a", "b", "c"], fires=mask("x..", "xx.", ".x."), holds=mask("x..", "x..", "..x"))

    assert macro_f1(labels) == pytest.approx((1.0 + 0.0) / 2)
    assert macro_f1([]) == 0.0


def test_half_precise_and_half_found() -> None:
    (label,) = label_scores(["a"], fires=mask("x", "x", ".", "."), holds=mask("x", ".", "x", "."))

    assert (label.precision, label.recall, label.f1) == (0.5, 0.5, 0.5)


def test_ordered_pairs_are_the_area_under_the_curve() -> None:
    # Of the four pairs two are in order, one is level, one is not.
    assert share_ordered(np.array([0.8, 0.3]), np.array([0.3, 0.5])) == pytest.approx((2 + 0.5) / 4)
    assert share_ordered(np.array([]), np.array([0.3])) is None


def test_by_chance_alone_a_few_turns_show_an_error_and_many_hardly_any() -> None:
    one, many = np.array([0.5]), np.full(40_000, 0.3)

    assert error_by_chance(one) == 0.5, "whether it holds or not, it is half a turn off"
    assert error_by_chance(np.full(4, 0.5)) == pytest.approx(0.1875, abs=0.03)  # E|k/4 - 1/2|, k of 4 fair coins
    assert error_by_chance(many) < 0.005
    assert error_by_chance(np.array([0.0, 1.0])) == 0.0


def test_the_worst_label_is_judged_where_it_can_hold() -> None:
    probabilities = np.array([[0.9, 0.0], [0.9, 0.55]])
    holds, asked = mask("x.", "x."), mask("x.", "xx")

    assert worst_label_error(["a", "b"], probabilities, holds, asked) == ("b", pytest.approx(0.55))


def test_first_words_agree_where_they_fire() -> None:
    early = np.array([[0.9, 0.1], [0.8, 0.95], [0.7, 0.0], [0.2, 0.1]])
    whole = np.array([[0.8, 0.1], [0.9, 0.6], [0.1, 0.9], [0.9, 0.9]])

    found = agreement(early, early >= 0.7, whole, whole >= 0.5)

    assert (found.turns, found.fired) == (4, 3)
    assert found.same_top == 1, "the second turn is more about another label in the end, the third only about another"
    assert found.among_fired == 2
