"""What another policy would have brought, estimated from what this one did (off-policy evaluation).

With w = π(a|x) / p(a|x), the target policy's probability of what was chosen over the logged one:

    IPS     mean of w·r                                        Horvitz & Thompson, JASA 47, 1952
    SNIPS   Σ w·r / Σ w                                        Swaminathan & Joachims, NIPS 2015
    DR      mean of Σₐ π(a|x)·q(x,a) + w·(r − q(x,a))          Dudík, Langford & Li, ICML 2011

r is what came of it and q a guess of that (`reward_model`). Weights are clipped at √n (Ionides, JCGS 17, 2008): the
error that this brings in vanishes as n grows, and `Reach.unseen` bounds it. Intervals are normal, with the variance of
the estimate's influence function, customers taken as independent.
"""

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from guidance.lift.choices import Choices
from guidance.lift.estimate import Estimate, Vector, by_influence


@dataclass(frozen=True, slots=True)
class Reach:
    """How well the log tells of a target policy."""

    decisions: int
    effective: float
    """The effective sample size, (Σ w)² / Σ w²: how many decisions of the target policy's own would tell as much (Kong,
    1992)."""
    largest: float
    """The largest weight, before clipping."""
    clipped: float
    """The share of decisions whose weight is clipped."""
    unseen: float
    """The mean over decisions of Σₐ max(0, π − most·p): how much of what the target policy chooses was so unlikely in
    the log that the log tells nothing of it. At most this share of the reward's range is IPS off by clipping."""


@dataclass(frozen=True, slots=True)
class OffPolicy:
    """The value of one target policy, three ways. Doubly robust is the one to go by."""

    ips: Estimate
    snips: Estimate
    doubly_robust: Estimate
    reach: Reach
    control_alone: bool = False
    """It rests on the control group's decisions alone."""


UNSEEN = 0.05
"""Where more than this share of what a policy would choose is out of the log's sight, the control group alone is asked,
in which chance gave everything its turn: wider intervals, but right ones."""


def most_weight(choices: Choices) -> float:
    """Where weights are clipped if nobody says otherwise: √n, but never so low that an even chance among a decision's
    candidates, which is what the control group has, is clipped."""
    return max(sqrt(len(choices)), float(np.bincount(choices.decision).max()))


def unseen(choices: Choices, target: Vector, most: float) -> float:
    """The mean over decisions of Σₐ max(0, π − most·p): see `Reach.unseen`."""
    return float(choices.total(np.maximum(0.0, target - most * choices.probability)).mean())


def evaluate(choices: Choices, target: Vector, guess: Vector, most: float | None = None) -> OffPolicy:
    """The value of a target policy.

    Args:
        target: (m,) the probability with which it would choose each candidate; adds up to 1 in a decision.
        guess: (m,) what is expected of each candidate.
        most: weights above are clipped to it; None: `most_weight`.
    """
    most = most_weight(choices) if most is None else most
    whole = target[choices.chosen] / choices.probability[choices.chosen]
    weights = np.minimum(whole, most)
    return OffPolicy(
        ips=ips(choices, weights),
        snips=snips(choices, weights),
        doubly_robust=doubly_robust(choices, weights, target, guess),
        reach=Reach(
            decisions=len(choices),
            effective=effective_size(weights),
            largest=float(whole.max()),
            clipped=float((whole > most).mean()),
            unseen=unseen(choices, target, most),
        ),
    )


def evaluate_in_sight(choices: Choices, target: Vector, guess: Vector, most: float | None = None) -> OffPolicy | None:
    """As `evaluate`, from all decisions if they see what the target policy would choose, else from the control group's
    (`UNSEEN`). None: they do not see it, and nobody was in the control group."""
    if unseen(choices, target, most_weight(choices) if most is None else most) <= UNSEEN:
        return evaluate(choices, target, guess, most)
    if not choices.control.any():
        return None
    rows = choices.control[choices.decision]
    found = evaluate(choices.where(choices.control), target[rows], guess[rows], most)
    return replace(found, control_alone=True)


def ips(choices: Choices, weights: Vector) -> Estimate:
    """Inverse propensity scoring; `weights` (n,)."""
    each = weights * choices.reward
    value = float(each.mean())
    return by_influence(value, each - value, choices.customer)


def snips(choices: Choices, weights: Vector) -> Estimate:
    """Self-normalised: not unbiased, but never outside what was seen. Its error is infinite where all weights are 0."""
    total = float(weights.sum())
    if total == 0.0:
        return Estimate(0.0, float("inf"), 0)
    value = float(weights @ choices.reward) / total
    return by_influence(value, weights * (choices.reward - value) / weights.mean(), choices.customer)


def doubly_robust(choices: Choices, weights: Vector, target: Vector, guess: Vector) -> Estimate:
    """Unbiased if either the probabilities or the guesses are right; the better the guesses, the narrower."""
    each = choices.total(target * guess) + weights * (choices.reward - guess[choices.chosen])
    value = float(each.mean())
    return by_influence(value, each - value, choices.customer)


def effective_size(weights: Vector) -> float:
    """(Σ w)² / Σ w², between 0 and n."""
    squares = float(weights @ weights)
    return float(weights.sum()) ** 2 / squares if squares > 0.0 else 0.0
