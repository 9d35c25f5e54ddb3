"""Step 5: which of them is worth most just now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from guidance.decision.action import Action
from guidance.decision.business_intent import worth
from guidance.decision.facts import Facts
from guidance.decision.propensity import Belief
from guidance.decision.treatment import Wording
from guidance.decision.trigger import Call


@dataclass(frozen=True, slots=True)
class Levers:
    """What supervisors have set for now. By action id and by kind it multiplies the catalogue's own lever, by metric
    the parts of an action's value."""

    version: str
    by_action: Mapping[str, float] = field(default_factory=dict)
    by_kind: Mapping[str, float] = field(default_factory=dict)
    by_metric: Mapping[str, float] = field(default_factory=dict)
    """How much each business metric counts; one that is not named counts once."""


@dataclass(frozen=True, slots=True)
class Bid:
    """An action that may be said now, with what it would be worth."""

    action: Action
    call: Call
    wording: Wording
    belief: Belief
    propensity: float
    """As drawn from `belief`."""
    context_weight: float
    value: float
    lever: float

    @property
    def worth(self) -> float:
        """C × V × L."""
        return self.context_weight * self.value * self.lever

    @property
    def priority(self) -> float:
        """P × C × V × L."""
        return self.propensity * self.context_weight * self.value * self.lever


def context_weight(action: Action, facts: Facts) -> float:
    """C: all the action's weights whose condition holds, multiplied. One whose facts are missing is left out."""
    weight = 1.0
    for each in action.context:
        if facts.holds(each.when):
            weight *= each.times
    return weight


def value(action: Action, levers: Levers | None = None) -> float:
    """V: what it is worth less what it costs, as the metrics count just now; may be negative."""
    return worth(action.value_by_metric, action.cost, {} if levers is None else levers.by_metric)


def lever(action: Action, levers: Levers | None = None) -> float:
    """L: the catalogue's lever, times what supervisors have set."""
    if levers is None:
        return action.lever
    return action.lever * levers.by_action.get(action.id, 1.0) * levers.by_kind.get(action.kind, 1.0)


def arbitrate(bids: Iterable[Bid]) -> tuple[Bid, ...]:
    """The bids by priority, highest first; ties by id."""
    return tuple(sorted(bids, key=lambda bid: (-bid.priority, bid.action.id)))
