"""One run: customers come one after another, the core decides, learns and is watched by somebody who knows the truth.

Everything that is decided or learned goes through `advance` and `learn`, the very functions that the workers call.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from deploy.sim.world import Customer, World
from guidance.decision.advance import advance
from guidance.decision.learned import Learned, learn
from guidance.decision.propensity import Propensities
from guidance.decision.rules import Rules
from schemas.guidance import Decision
from schemas.learning import Lesson, Posterior
from schemas.outcomes import BusinessOutcome

Vector = NDArray[np.float64]

BATCH = 200
"""Decisions until what they taught is in force."""
_PARTITION = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One decision, and what is true about it."""

    decision: Decision
    acceptance: Vector
    """(offers,) how likely each would have been accepted."""
    chosen: int
    by_fixed_rule: int
    """What the catalogue's priors would have chosen."""
    lesson: Lesson


@dataclass(slots=True)
class Learner:
    """What the learner process does, without Kafka: lessons in, posteriors of every version out."""

    learned: dict[str, Learned] = field(default_factory=dict)
    posteriors: dict[str, Posterior] = field(default_factory=dict)
    """The newest of each action."""

    def teach(self, lessons: list[Lesson]) -> None:
        """Fold them in, and publish what has changed enough."""
        for lesson in lessons:
            after = learn(self.learned.get(lesson.action_id), lesson, lesson.settled_at)
            if (news := after.news()) is not None:
                after, self.posteriors[lesson.action_id] = news
            self.learned[lesson.action_id] = after

    def rules(self, world: World) -> Rules:
        """What is in force from now on."""
        return Rules(world.catalog, propensities=Propensities.of(self.posteriors.values()))


def play(
    world: World, decisions: int, *, batch: int = BATCH, learner: Learner | None = None, first: int = 0
) -> Iterator[Step]:
    """As many decisions, each on a customer of its own, from the `first`-th on.

    Args:
        batch: what is learned is in force for the next `batch` decisions.
        learner: goes on learning from where it stands; None: a new one.
    """
    learner = learner or Learner()
    chance = np.random.default_rng([first, decisions])
    for begin in range(first, first + decisions, batch):
        rules = learner.rules(world)
        taught: list[Lesson] = []
        for number in range(begin, min(begin + batch, first + decisions)):
            step = _step(world, world.customer(number), rules, float(chance.random()))
            taught.append(step.lesson)
            yield step
        learner.teach(taught)


def _step(world: World, customer: Customer, rules: Rules, luck: float) -> Step:
    at = customer.at
    state = advance(customer.state, customer.started, rules, partition=_PARTITION, now=at).state
    decided = advance(state, customer.says, rules, partition=_PARTITION, now=at + timedelta(seconds=2))
    decision = decided.decision
    assert decision is not None
    assert decision.winner is not None
    by_offer = {each.action_id: each.features for each in decision.candidates}
    features = np.array([by_offer[name] for name in world.offers])
    acceptance = world.acceptance(features)
    chosen = world.offers.index(decision.winner)
    outcome = BusinessOutcome(
        outcome_id=f"{decision.decision_id}-out",
        decision_id=decision.decision_id,
        conversation_id=decision.conversation_id,
        route_key=decision.route_key,
        action_id=decision.winner,
        result="accepted" if luck < acceptance[chosen] else "declined",
        at=at + timedelta(seconds=10),
    )
    lessons = advance(decided.state, outcome, rules, partition=_PARTITION, now=outcome.at).lessons
    (lesson,) = lessons
    return Step(decision, acceptance, chosen, world.by_fixed_rule(features), lesson)
