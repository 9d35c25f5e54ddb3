"""How well the engine learns, and how well lift's estimates hold, in worlds whose truth is known: minutes.

`livecue simulate` shows the first for other numbers; `deploy/pictures/learning.svg` is its picture.
"""

import numpy as np
import pytest

from deploy.lift_report import beliefs_of, target_of
from deploy.sim.trial import Trial, run
from deploy.sim.world import World
from guidance.decision.features import FEATURES_REVISION
from guidance.lift.choices import Choices, choices_of
from guidance.lift.off_policy import OffPolicy, evaluate_in_sight
from guidance.lift.reward_model import guesses
from made_up_runs import Population, play

pytestmark = pytest.mark.bench
_CUSTOMERS, _DECISIONS, _WORLDS, _RUNS = 1_000, 800, 20, 10


@pytest.mark.timeout(3600)
def test_after_20_000_decisions_it_chooses_nearly_as_well_as_who_knows_the_truth() -> None:
    trials: list[Trial] = []
    for seed in range(1, 6):
        trial = run(seed, 20_000)
        trials.append(trial)
        regret = trial.regret(trial.learned)
        quarter = len(regret) // 4
        quarters = [regret[quarter], *np.diff(regret[quarter::quarter])]
        print(
            f"\nworld {seed}: share of oracle acceptance {trial.share(trial.learned):.3f}"
            f" (fixed rule {trial.share(trial.fixed):.3f}, random {trial.share(trial.random):.3f});"
            f" regret by quarter {', '.join(f'{each:.0f}' for each in quarters)}"
        )
    for trial in trials:
        assert trial.share(trial.learned) >= 0.90
        regret = trial.regret(trial.learned)
        assert regret[-1] - regret[-len(regret) // 4] < 0.25 * regret[len(regret) // 4]


@pytest.mark.timeout(3600)
def test_off_policy_intervals_cover_the_truth_in_nine_runs_of_ten() -> None:
    """Runs that learn from nothing, each in a world with nine others. The learned policy is another run's, so that it
    knows nothing of the outcomes that it is judged by."""
    found: dict[str, list[tuple[float, OffPolicy]]] = {"random": [], "fixed": [], "learned": []}
    for seed in range(1, _WORLDS + 1):
        population = Population.of(World(seed), _CUSTOMERS)
        priors = {action.id: action.prior for action in population.world.catalog.actions}
        beliefs = beliefs_of(priors, list(play(population, 10_000, _DECISIONS).learner.posteriors.values()))
        whole = population.choices()
        for number in range(_RUNS):
            played = play(population, number, _DECISIONS)
            choices = choices_of(played.lessons, played.decisions, "acceptance", FEATURES_REVISION)
            assert choices is not None
            guess = guesses(choices)
            for policy, estimates in found.items():
                estimate = evaluate_in_sight(choices, target_of(policy, choices, beliefs), guess)
                assert estimate is not None
                estimates.append((true_value(policy, whole, population, beliefs), estimate))
    for policy, estimates in found.items():
        covered = np.mean([each.doubly_robust.covers(truth) for truth, each in estimates])
        width = np.mean([each.doubly_robust.high - each.doubly_robust.low for _, each in estimates])
        print(f"\n{policy}: {len(estimates)} runs, {covered:.1%} covered, intervals {width:.3f} wide on average")
        assert covered >= 0.90


def true_value(policy: str, whole: Choices, population: Population, beliefs) -> float:
    """The policy's acceptance over all customers of the population."""
    return float(whole.total(target_of(policy, whole, beliefs) * population.acceptance.ravel()).mean())
