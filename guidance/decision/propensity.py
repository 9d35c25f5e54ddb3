"""Step 4: how likely it is that it is accepted: what is believed, and the draw that explores (Thompson sampling).

What was learned of an action is a normal distribution over the weights of a logistic model. Thompson sampling draws
weights from it and acts as if they were true: what might be good is tried in proportion to how well it might be the
best. Only the score w·x matters, and that is normal, too: one draw from N(x·m, xᵀΣx) does.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from math import sqrt
from statistics import NormalDist

from guidance.decision.action import Action
from guidance.decision.features import (
    FEATURES,
    FEATURES_REVISION,
    LEAST,
    MOST,
    Context,
    features_of,
    prior_covariance,
    prior_mean,
)
from guidance.decision.posterior import Matrix, Vector, sigmoid
from guidance.decision.trigger import Call
from schemas.learning import Posterior

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of an action's acceptance in one context: its log-odds are normal."""

    features: Vector
    mean: float
    deviation: float
    """0: nothing is drawn, the mean holds."""
    posterior: str | None
    """action_id@version of what it was learned from; None: from the catalogue's prior."""


@dataclass(frozen=True, slots=True)
class _Weights:
    mean: Vector
    covariance: Matrix
    name: str | None

    def of(self, features: Vector) -> Belief:
        present = [(place, value) for place, value in enumerate(features) if value]
        score = sum(self.mean[place] * value for place, value in present)
        variance = 0.0
        for place, value in present:
            row = self.covariance[place]
            variance += value * sum(row[other] * each for other, each in present)
        return Belief(features, score, sqrt(max(0.0, variance)), self.name)


@dataclass(frozen=True, slots=True)
class Propensities:
    """What has been learned, by action. Make one with `of`."""

    version: str
    """A digest of which posteriors these are."""
    _learned: dict[str, _Weights] = field(repr=False)

    @classmethod
    def of(cls, posteriors: Iterable[Posterior]) -> "Propensities":
        """The newest posterior of each action, in whatever order they come.

        Those of other features are passed over: their action counts as new. A new action is drawn from its prior; so
        with no posteriors at all everything is explored.
        """
        newest: dict[str, Posterior] = {}
        for each in posteriors:
            if each.features_revision != FEATURES_REVISION or len(each.mean) != len(FEATURES):
                continue
            if each.action_id not in newest or newest[each.action_id].version < each.version:
                newest[each.action_id] = each
        names = {action_id: f"{action_id}@{newest[action_id].version}" for action_id in sorted(newest)}
        text = "\n".join((FEATURES_REVISION, *names.values()))
        return cls(
            version=f"p-{blake2b(text.encode(), digest_size=5).hexdigest()}",
            _learned={
                action_id: _Weights(newest[action_id].mean, newest[action_id].covariance, name)
                for action_id, name in names.items()
            },
        )

    def weights(self, action: Action) -> _Weights:
        """What is believed of `action`: what was learned, else its prior."""
        learned = self._learned.get(action.id)
        return learned or _Weights(prior_mean(action.prior), prior_covariance(), None)


def believe(action: Action, call: Call, issued: int, context: Context, propensities: Propensities | None) -> Belief:
    """What is believed of `action`, called for by `call`, and prompted `issued` times in this conversation before.

    Without `propensities` the prior's mean holds, and nothing is drawn: there is nobody to learn from exploring.
    """
    features = features_of(action.prior, action.id, call, issued, context)
    if propensities is None:
        mean = sum(map(float.__mul__, prior_mean(action.prior), features))
        return Belief(features, mean, 0.0, None)
    return propensities.weights(action).of(features)


def propensity(action_id: str, belief: Belief, seed: int) -> float:
    """P, in (0, 1): the probability that the need is there and that it is accepted, as drawn for this decision."""
    drawn = belief.mean
    if belief.deviation > 0.0:
        drawn += belief.deviation * _NORMAL.inv_cdf(uniform(seed, action_id))
    return min(MOST, max(LEAST, sigmoid(drawn)))


def uniform(seed: int, what: str) -> float:
    """A number in (0, 1) from the decision's seed and what is drawn: the same on every machine."""
    digest = blake2b(f"{seed}|{what}".encode(), digest_size=8).digest()
    return ((int.from_bytes(digest, "big") >> 11) + 0.5) / 2.0**53
