"""From logits to probabilities that mean what they say, and the thresholds at which labels may fire.

Everything here is fitted on validation turns, which no training saw, and is folded into the exported weights.
"""

import numpy as np
from numpy.typing import NDArray

LOWEST_THRESHOLD, HIGHEST_THRESHOLD = 0.3, 0.8
TARGET_PRECISION = 0.7
_STEPS = np.round(np.arange(0.02, 1.0, 0.02), 2)
_NEIGHBOURS = np.exp(-0.5 * (np.arange(-6, 7) / 2.0) ** 2) / np.exp(-0.5 * (np.arange(-6, 7) / 2.0) ** 2).sum()
"""Weights of the thresholds around one, a bell of 0.04."""
_TEMPERATURES = np.geomspace(0.25, 4.0, 161)
_LEVELS = np.linspace(0.0, 0.5, 101)
"""Quantiles of how likely all classes are together, at each of which none of them is tried as likely."""

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


def fit_platt(logits: Vector, holds: Vector, strength: float = 4.0, rounds: int = 50) -> tuple[float, float]:
    """Scale and shift that make sigmoid(scale × logit + shift) most likely (Platt 1999), by Newton's method.

    ``strength`` pulls towards (1, 0) like that many turns of doubt, so that a label of few turns is hardly moved.
    """
    inputs = np.stack([logits, np.ones_like(logits)], axis=1)
    start = np.array([1.0, 0.0])
    weights = start.copy()
    for _ in range(rounds):
        probabilities = sigmoid(inputs @ weights)
        gradient = inputs.T @ (probabilities - holds) + strength * (weights - start)
        curvature = (inputs.T * (probabilities * (1 - probabilities))) @ inputs + strength * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step * min(1.0, 1.0 / max(1e-9, float(np.abs(step).max())))
        if np.abs(step).max() < 1e-6:
            break
    return max(0.05, float(weights[0])), float(weights[1])


def fit_temperature(logits: Matrix, classes: NDArray[np.int64]) -> float:
    """The temperature that makes softmax(logits / T) most likely; shapes (n, classes) and (n,)."""

    def loss(temperature: float) -> float:
        scaled = logits / temperature
        chosen = scaled[np.arange(len(classes)), classes]
        return float((np.logaddexp.reduce(scaled, axis=1) - chosen).sum())

    return float(min(_TEMPERATURES, key=loss))


def fit_beside_none(logits: Matrix, classes: NDArray[np.int64]) -> tuple[float, float]:
    """The temperature T and the level c that make softmax((logits - c) / T) beside none most likely.

    ``classes`` (n,) is the number of classes where a row is of none of them; there must be some rows of both.
    """
    none = classes == logits.shape[1]
    best = (np.inf, 1.0, 0.0)
    for temperature in _TEMPERATURES:
        scaled = logits / temperature
        together = np.logaddexp.reduce(scaled, axis=1)
        chosen = scaled[np.flatnonzero(~none), classes[~none]].sum()
        for level in np.quantile(together, _LEVELS):
            loss = np.logaddexp(together, level).sum() - chosen - level * none.sum()
            best = min(best, (float(loss), float(temperature), float(level * temperature)))
    return best[1:]


def level_of_none(logits: Matrix, share: float) -> float:
    """The logit of "none of these" under which it is likelier than all classes together for ``share`` of the rows.

    What is of no class has small logits, not equal ones, so that their sum, the free energy (Liu et al. 2020), tells it
    where the largest share of a softmax does not.
    """
    return float(np.quantile(np.logaddexp.reduce(logits, axis=1), share))


def choose_threshold(probabilities: Vector, holds: NDArray[np.bool_], lowest: float = LOWEST_THRESHOLD) -> float:
    """The threshold of best F1 among those with the target precision; where none has it, the highest allowed.

    Precision is taken with one false alarm added, so that a lucky handful of turns does not lower the bar.
    """
    best, best_f1 = HIGHEST_THRESHOLD, -1.0
    for threshold in _STEPS[(lowest <= _STEPS) & (_STEPS <= HIGHEST_THRESHOLD)]:
        fires = probabilities >= threshold
        right, all_fired = int((fires & holds).sum()), int(fires.sum())
        if right / (all_fired + 1) < TARGET_PRECISION:
            continue
        f1 = 2 * right / (all_fired + int(holds.sum()))
        if f1 > best_f1:
            best, best_f1 = float(threshold), f1
    return best


def f1_by_step(probabilities: Vector, holds: NDArray[np.bool_]) -> Vector:
    """F1 at each of `threshold_steps`, each averaged with its neighbours: a handful of turns makes it jump."""
    fires = probabilities[:, None] >= _STEPS
    right = (fires & holds[:, None]).sum(axis=0)
    f1 = 2 * right / np.maximum(1, fires.sum(axis=0) + holds.sum())
    reach = len(_NEIGHBOURS) // 2
    return np.convolve(np.pad(f1, reach, mode="edge"), _NEIGHBOURS, "valid")


def threshold_steps() -> Vector:
    """Every threshold that is tried: 0.02 to 0.98."""
    return _STEPS.copy()


def expected_calibration_error(probabilities: Vector, holds: NDArray[np.bool_], bins: int = 10) -> float:
    """Mean distance between what was said and what came true, over equal-width bins weighted by size; flat arrays.

    Guo et al. 2017, equation 3.
    """
    bin_of = np.minimum((probabilities * bins).astype(int), bins - 1)
    error = 0.0
    for index in range(bins):
        inside = bin_of == index
        if inside.any():
            error += inside.mean() * abs(probabilities[inside].mean() - holds[inside].mean())
    return float(error)


def sigmoid(logits: Matrix) -> Matrix:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0))))


def softmax_beside_none(logits: Matrix) -> Matrix:
    """Of (n, classes), where the row may be of none of them, which has the logit 0; rows sum to 1 less its share."""
    return softmax(np.concatenate([logits, np.zeros((len(logits), 1))], axis=1))[:, :-1]


def softmax(logits: Matrix) -> Matrix:
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True))
