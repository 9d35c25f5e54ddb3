"""Temperatures and thresholds, on numbers whose answer is known."""

import numpy as np
import pytest

from models.training.calibration import (
    HIGHEST_THRESHOLD,
    LOWEST_THRESHOLD,
    choose_threshold,
    expected_calibration_error,
    f1_by_step,
    fit_beside_none,
    fit_platt,
    fit_temperature,
    level_of_none,
    sigmoid,
    softmax_beside_none,
    threshold_steps,
)

RNG = np.random.default_rng(5)


def test_platt_finds_scale_and_shift_again() -> None:
    true_logits = RNG.normal(0, 2, size=20_000)
    holds = (RNG.random(true_logits.shape) < sigmoid(true_logits)).astype(float)

    scale, shift = fit_platt(true_logits * 2 + 1, holds)

    assert (scale, shift) == (pytest.approx(0.5, rel=0.1), pytest.approx(-0.5, abs=0.05))


def test_platt_hardly_moves_what_few_turns_tell_of() -> None:
    scale, shift = fit_platt(np.array([2.0, -1.0, -3.0]), np.array([0.0, 1.0, 0.0]))

    assert 0.5 < scale < 1.5
    assert abs(shift) < 0.3


def test_platt_stays_finite_where_all_turns_are_one() -> None:
    assert np.isfinite(fit_platt(RNG.normal(0, 20, 50), np.zeros(50))).all()


def test_a_softmax_temperature_is_found_again() -> None:
    true_logits = RNG.normal(0, 2, size=(20_000, 3))
    shares = np.exp(true_logits) / np.exp(true_logits).sum(axis=1, keepdims=True)
    classes = (shares.cumsum(axis=1) > RNG.random((20_000, 1))).argmax(axis=1)

    assert fit_temperature(true_logits * 1.8, classes) == pytest.approx(1.8, rel=0.1)


def test_what_is_of_no_class_is_told_by_its_small_logits() -> None:
    of_one = RNG.normal(0, 1, size=(1_000, 5)) + 8 * np.eye(5)[RNG.integers(0, 5, 1_000)]
    between_two = RNG.normal(0, 0.1, size=(50, 5)) + np.array([8, 8, 0, 0, 0])
    of_none = RNG.normal(0, 1, size=(50, 5)) + np.array([2, 0, 0, 0, 0])

    none = level_of_none(of_one, 0.01)
    shares = [softmax_beside_none(logits - none).sum(axis=1) for logits in (of_one, between_two, of_none)]

    assert (shares[0] < 0.5).mean() == pytest.approx(0.01, abs=0.001)
    assert shares[1].min() > 0.5
    assert shares[2].max() < 0.5


def test_temperature_and_level_of_none_are_found_again() -> None:
    logits = np.concatenate([RNG.normal(0, 2, size=(6_000, 4)), np.zeros((6_000, 1))], axis=1)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    classes = (shares.cumsum(axis=1) > RNG.random((6_000, 1))).argmax(axis=1)

    temperature, level = fit_beside_none(logits[:, :4] * 1.5 + 3.0, classes)

    assert temperature == pytest.approx(1.5, rel=0.1)
    assert level == pytest.approx(3.0, abs=0.2)


def test_a_threshold_keeps_out_false_alarms() -> None:
    probabilities = np.array([0.95] * 40 + [0.5] * 20 + [0.1] * 100)
    holds = np.array([True] * 40 + [False] * 20 + [False] * 100)

    assert 0.5 < choose_threshold(probabilities, holds) <= HIGHEST_THRESHOLD


def test_a_threshold_goes_as_low_as_precision_lets_it() -> None:
    probabilities = np.array([0.95] * 20 + [0.35] * 20 + [0.1] * 100)
    holds = np.array([True] * 40 + [False] * 100)

    assert LOWEST_THRESHOLD <= choose_threshold(probabilities, holds) <= 0.35


def test_a_label_never_precise_enough_fires_only_when_surest() -> None:
    probabilities = np.array([0.9] * 10 + [0.7] * 30)
    holds = np.array([True, False] * 5 + [False] * 30)

    assert choose_threshold(probabilities, holds) == HIGHEST_THRESHOLD


def test_calibration_error_is_the_distance_between_said_and_true() -> None:
    said = np.array([0.9] * 10 + [0.1] * 10)

    assert expected_calibration_error(said, np.array([True] * 9 + [False] + [True] + [False] * 9)) == pytest.approx(0)
    assert expected_calibration_error(said, np.array([True] * 4 + [False] * 16)) == pytest.approx(0.3)


def test_f1_by_step_knows_where_it_is_best() -> None:
    said = np.array([0.9] * 20 + [0.3] * 20)
    f1 = f1_by_step(said, np.array([True] * 20 + [False] * 20))

    best = threshold_steps()[f1.argmax()]
    assert 0.3 < best <= 0.9
    assert f1.max() == pytest.approx(1.0)
    assert f1[0] == pytest.approx(2 / 3)
