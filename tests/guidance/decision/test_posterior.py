"""One lesson, and many: against plain numerical references that know nothing of the shortcut."""

import random
from math import exp, log

import numpy as np
import pytest

from guidance.decision.features import FEATURES, prior_covariance, prior_mean
from guidance.decision.posterior import expected, observe, sigmoid

SIZE = len(FEATURES)


def laplace(mean, covariance, features, reward):
    """The mode of belief × likelihood by Newton's method in all dimensions, and the inverse curvature there."""
    m, x, precision = np.array(mean), np.array(features), np.linalg.inv(np.array(covariance))
    w = m.copy()
    for _ in range(200):
        chance = 1 / (1 + np.exp(-w @ x))
        gradient = precision @ (w - m) - (reward - chance) * x
        hessian = precision + chance * (1 - chance) * np.outer(x, x)
        w = w - 0.5 * np.linalg.solve(hessian, gradient)
    chance = 1 / (1 + np.exp(-w @ x))
    return w, np.linalg.inv(precision + chance * (1 - chance) * np.outer(x, x))


def some_features(rng):
    return (1.0, *(rng.choice([0.0, rng.uniform(-1, 1)]) for _ in range(SIZE - 1)))


@pytest.mark.parametrize("reward", [0.0, 0.3, 1.0])
def test_a_lesson_is_laplaces_approximation(reward):
    rng = random.Random(7)
    mean, covariance = prior_mean(0.2), prior_covariance()
    for _ in range(25):
        features = some_features(rng)
        by_the_book = laplace(mean, covariance, features, reward)
        mean, covariance = observe(mean, covariance, features, reward)
        np.testing.assert_allclose(mean, by_the_book[0], atol=1e-9)
        np.testing.assert_allclose(covariance, by_the_book[1], atol=1e-9)


@pytest.mark.parametrize("reward", [0.0, 1.0])
@pytest.mark.parametrize("spread", [1e-6, 1.0, 1e4])
@pytest.mark.parametrize("start", [-700.0, -5.0, 0.0, 5.0, 700.0])
def test_the_mode_is_found_however_far_and_however_vague(reward, spread, start):
    (mean,), ((variance,),) = observe((start,), ((spread,),), (1.0,), reward)
    assert mean - start == pytest.approx(spread * (reward - sigmoid(mean)), rel=1e-6, abs=1e-9)
    assert 0.0 < variance <= spread


def test_many_lessons_are_near_the_exact_posterior():
    """Two weights, 300 lessons, against a fine grid over both."""
    rng = random.Random(3)
    mean, covariance = (-1.0, 0.0), ((1.0, 0.0), (0.0, 1.0))
    a, b = np.meshgrid(np.linspace(-4, 3, 701), np.linspace(-3, 4, 701), indexing="ij")
    log_density = -0.5 * ((a + 1.0) ** 2 + b**2)
    for _ in range(300):
        x = rng.uniform(-1, 1)
        reward = float(rng.random() < sigmoid(-0.5 + 1.2 * x))
        mean, covariance = observe(mean, covariance, (1.0, x), reward)
        score = a + b * x
        log_density += reward * score - np.logaddexp(0, score)
    density = np.exp(log_density - log_density.max())
    density /= density.sum()
    exact = np.array([(density * a).sum(), (density * b).sum()])
    spread = np.sqrt([(density * (a - exact[0]) ** 2).sum(), (density * (b - exact[1]) ** 2).sum()])
    np.testing.assert_allclose(mean, exact, atol=0.2 * spread.min())
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), spread, rtol=0.05)


def test_what_customers_do_is_learned_and_the_belief_stays_a_belief():
    rng = random.Random(5)
    truth = (-0.4, 1.0, 1.0, *(rng.uniform(-0.6, 0.6) for _ in range(SIZE - 3)))
    mean, covariance = prior_mean(0.2), prior_covariance()
    for _ in range(20_000):
        features = some_features(rng)
        chance = sigmoid(sum(t * x for t, x in zip(truth, features, strict=True)))
        mean, covariance = observe(mean, covariance, features, float(rng.random() < chance))
    off = [abs(m - t) / covariance[i][i] ** 0.5 for i, (m, t) in enumerate(zip(mean, truth, strict=True))]
    assert max(off) < 3.5, off
    assert max(covariance[i][i] for i in range(SIZE)) < 0.01
    assert all(covariance[i][j] == covariance[j][i] for i in range(SIZE) for j in range(SIZE))
    assert np.linalg.eigvalsh(np.array(covariance)).min() > 0.0


def test_the_wrong_number_of_features_is_refused():
    with pytest.raises(ValueError, match="2 features for 13 weights"):
        observe(prior_mean(0.2), prior_covariance(), (1.0, 0.0), 1.0)


@pytest.mark.parametrize("mean", [-3.0, -1.0, 0.0, 2.0])
@pytest.mark.parametrize("variance", [0.01, 0.3, 1.0])
def test_the_expected_probability_is_near_the_integral(mean, variance):
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    exact = float((weights / (1 + np.exp(-(mean + variance**0.5 * nodes)))).sum() / weights.sum())
    assert expected(mean, variance) == pytest.approx(exact, abs=0.006)


def test_sigmoid_is_sure_at_the_ends():
    assert (sigmoid(-1000.0), sigmoid(1000.0), sigmoid(log(3.0))) == (0.0, 1.0, pytest.approx(0.75))
    assert sigmoid(-40.0) == pytest.approx(exp(-40.0))
