"""The learning and the estimates together, small: `tests/bench/test_learning.py` is the same at length."""

import pytest

from deploy.lift_report import beliefs_of, target_of
from deploy.sim.world import World
from guidance.decision.features import FEATURES_REVISION
from guidance.lift.choices import choices_of
from guidance.lift.off_policy import evaluate_in_sight
from guidance.lift.reward_model import guesses
from made_up_runs import Population, Run, play


@pytest.fixture(scope="module")
def learned() -> tuple[Population, Run]:
    population = Population.of(World(1, offers=6), 300)
    return population, play(population, 0, 1_500)


def test_what_is_learned_is_accepted_more_often_than_what_was_guessed(learned: tuple[Population, Run]) -> None:
    population, run = learned
    priors = {action.id: action.prior for action in population.world.catalog.actions}
    beliefs = beliefs_of(priors, list(run.learner.posteriors.values()))
    whole = population.choices()
    truth = population.acceptance.ravel()

    def share(policy: str) -> float:
        chosen = whole.total(target_of(policy, whole, beliefs) * truth)
        return float(chosen.sum() / population.acceptance.max(axis=1).sum())

    assert share("learned") > 0.9
    assert share("learned") > share("fixed") + 0.1
    assert share("fixed") > share("random")


def test_what_other_policies_would_have_brought_is_within_reach(learned: tuple[Population, Run]) -> None:
    """Four standard errors: one run in 15,000 is off by more."""
    population, run = learned
    choices = choices_of(run.lessons, run.decisions, "acceptance", FEATURES_REVISION)
    assert choices is not None
    priors = {action.id: action.prior for action in population.world.catalog.actions}
    beliefs = beliefs_of(priors, ())
    whole = population.choices()
    for policy in ("random", "fixed"):
        found = evaluate_in_sight(choices, target_of(policy, choices, beliefs), guesses(choices))
        assert found is not None
        truth = float(whole.total(target_of(policy, whole, beliefs) * population.acceptance.ravel()).mean())
        assert abs(found.doubly_robust.value - truth) < 4 * found.doubly_robust.error
        assert found.doubly_robust.error < 0.15


def test_where_the_log_cannot_see_the_control_group_is_asked(learned: tuple[Population, Run]) -> None:
    _, run = learned
    late = [each for each in run.lessons if int(each.decision_id.rsplit("-", 1)[1]) >= 1_000]
    choices = choices_of(late, run.decisions, "acceptance", FEATURES_REVISION)
    assert choices is not None
    found = evaluate_in_sight(choices, target_of("random", choices, {}), guesses(choices))
    assert found is not None
    assert found.control_alone
    assert found.reach.decisions == sum(each.group == "control" for each in late)
    assert (
        evaluate_in_sight(
            choices.where(~choices.control),
            target_of("random", choices, {})[(~choices.control)[choices.decision]],
            guesses(choices.where(~choices.control)),
        )
        is None
    )
