"""When labels may fire on turns that go on, on beginnings of which it is plain what becomes of them."""

import numpy as np
import pytest

from models.training.partials import AGREEMENT, NEVER, Beginnings, choose_partial

RNG = np.random.default_rng(5)


def beginnings(label: int, count: int, right: float, probability: float) -> Beginnings:
    return Beginnings(np.full(count, label), np.full(count, probability), RNG.random(count) < right)


def joined(*parts: Beginnings) -> Beginnings:
    return Beginnings(
        np.concatenate([part.leading for part in parts]),
        np.concatenate([part.probability for part in parts]),
        np.concatenate([part.right for part in parts]),
    )


def test_a_beginning_leads_with_its_likeliest_label() -> None:
    found = Beginnings.of(np.array([[0.2, 0.7], [0.9, 0.1]]), np.array([[0.1, 0.8], [0.3, 0.6]]))

    assert found.leading.tolist() == [1, 0]
    assert found.probability.tolist() == [0.7, 0.9]
    assert found.right.tolist() == [True, False]


def test_a_label_that_seldom_stays_never_fires() -> None:
    seen = joined(beginnings(0, 200, 0.99, 0.8), beginnings(1, 200, 0.5, 0.99))

    thresholds, scores = choose_partial(seen, np.array([0.4, 0.4]))

    assert thresholds[0] <= 0.8
    assert thresholds[1] == NEVER
    assert scores["validation.partial_agreement"] >= AGREEMENT
    assert scores["validation.partial_fires"] == pytest.approx(0.5, abs=0.01)


def test_where_sureness_tells_the_threshold_is_between() -> None:
    seen = joined(beginnings(0, 200, 0.99, 0.95), beginnings(0, 200, 0.5, 0.7))

    thresholds, _ = choose_partial(seen, np.array([0.4]))

    assert 0.7 < thresholds[0] <= 0.95


def test_no_label_fires_sooner_on_a_part_than_on_the_whole() -> None:
    thresholds, _ = choose_partial(beginnings(0, 200, 1.0, 0.9), np.array([0.85]))

    assert 0.85 <= thresholds[0] <= 0.9


def test_without_beginnings_nothing_fires_on_them() -> None:
    thresholds, scores = choose_partial(beginnings(0, 0, 1.0, 0.9), np.array([0.5, 0.5]))

    assert (thresholds == NEVER).all()
    assert scores["validation.partial_fires"] == 0.0
