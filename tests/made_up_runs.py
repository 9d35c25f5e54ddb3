"""Many short runs in made-up worlds, fast: beliefs, draws, arbitration, control group, selection probabilities and
learning by the core's own functions, without contracts and folds around them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from deploy.sim.play import Learner
from deploy.sim.world import T0, World
from guidance.decision.arbitration import Bid, arbitrate
from guidance.decision.control import choose, group_of
from guidance.decision.facts import facts_of
from guidance.decision.features import FEATURES_REVISION, context_of, features_of
from guidance.decision.fold import fold
from guidance.decision.propensity import propensity
from guidance.decision.treatment import Wording
from guidance.decision.trigger import called_for
from guidance.lift.choices import Choices, Weighed
from schemas.learning import Lesson

_WORDING = Wording(words="", steps=(), language="en")


@dataclass(frozen=True, slots=True)
class Population:
    """Customers of a world, as many as there are: what is true of a policy is its mean over them."""

    world: World
    features: NDArray[np.float64]
    """(customers, offers, features)"""
    acceptance: NDArray[np.float64]
    """(customers, offers), the truth."""

    @classmethod
    def of(cls, world: World, customers: int) -> "Population":
        features = np.array([_features(world, number) for number in range(customers)])
        return cls(world, features, np.array([world.acceptance(each) for each in features]))

    def choices(self) -> Choices:
        """All customers and all offers, as if each had been decided once: what a policy would choose for them."""
        customers, offers, width = self.features.shape
        return Choices(
            actions=self.world.offers,
            decision=np.repeat(np.arange(customers), offers),
            action=np.tile(np.arange(offers), customers),
            features=self.features.reshape(-1, width),
            worth=np.ones(customers * offers),
            probability=np.full(customers * offers, 1.0 / offers),
            chosen=np.arange(customers) * offers,
            reward=np.zeros(customers),
            customer=np.arange(customers),
            control=np.ones(customers, dtype=bool),
        )


def _features(world: World, number: int) -> list[tuple[float, ...]]:
    customer = world.customer(number)
    state = fold(fold(customer.state, customer.started, customer.at), customer.says, customer.at)
    (conversation,) = state.live.values()
    facts = facts_of(world.catalog.facts, state, conversation, customer.at)
    context = context_of(state, conversation, facts)
    found = []
    for name in world.offers:
        action = world.catalog.by_id[name]
        call = called_for(action, customer.says, conversation, facts)
        assert call is not None
        found.append(features_of(action.prior, name, call, 0, context))
    return found


@dataclass(slots=True)
class Run:
    lessons: list[Lesson]
    decisions: dict[str, Weighed]
    learner: Learner


def play(population: Population, run: int, decisions: int, batch: int = 100) -> Run:
    """`decisions` on customers drawn from the population, learning as it goes; another `run` is another draw."""
    world = population.world
    chance = np.random.default_rng([run, decisions])
    found = Run([], {}, Learner())
    drawn = chance.integers(len(population.features), size=decisions)
    luck = chance.random(decisions)
    for begin in range(0, decisions, batch):
        rules = found.learner.rules(world)
        propensities = rules.propensities
        assert propensities is not None
        taught = []
        for number in range(begin, min(begin + batch, decisions)):
            name, seed = f"run-{run}-{number}", (run << 32) + number
            features = population.features[drawn[number]]
            by_name = {offer: tuple(map(float, each)) for offer, each in zip(world.offers, features, strict=True)}
            ranked = arbitrate(_bid(world, offer, each, propensities, seed) for offer, each in by_name.items())
            group = group_of(name, name, world.catalog.policy.control_share)
            choice = choose(ranked, None, 0.25, group, seed)
            assert choice.winner is not None
            won = choice.winner.action
            accepted = luck[number] < population.acceptance[drawn[number], world.offers.index(won.id)]
            lesson = Lesson(
                decision_id=name, action_id=won.id, features=by_name[won.id], features_revision=FEATURES_REVISION,
                prior=won.prior, selection_probability=choice.probabilities[won.id], reward=float(accepted),
                settled_by="business", group=group, decided_at=T0, settled_at=T0 + timedelta(seconds=number),
            )  # fmt: skip
            taught.append(lesson)
            found.decisions[name] = _weighed(name, ranked, choice.probabilities, won.id)
        found.learner.teach(taught)
        found.lessons += taught
    return found


def _bid(world: World, offer: str, features: tuple[float, ...], propensities, seed: int) -> Bid:
    action = world.catalog.by_id[offer]
    belief = propensities.weights(action).of(features)
    drawn = propensity(offer, belief, seed)
    return Bid(action, None, _WORDING, belief, drawn, 1.0, action.net_value, action.lever)


def _weighed(name: str, ranked: tuple[Bid, ...], chances: Mapping[str, float], won: str) -> Weighed:
    bids = sorted(ranked, key=lambda bid: bid.action.id != won)
    return Weighed(
        customer=name,
        conversation=name,
        actions=tuple(bid.action.id for bid in bids),
        features=np.array([bid.belief.features for bid in bids]),
        worth=np.array([bid.worth for bid in bids]),
        probability=np.array([chances[bid.action.id] for bid in bids]),
        value=bids[0].value,
    )
