"""How one lesson changes what is believed of an action's weights: Bayesian logistic regression, a lesson at a time.

The belief is a normal distribution N(m, Σ) over the weights w of P(accepted) = σ(w·x). One lesson (x, reward) makes it
another one by Laplace's approximation: the new mean is the mode of belief × likelihood, the new covariance the inverse
curvature there (Spiegelhalter & Lauritzen, Networks 20, 1990; Chapelle & Li, NIPS 2011, do the same in batches with a
diagonal Σ). As a lesson sees w only along x, the mode lies on the line m + g·Σx, and finding it is one equation in one
unknown; the covariance loses one rank. Pure Python on purpose: a matrix library's order of summation differs between
machines, and what is learned is to be the same to the byte on all of them.
"""

from collections.abc import Sequence
from math import exp, isfinite, pi, sqrt

Vector = tuple[float, ...]
Matrix = tuple[Vector, ...]

_CLOSE = 1e-12
_MOST_STEPS = 100


def sigmoid(log_odds: float) -> float:
    """1 / (1 + e^-x), without overflow."""
    if log_odds >= 0.0:
        return 1.0 / (1.0 + exp(-log_odds))
    odds = exp(log_odds)
    return odds / (1.0 + odds)


def observe(mean: Vector, covariance: Matrix, features: Sequence[float], reward: float) -> tuple[Vector, Matrix]:
    """The belief after one lesson.

    Args:
        features: as many numbers as `mean` has.
        reward: in [0, 1].

    Raises:
        ValueError: the sizes differ.
    """
    if len(features) != len(mean):
        raise ValueError(f"{len(features)} features for {len(mean)} weights")
    seen = [sum(map(float.__mul__, row, features)) for row in covariance]  # Σx
    spread = sum(map(float.__mul__, seen, features))  # xᵀΣx
    if not spread > 0.0:
        return mean, covariance
    at_mode = _mode(sum(map(float.__mul__, mean, features)), spread, reward)
    chance = sigmoid(at_mode)
    step, curvature = reward - chance, chance * (1.0 - chance)
    shrink = curvature / (1.0 + curvature * spread)
    return (
        tuple(m + step * s for m, s in zip(mean, seen, strict=True)),
        tuple(
            tuple(value - shrink * (s * t) for value, t in zip(row, seen, strict=True))
            for row, s in zip(covariance, seen, strict=True)
        ),
    )


def _mode(before: float, spread: float, reward: float) -> float:
    """The log-odds a with a = before + spread·(reward − σ(a)). The left side rises, the right one falls: there is one,
    between the two ends below. Newton's steps, halved into the bracket where they leave it."""
    low, high = before + spread * (reward - 1.0), before + spread * reward
    at = min(max(before, low), high)
    for _ in range(_MOST_STEPS):
        chance = sigmoid(at)
        error = at - before - spread * (reward - chance)
        if abs(error) <= _CLOSE * max(1.0, abs(at)):
            break
        low, high = (low, at) if error > 0.0 else (at, high)
        at -= error / (1.0 + spread * chance * (1.0 - chance))
        if not low < at < high:
            at = (low + high) / 2.0
    assert isfinite(at)
    return at


def expected(mean: float, variance: float) -> float:
    """The mean of σ over log-odds that are normal, closely: MacKay's σ(κm), κ = 1/√(1 + πs²/8) (Neural Computation 4,
    1992)."""
    return sigmoid(mean / sqrt(1.0 + pi * variance / 8.0))
