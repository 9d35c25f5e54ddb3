"""The estimators, against sums done by hand and against worlds whose truth is known."""

from math import inf, sqrt

import numpy as np
import pytest

from bandit_logs import ACTIONS, WEIGHTS, always_b, log_of, true_value
from guidance.lift.choices import Choices
from guidance.lift.estimate import by_influence, ratio
from guidance.lift.off_policy import (
    doubly_robust,
    effective_size,
    evaluate,
    ips,
    most_weight,
    snips,
)
from guidance.lift.policies import UnknownAction, as_logged, at_random, greedy
from guidance.lift.reward_model import fit, guesses


def two(reward: tuple[float, float] = (1.0, 0.0)) -> Choices:
    """Two decisions between x and y: x was chosen at 0.5 and brought 1, y at 0.2 and brought nothing."""
    return Choices(
        actions=("x", "y"),
        decision=np.array([0, 0, 1, 1]),
        action=np.array([0, 1, 0, 1]),
        features=np.array([[1.0], [1.0], [1.0], [1.0]]),
        worth=np.array([1.0, 1.0, 2.0, 1.0]),
        probability=np.array([0.5, 0.5, 0.8, 0.2]),
        chosen=np.array([0, 3]),
        reward=np.array(reward),
        customer=np.array([0, 1]),
        control=np.array([False, True]),
    )


def test_ips_snips_and_doubly_robust_by_hand() -> None:
    target, guess = np.array([0.5, 0.5, 0.5, 0.5]), np.array([0.6, 0.2, 0.4, 0.3])
    found = evaluate(two(), target, guess, most=10.0)
    weights = (1.0, 2.5)
    direct = ((0.6 + 0.2) / 2, (0.4 + 0.3) / 2)
    scores = (direct[0] + weights[0] * (1 - 0.6), direct[1] + weights[1] * (0 - 0.3))

    assert found.ips.value == pytest.approx((1.0 * 1 + 2.5 * 0) / 2)
    assert found.snips.value == pytest.approx(1.0 / 3.5)
    assert found.doubly_robust.value == pytest.approx(sum(scores) / 2)
    assert found.reach.effective == pytest.approx(3.5**2 / (1 + 2.5**2))
    assert (found.reach.largest, found.reach.clipped, found.reach.unseen) == (2.5, 0.0, 0.0)


def test_the_error_is_that_of_the_influence_function() -> None:
    found = ips(two(), np.array([1.0, 2.5]))  # scores 1 and 0: variance 1/2 with n - 1, over 2
    assert found.error == pytest.approx(sqrt(0.5 / 2))
    assert (found.low, found.high) == pytest.approx((0.5 - 1.959964 * 0.5, 0.5 + 1.959964 * 0.5))


def test_weights_are_clipped_and_what_that_hides_is_told() -> None:
    found = evaluate(two(), np.array([0.0, 1.0, 0.0, 1.0]), np.zeros(4), most=2.0)
    assert (found.reach.largest, found.reach.clipped) == (5.0, 0.5)
    # the second decision's y is wanted at 1 and weighed at 2 × 0.2: 0.6 of it is out of sight; the first's is all seen
    assert found.reach.unseen == pytest.approx(0.3)


def test_clipping_is_off_by_no_more_than_what_is_unseen() -> None:
    """The expectation of clipped IPS, summed over what could have been drawn."""
    logged = log_of(500, 3)
    choices, target, most = logged.choices, always_b(logged.choices), 4.0
    weights = np.minimum(target / choices.probability, most)
    expected = choices.total(choices.probability * weights * logged.truth).mean()
    truth = choices.total(target * logged.truth).mean()
    hidden = evaluate(choices, target, np.zeros(len(target)), most).reach.unseen
    assert 0.0 < truth - expected <= hidden


def test_weights_are_clipped_at_the_root_of_n_but_never_below_an_even_chance() -> None:
    assert [2.0, 10.0] == [most_weight(two()), most_weight(log_of(100, 1).choices)]


@pytest.mark.parametrize(
    ("weights", "expected"), [((1, 1, 1), 3.0), ((3, 0, 0), 1.0), ((2, 1, 0), 1.8), ((0, 0, 0), 0.0)]
)
def test_effective_sample_size(weights, expected) -> None:
    assert effective_size(np.array(weights, dtype=float)) == pytest.approx(expected)


def test_nothing_that_the_target_would_choose_was_chosen() -> None:
    found = evaluate(two(), np.array([0.0, 1.0, 1.0, 0.0]), np.zeros(4))
    assert (found.ips.value, found.snips.error, found.reach.effective) == (0.0, inf, 0.0)


def test_evaluated_on_itself_a_policy_gets_its_plain_mean() -> None:
    choices = log_of(300, 5).choices
    found = evaluate(choices, as_logged(choices), np.zeros(len(choices.action)))
    plain = choices.reward.mean()
    assert [plain] * 3 == pytest.approx([found.ips.value, found.snips.value, found.doubly_robust.value])
    assert found.reach.effective == pytest.approx(300)
    assert found.ips.error == pytest.approx(choices.reward.std(ddof=1) / sqrt(300))


def test_decisions_on_one_customer_count_as_one() -> None:
    influence = np.array([1.0, 1.0, -1.0, -1.0])
    apart = by_influence(0.0, influence, np.array([0, 1, 2, 3]))
    together = by_influence(0.0, influence, np.array([0, 0, 3, 3]))  # numbers may have gaps
    assert (apart.customers, together.customers) == (4, 2)
    assert (apart.error, together.error) == pytest.approx((sqrt(4 * 4 / 3) / 4, sqrt(8 * 2) / 4))
    assert inf == by_influence(0.0, influence, np.zeros(4, dtype=int)).error


