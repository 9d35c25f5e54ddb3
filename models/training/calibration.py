"""From logits to probabilities that mean what they say, and the threshold at which each label may fire."""

import numpy as np
from numpy.typing import NDArray

LOWEST_THRESHOLD, HIGHEST_THRESHOLD = 0.3, 0.6
TARGET_PRECISION = 0.85

_TEMPERATURES = np.geomspace(0.25, 4.0, 161)
Matrix = NDArray[np.float64]


def fit_binary_temperature(logits: Matrix, holds: Matrix, known: Matrix) -> float:
    """The temperature that makes sigmoid(logits / T) most likely, over what is known; all of shape (n, labels)."""

    def loss(temperature: float) -> float:
        scaled = logits / temperature
        return float(((np.logaddexp(0.0, scaled) - holds * scaled) * known).sum())

    return float(min(_TEMPERATURES, key=loss))


def fit_softmax_temperature(logits: Matrix, classes: NDArray[np.int64]) -> float:
    """The temperature that makes softmax(logits / T) most likely; shapes (n, classes) and (n,)."""

    def loss(temperature: float) -> float:
        scaled = logits / temperature
        chosen = scaled[np.arange(len(classes)), classes]
        return float((np.logaddexp.reduce(scaled, axis=1) - chosen).sum())

    return float(min(_TEMPERATURES, key=loss))


def choose_threshold(probabilities: NDArray[np.float64], holds: NDArray[np.bool_]) -> float:
    """The threshold of best F1 among those with the target precision; where none has it, the highest allowed.

    Precision is taken with one false alarm added, so that a lucky handful of examples does not lower the bar.
    """
    candidates = np.round(np.arange(LOWEST_THRESHOLD, HIGHEST_THRESHOLD + 0.001, 0.02), 2)
    best, best_f1 = HIGHEST_THRESHOLD, -1.0
    for threshold in candidates:
        fires = probabilities >= threshold
        right, all_fired = int((fires & holds).sum()), int(fires.sum())
        if right / (all_fired + 1) < TARGET_PRECISION:
            continue
        f1 = 2 * right / (all_fired + int(holds.sum()))
        if f1 > best_f1:
            best, best_f1 = float(threshold), f1
    return best


def expected_calibration_error(probabilities: NDArray[np.float64], holds: NDArray[np.bool_], bins: int = 10) -> float:
    """Mean distance between what was said and what came true, over equal-width bins weighted by size; flat arrays."""
    bin_of = np.minimum((probabilities * bins).astype(int), bins - 1)
    error = 0.0
    for index in range(bins):
        inside = bin_of == index
        if inside.any():
            error += inside.mean() * abs(probabilities[inside].mean() - holds[inside].mean())
    return float(error)
