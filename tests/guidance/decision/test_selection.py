"""Selection probabilities against simulation by the very draws that decide, and against a fine grid."""

import random
from dataclasses import dataclass
from math import erf, exp
from statistics import median
from time import perf_counter

import numpy as np
import pytest

from guidance.decision.propensity import Belief, propensity
from guidance.decision.selection import selection_probabilities

DRAWS = 6_000


@dataclass
class Bid:
    name: str
    belief: Belief
    worth: float


def bids_of(*each):
    named = enumerate(each)
    return [Bid(f"action{n}", Belief((), mean, deviation, None), worth) for n, (mean, deviation, worth) in named]


def simulated(bids, must_beat):
    won = [0] * len(bids)
    for seed in range(DRAWS):
        priorities = [propensity(bid.name, bid.belief, seed) * bid.worth for bid in bids]
        best = max(range(len(bids)), key=priorities.__getitem__)
        won[best] += priorities[best] > must_beat
    return [each / DRAWS for each in won]


SETS = {
    "two alike": bids_of((-1.0, 0.5, 80.0), (-1.0, 0.5, 80.0)),
    "one new among learned": bids_of((-1.0, 0.05, 80.0), (-0.8, 0.04, 70.0), (-1.5, 0.7, 90.0)),
    "five": bids_of((-1.0, 0.5, 80.0), (0.0, 0.1, 35.0), (-2.0, 0.8, 150.0), (-1.2, 0.3, 90.0), (1.0, 0.6, 25.0)),
    "one without a chance": bids_of((-1.0, 0.3, 80.0), (-6.0, 0.3, 10.0)),
    "alone": bids_of((-1.0, 0.5, 80.0)),
}


@pytest.mark.parametrize("must_beat", [-1.0, 22.0, 30.0, 1000.0])
@pytest.mark.parametrize("bids", SETS.values(), ids=SETS)
def test_they_are_what_the_draws_come_to(bids, must_beat):
    reckoned, seen = selection_probabilities(bids, must_beat), simulated(bids, must_beat)
    assert reckoned == pytest.approx(seen, abs=4 * 0.5 / DRAWS**0.5)
    none = 1.0
    for bid in bids:
        share = must_beat / bid.worth
        at = -99.0 if share <= 0 else 99.0 if share >= 1 else float(np.log(share / (1 - share)))
        none *= 0.5 + 0.5 * erf((at - bid.belief.mean) / bid.belief.deviation / 2**0.5)
    assert sum(reckoned) + none == pytest.approx(1.0, abs=1e-3)


def on_a_fine_grid(bids, must_beat):
    cuts = np.unique(
        np.concatenate(
            [b.worth / (1 + np.exp(-(b.belief.mean + b.belief.deviation * np.linspace(-9, 9, 801)))) for b in bids]
        )
    )
    cuts = np.concatenate(([max(must_beat, 1e-9)], cuts[cuts > must_beat]))
    below = []
    for bid in bids:
        share = np.minimum(cuts / bid.worth, 1 - 1e-15)
        scores = (np.log(share / (1 - share)) - bid.belief.mean) / bid.belief.deviation
        below.append(np.where(cuts >= bid.worth, 1.0, [0.5 + 0.5 * erf(each / 2**0.5) for each in scores]))
    found = []
    for place, own in enumerate(below):
        others = np.prod([each for other, each in enumerate(below) if other != place], axis=0)
        found.append(float((np.diff(own) * (others[1:] + others[:-1]) / 2).sum()))
    return found


def test_they_are_right_whatever_is_weighed():
    rng = random.Random(11)
    for _ in range(30):
        bids = bids_of(
            *(
                (rng.gauss(-1, 1), rng.choice([0.02, 0.1, 0.3, 0.6, 1.0]), exp(rng.gauss(4, 0.7)))
                for _ in range(rng.randint(2, 7))
            )
        )
        must_beat = rng.choice([-1.0, exp(rng.gauss(3, 0.7))])
        assert selection_probabilities(bids, must_beat) == pytest.approx(on_a_fine_grid(bids, must_beat), abs=5e-4)


def test_without_a_draw_the_best_is_certain_and_ties_go_to_the_first():
    sure = bids_of((-1.0, 0.0, 80.0), (-1.0, 0.0, 80.0), (-2.0, 0.0, 80.0))
    assert selection_probabilities(sure, -1.0) == (1.0, 0.0, 0.0)
    assert selection_probabilities(sure, 21.0) == (1.0, 0.0, 0.0)
    assert selection_probabilities(sure, 22.0) == (0.0, 0.0, 0.0)
    assert selection_probabilities((), -1.0) == ()


@pytest.mark.bench
def test_what_they_cost():
    def took():
        began = perf_counter()
        for _ in range(100):
            selection_probabilities(SETS["five"], 22.0)
        return (perf_counter() - began) * 1e4

    print(f"\nselection probabilities of 5 bids: {median(took() for _ in range(20)):.0f} µs")
