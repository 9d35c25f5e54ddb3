"""Temperatures and thresholds, on numbers whose answer is known."""

import numpy as np
import pytest

from models.training.calibration import (
    HIGHEST_THRESHOLD,
    LOWEST_THRESHOLD,
    choose_threshold,
    expected_calibration_error,
    fit_binary_temperature,
    fit_softmax_temperature,
)

RNG = np.random.default_rng(5)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_a_binary_temperature_is_found_again(temperature: float) -> None:
    true_logits = RNG.normal(0, 2, size=(20_000, 2))
    holds = (RNG.random(true_logits.shape) < 1 / (1 + np.exp(-true_logits))).astype(float)

    found = fit_binary_temperature(true_logits * temperature, holds, np.ones_like(holds))

    assert found == pytest.approx(temperature, rel=0.1)


def test_what_is_not_known_does_not_count() -> None:
    logits = np.array([[3.0, 3.0], [-3.0, 3.0]] * 100)
    holds = np.array([[1.0, 0.0], [0.0, 0.0]] * 100)
    first_column = np.array([[1.0, 0.0], [1.0, 0.0]] * 100)

    assert (
        fit_binary_temperature(logits, holds, first_column) < 1 < fit_binary_temperature(logits, holds, holds * 0 + 1)
    )


def test_a_softmax_temperature_is_found_again() -> None:
    true_logits = RNG.normal(0, 2, size=(20_000, 3))
    shares = np.exp(true_logits) / np.exp(true_logits).sum(axis=1, keepdims=True)
    classes = (shares.cumsum(axis=1) > RNG.random((20_000, 1))).argmax(axis=1)

    assert fit_softmax_temperature(true_logits * 1.8, classes) == pytest.approx(1.8, rel=0.1)


def test_a_threshold_keeps_out_false_alarms() -> None:
    probabilities = np.array([0.95] * 40 + [0.5] * 20 + [0.1] * 100)
    holds = np.array([True] * 40 + [False] * 20 + [False] * 100)

    assert 0.5 < choose_threshold(probabilities, holds) <= HIGHEST_THRESHOLD


def test_a_threshold_goes_as_low_as_precision_lets_it() -> None:
    probabilities = np.array([0.95] * 20 + [0.35] * 20 + [0.1] * 100)
    holds = np.array([True] * 40 + [False] * 100)

    assert LOWEST_THRESHOLD <= choose_threshold(probabilities, holds) <= 0.35


def test_a_label_never_precise_enough_fires_only_when_surest() -> None:
    probabilities = np.array([0.8] * 10 + [0.7] * 30)
    holds = np.array([True, False] * 5 + [False] * 30)

    assert choose_threshold(probabilities, holds) == HIGHEST_THRESHOLD


def test_calibration_error_is_the_distance_between_said_and_true() -> None:
    said = np.array([0.9] * 10 + [0.1] * 10)

    assert expected_calibration_error(said, np.array([True] * 9 + [False] + [True] + [False] * 9)) == pytest.approx(0)
    assert expected_calibration_error(said, np.array([True] * 4 + [False] * 16)) == pytest.approx(0.3)
