"""Target policies: with which probability each would choose each candidate."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from guidance.lift.choices import Choices
from guidance.lift.estimate import Vector

Belief = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Mean (k,) and covariance (k, k) of an action's weights."""


class UnknownAction(LookupError):
    """Nothing is believed of an action that was a candidate. The message names them all."""


def as_logged(choices: Choices) -> Vector:
    """What was done: the estimates must come out at the plain mean."""
    return choices.probability


def at_random(choices: Choices) -> Vector:
    """Each candidate as likely as the others: what the control group gets."""
    sizes = np.bincount(choices.decision, minlength=len(choices))
    share: Vector = 1.0 / sizes[choices.decision]
    return share


def greedy(choices: Choices, beliefs: Mapping[str, Belief]) -> Vector:
    """Always the candidate that is worth most by what is believed, with nothing drawn: ties go to the first by id.

    Acceptance is expected as σ(μ / √(1 + πs²/8)) of normal log-odds (MacKay, Neural Computation 4, 1992).

    Raises:
        UnknownAction: `beliefs` has none for some candidate.
    """
    if missing := sorted(set(choices.actions) - beliefs.keys()):
        raise UnknownAction(f"nothing is known of {', '.join(missing)}")
    priority = np.empty(len(choices.action))
    for number, action in enumerate(choices.actions):
        mean, covariance = beliefs[action]
        rows = choices.action == number
        features = choices.features[rows]
        variance = np.einsum("nk,kj,nj->n", features, covariance, features)
        expected = 1.0 / (1.0 + np.exp(-(features @ mean) / np.sqrt(1.0 + np.pi * variance / 8.0)))
        priority[rows] = expected * choices.worth[rows]
    by_name = np.argsort(np.argsort(np.array(choices.actions)))[choices.action]
    order = np.lexsort((by_name, -priority, choices.decision))
    first = np.concatenate(([True], np.diff(choices.decision[order]) > 0))
    target = np.zeros(len(choices.action))
    target[order[first]] = 1.0
    return target
