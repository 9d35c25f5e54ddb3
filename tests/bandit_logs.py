"""Logs of a bandit whose truth is known: contexts, a logging policy that is fixed, and what came of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guidance.lift.choices import Choices

ACTIONS = ("a", "b", "c", "d")
WEIGHTS = np.array([[-1.0, 1.0], [0.0, -1.0], [-2.0, 0.5], [0.5, 0.2]])
"""(actions, features): the truth, logistic."""
_LEANS = np.array([[0.5, -0.5], [0.0, 0.5], [1.0, 0.0], [-0.5, 0.5]])
"""The logging policy: a softmax of these, which is not what would be best."""


@dataclass(frozen=True)
class Logged:
    choices: Choices
    truth: NDArray[np.float64]
    """(m,) the probability of a reward, by candidate."""


def log_of(decisions: int, seed: int, *, per_customer: int = 1) -> Logged:
    """`decisions` among all of ACTIONS; `per_customer` of them share a context and a customer."""
    chance = np.random.default_rng(seed)
    size = len(ACTIONS)
    context = np.repeat(chance.normal(size=-(-decisions // per_customer)), per_customer)[:decisions]
    features = np.stack([np.ones(decisions), context], axis=1)
    truth = 1.0 / (1.0 + np.exp(-(features @ WEIGHTS.T)))
    leans = np.exp(features @ _LEANS.T)
    probability = leans / leans.sum(axis=1, keepdims=True)
    drawn = (probability.cumsum(axis=1) < chance.random((decisions, 1))).sum(axis=1).clip(max=size - 1)
    reward = (chance.random(decisions) < truth[np.arange(decisions), drawn]).astype(np.float64)
    choices = Choices(
        actions=ACTIONS,
        decision=np.repeat(np.arange(decisions), size),
        action=np.tile(np.arange(size), decisions),
        features=np.repeat(features, size, axis=0),
        worth=np.ones(decisions * size),
        probability=probability.ravel(),
        chosen=np.arange(decisions) * size + drawn,
        reward=reward,
        customer=np.arange(decisions) // per_customer,
        control=np.zeros(decisions, dtype=bool),
    )
    return Logged(choices, truth.ravel())


def true_value(policy: str) -> float:
    """Of a policy over all contexts, which are standard normal: by a fine grid."""
    context = np.linspace(-8.0, 8.0, 4001)
    density = np.exp(-0.5 * context**2)
    truth = 1.0 / (1.0 + np.exp(-(np.stack([np.ones_like(context), context], axis=1) @ WEIGHTS.T)))
    of = truth.mean(axis=1) if policy == "random" else truth[:, 1]
    return float((of * density).sum() / density.sum())


def always_b(choices: Choices) -> NDArray[np.float64]:
    return (choices.action == 1).astype(np.float64)
