"""What a doubly robust estimate leans on: a guess, for every candidate, of what would have come of it.

A logistic regression per action for acceptance, times the mean value of what was accepted where value is measured.
Cross-fitted: a customer's guesses come from other customers alone, so that no decision's own outcome is in them
(Chernozhukov et al., Econometrics Journal 21, 2018). It need not be right: the estimate corrects it.
"""

import numpy as np
from numpy.typing import NDArray

from guidance.lift.choices import Choices
from guidance.lift.estimate import Mask, Vector

Matrix = NDArray[np.float64]

FOLDS = 4
_DEVIATION = 1.0
"""Of the weights' prior, about the rate of all actions together: the guess for one that was hardly ever chosen."""
_STEPS = 12
_CLOSE = 1e-6
_WIDEST = 30.0
"""Log-odds are kept within this, so that exp does not overflow."""


def guesses(choices: Choices, folds: int = FOLDS) -> Vector:
    """(m,) what is expected of each candidate: acceptance in (0, 1), or value, as the choices' reward is."""
    found = np.zeros(len(choices.action))
    fold = choices.customer % folds
    for each in range(folds):
        held_out = (fold == each)[choices.decision]
        if held_out.any():
            found[held_out] = _fitted(choices, fold != each, held_out)
    return found


def _fitted(choices: Choices, taught: Mask, held_out: Mask) -> Vector:
    rows = choices.chosen[taught]
    reward = choices.reward[taught]
    accepted = (reward > 0.0).astype(np.float64)
    acted = choices.action[rows]
    rate = (accepted.sum() + 0.5) / (len(accepted) + 1.0)
    centre = np.zeros(choices.features.shape[1])
    centre[0] = np.log(rate / (1.0 - rate))
    in_all = float(reward[accepted > 0].mean()) if accepted.any() else 0.0
    found = np.zeros(len(choices.action))
    for action in range(len(choices.actions)):
        mine, asked = acted == action, held_out & (choices.action == action)
        if not asked.any():
            continue
        weights = fit(choices.features[rows[mine]], accepted[mine], centre)
        yes = mine & (accepted > 0)
        brought = float(reward[yes].mean()) if yes.any() else in_all
        found[asked] = _sigmoid(choices.features[asked] @ weights) * brought
    return found[held_out]


def fit(features: Matrix, accepted: Vector, centre: Vector, deviation: float = _DEVIATION) -> Vector:
    """The likeliest weights of a logistic regression, by Newton's method, under a normal prior about `centre`.

    Args:
        features: (n, k), n may be 0.
        accepted: (n,), in [0, 1].
        centre: (k,).
    """
    weights = centre.copy()
    precision = np.eye(len(centre)) / deviation**2
    for _ in range(_STEPS):
        chance = _sigmoid(features @ weights)
        slope = features.T @ (accepted - chance) - precision @ (weights - centre)
        curvature = (features.T * (chance * (1.0 - chance))) @ features + precision
        step = np.linalg.solve(curvature, slope)
        weights = weights + step
        if float(np.abs(step).max()) < _CLOSE:
            break
    return weights


def _sigmoid(log_odds: Vector) -> Vector:
    return 1.0 / (1.0 + np.exp(-np.clip(log_odds, -_WIDEST, _WIDEST)))
