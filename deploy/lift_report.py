"""Lift in figures: guided against control, and what other policies would have brought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from deploy.lift_reading import Log
from guidance.decision.features import FEATURES_REVISION, prior_covariance, prior_mean
from guidance.lift.choices import Choices, Measure, choices_of
from guidance.lift.comparison import LEAST_PROMPTS, Comparison, Unit, compare, too_few
from guidance.lift.estimate import Estimate, Vector
from guidance.lift.off_policy import OffPolicy, evaluate_in_sight
from guidance.lift.policies import Belief, UnknownAction, as_logged, at_random, greedy
from guidance.lift.reward_model import guesses
from schemas.learning import Posterior

MEASURES: tuple[Measure, ...] = ("acceptance", "value")
POLICIES = {
    "as it was": "what was decided, of both groups: the plain mean",
    "random": "any of the candidates: what the control group gets",
    "fixed": "always the best by the catalogue's priors: nothing learned",
    "learned": "always the best by what is learned by now; as it was learned from these outcomes, it flatters a little",
}


@dataclass(frozen=True, slots=True)
class Target:
    """What another policy would have brought."""

    policy: str
    measure: Measure
    found: OffPolicy | None
    why_not: str | None
    """Why there is no figure, in a clause."""


@dataclass(frozen=True, slots=True)
class Lift:
    """All figures."""

    since: datetime | None
    lessons: int
    anonymous: int
    """Of the lessons; left out."""
    without_decision: int
    """Lessons whose decision was not found: they count as of a customer of their own, and say nothing of other
    policies."""
    too_few: str | None
    """Why guided against control says nothing yet, in a clause."""
    comparisons: Mapping[tuple[Measure, Unit], Comparison]
    targets: Sequence[Target]

    def as_dict(self) -> dict[str, Any]:
        """For scripts. Shares are in [0, 1], values in the catalogue's currency; null: not known."""
        return {
            "since": None if self.since is None else self.since.isoformat(),
            "lessons": self.lessons,
            "anonymous": self.anonymous,
            "without_decision": self.without_decision,
            "too_few": self.too_few,
            "guided_against_control": [
                {
                    "measure": measure,
                    "per": per,
                    "guided": {"n": found.guided.count, **_estimate(found.guided.estimate)},
                    "control": {"n": found.control.count, **_estimate(found.control.estimate)},
                    "difference": _estimate(found.difference),
                    "relative": None if found.relative is None else _estimate(found.relative),
                }
                for (measure, per), found in self.comparisons.items()
            ],
            "other_policies": [_target(each) for each in self.targets],
        }


def _estimate(of: Estimate) -> dict[str, float | int | None]:
    if not np.isfinite(of.error):
        return {"value": of.value, "low": None, "high": None, "customers": of.customers}
    return {"value": of.value, "low": of.low, "high": of.high, "customers": of.customers}


def _target(of: Target) -> dict[str, Any]:
    told: dict[str, Any] = {"policy": of.policy, "measure": of.measure, "why_not": of.why_not}
    if of.found is None:
        return told
    reach = of.found.reach
    return told | {
        "doubly_robust": _estimate(of.found.doubly_robust),
        "snips": _estimate(of.found.snips),
        "ips": _estimate(of.found.ips),
        "decisions": reach.decisions,
        "effective_sample_size": reach.effective,
        "largest_weight": reach.largest,
        "clipped": reach.clipped,
        "unseen": reach.unseen,
        "control_alone": of.found.control_alone,
    }


def lift(log: Log, priors: Mapping[str, float], most: float | None = None) -> Lift:
    """All that the log tells.

    Args:
        priors: of actions, by the catalogue in force; where it lacks one its lessons know it.
        most: weights are clipped there; None: at the root of the number of decisions.
    """
    lessons = sorted(log.lessons.values(), key=lambda each: (each.decided_at, each.decision_id))
    known = {each.action_id: each.prior for each in lessons} | dict(priors)
    beliefs = beliefs_of(known, log.posteriors)
    comparisons: dict[tuple[Measure, Unit], Comparison] = {}
    targets: list[Target] = []
    units: tuple[Unit, ...] = ("prompt", "conversation")
    for measure in MEASURES:
        for per in units:
            if (found := compare(lessons, log.decisions, measure, per)) is not None:
                comparisons[measure, per] = found
        choices = choices_of(lessons, log.decisions, measure, FEATURES_REVISION)
        targets += _targets(choices, measure, beliefs, most)
    return Lift(
        since=log.since,
        lessons=len(lessons),
        anonymous=sum(each.group is None for each in lessons),
        without_decision=sum(each.decision_id not in log.decisions for each in lessons),
        too_few=too_few(lessons),
        comparisons=comparisons,
        targets=targets,
    )


def _targets(
    choices: Choices | None, measure: Measure, beliefs: Mapping[str, Mapping[str, Belief]], most: float | None
) -> list[Target]:
    if choices is None or len(choices) < LEAST_PROMPTS:
        count = 0 if choices is None else len(choices)
        why = f"{count} decisions with a known outcome can be told from, {LEAST_PROMPTS} are needed"
        return [Target(policy, measure, None, why) for policy in POLICIES]
    guess = guesses(choices)
    return [_target_of(policy, choices, measure, guess, beliefs, most) for policy in POLICIES]


def _target_of(
    policy: str,
    choices: Choices,
    measure: Measure,
    guess: Vector,
    beliefs: Mapping[str, Mapping[str, Belief]],
    most: float | None,
) -> Target:
    try:
        target = target_of(policy, choices, beliefs)
    except UnknownAction as error:
        why = f"{error}: name a catalogue that has it, --catalog FILE"
        return Target(policy, measure, None, why)
    found = evaluate_in_sight(choices, target, guess, most)
    if found is None or found.reach.decisions < LEAST_PROMPTS:
        count = 0 if found is None else found.reach.decisions
        why = (
            "too many decisions had no chance of what it would choose, and the control group, where all has one, "
            f"has {count}: {LEAST_PROMPTS} are needed"
        )
        return Target(policy, measure, None, why)
    return Target(policy, measure, found, None)


def target_of(policy: str, choices: Choices, beliefs: Mapping[str, Mapping[str, Belief]]) -> Vector:
    """(m,) a policy of `POLICIES` as probabilities. Raises UnknownAction."""
    if policy in beliefs:
        return greedy(choices, beliefs[policy])
    return as_logged(choices) if policy == "as it was" else at_random(choices)


def beliefs_of(priors: Mapping[str, float], posteriors: Sequence[Posterior]) -> dict[str, dict[str, Belief]]:
    """What the policies "fixed" and "learned" believe, by action. Where nothing is learned the prior holds."""
    covariance = np.array(prior_covariance())
    fixed = {action: (np.array(prior_mean(prior)), covariance) for action, prior in priors.items()}
    usable = (each for each in posteriors if each.features_revision == FEATURES_REVISION)
    learned = {
        each.action_id: (np.array(each.mean), np.array(each.covariance))
        for each in sorted(usable, key=lambda each: each.version)  # the newest comes last, and stays
    }
    return {"fixed": fixed, "learned": fixed | learned}