def test_a_ratio_by_the_delta_method() -> None:
    found = ratio(np.array([1.0, 3.0]), np.array([2.0, 4.0]), np.array([0, 1]))
    assert found.value == pytest.approx(4 / 6)
    influence = ((1 - 4 / 6 * 2) / 3, (3 - 4 / 6 * 4) / 3)
    assert found.error == pytest.approx(sqrt((influence[0] ** 2 + influence[1] ** 2) * 2) / 2)


@pytest.mark.parametrize("policy", ["random", "b"])
def test_ips_and_doubly_robust_are_unbiased_and_snips_nearly_so(policy) -> None:
    """Over 400 logs, with weights unclipped, and for doubly robust with guesses that are plainly wrong."""
    truth, runs = true_value(policy), 400
    values = np.empty((runs, 3))
    for run in range(runs):
        choices = log_of(150, run).choices
        target = at_random(choices) if policy == "random" else always_b(choices)
        wrong = np.full(len(choices.action), 0.9)
        found = evaluate(choices, target, wrong, most=1e9)
        values[run] = found.ips.value, found.doubly_robust.value, found.snips.value
    off = values.mean(axis=0) - truth
    noise = values.std(axis=0) / sqrt(runs)
    assert (np.abs(off[:2]) < 4 * noise[:2]).all(), (off, noise)
    assert abs(off[2]) < 0.01


def test_wrong_probabilities_are_mended_by_right_guesses() -> None:
    """Doubly robust: a log that claims even chances, which it did not have, is read rightly where the guesses are."""
    logged = log_of(40_000, 9)
    choices = logged.choices
    lied = np.where(always_b(choices)[choices.chosen] > 0, 4.0, 0.0)  # 1 / 0.25
    right = doubly_robust(choices, lied, always_b(choices), logged.truth)
    assert abs(right.value - true_value("b")) < 3 * right.error
    assert abs(ips(choices, lied).value - true_value("b")) > 5 * ips(choices, lied).error


@pytest.mark.parametrize("per_customer", [1, 5])
def test_intervals_cover_the_truth_as_often_as_they_say(per_customer) -> None:
    truth, runs = true_value("b"), 200
    covered = np.zeros(3)
    width = np.zeros(3)
    for run in range(runs):
        choices = log_of(300, 10_000 + run, per_customer=per_customer).choices
        found = evaluate(choices, always_b(choices), guesses(choices))
        each = (found.ips, found.snips, found.doubly_robust)
        covered += [estimate.covers(truth) for estimate in each]
        width += [estimate.high - estimate.low for estimate in each]
    assert (covered / runs >= 0.90).all(), covered / runs
    assert (covered / runs <= 0.99).all(), covered / runs
    assert width[2] < width[0], "guesses make it narrower"


def test_guesses_never_know_the_outcome_that_they_are_compared_with() -> None:
    choices = log_of(200, 4).choices
    other = choices.reward.copy()
    other[17] = 1.0 - other[17]
    before, after = guesses(choices), guesses(log_with(choices, other))
    mine = choices.decision == 17
    assert np.array_equal(before[mine], after[mine])
    assert not np.array_equal(before, after)


def log_with(choices: Choices, reward: np.ndarray) -> Choices:
    fields = {name: getattr(choices, name) for name in Choices.__slots__}
    return Choices(**{**fields, "reward": reward})


def test_value_is_guessed_as_acceptance_times_what_was_brought() -> None:
    choices = log_of(3_000, 6).choices
    worth = log_with(choices, choices.reward * 40.0)
    assert guesses(worth) == pytest.approx(40.0 * guesses(choices))


def test_the_regression_finds_the_truth_and_without_data_its_centre() -> None:
    chance = np.random.default_rng(1)
    features = np.stack([np.ones(40_000), chance.normal(size=40_000)], axis=1)
    accepted = (chance.random(40_000) < 1 / (1 + np.exp(-features @ WEIGHTS[0]))).astype(float)
    assert fit(features, accepted, np.zeros(2)) == pytest.approx(WEIGHTS[0], abs=0.05)
    assert fit(np.empty((0, 2)), np.empty(0), np.array([-2.0, 0.5])) == pytest.approx([-2.0, 0.5])


def test_greedy_takes_what_is_worth_most_by_what_is_believed() -> None:
    sure, unsure = np.array([[1e-9]]), np.array([[25.0]])
    believed = {"x": (np.array([-1.0]), sure), "y": (np.array([-0.5]), sure)}
    assert greedy(two(), believed).tolist() == [0, 1, 1, 0], "x is worth double in the second"
    # as likely by the mean, but so unsure of it that half is to be expected
    assert greedy(two(), {"x": (np.array([-0.6]), unsure), "y": (np.array([-0.5]), sure)}).tolist() == [1, 0, 1, 0]
    same = (np.array([0.0]), sure)
    assert greedy(two(), {"x": same, "y": same}).tolist() == [1, 0, 1, 0], "ties go to the first by id"
    with pytest.raises(UnknownAction, match="nothing is known of y"):
        greedy(two(), {"x": same})


def test_at_random_and_parts_of_a_log() -> None:
    assert at_random(two()).tolist() == [0.5] * 4
    part = two().where(np.array([False, True]))
    assert (len(part), part.decision.tolist(), part.chosen.tolist(), part.worth.tolist()) == (1, [0, 0], [1], [2, 1])
    assert snips(part, np.ones(1)).value == 0.0
    assert part.actions == ("x", "y") != ACTIONS
