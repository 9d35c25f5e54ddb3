"""What is believed of an action, and what is drawn: the prior is the catalogue's, and all machines draw the same."""

import subprocess
import sys
from statistics import NormalDist, fmean, pstdev

import pytest

from builders import at, posterior, started
from guidance.decision.facts import facts_of
from guidance.decision.features import (
    FADES_BY,
    FEATURES,
    FEATURES_REVISION,
    Context,
    context_of,
    log_odds,
    prior_covariance,
    prior_mean,
)
from guidance.decision.past import Journey, Known, Refusal
from guidance.decision.propensity import Belief, Propensities, believe, propensity
from guidance.decision.state import CustomerState, LiveConversation
from guidance.decision.trigger import Call
from schemas.conversation import Channel
from small_catalog import changed, small

PLAIN = Context(0.0, (0.0, 0.0), (0.0, 0.0), (0.0, 0.0), 0.0, 0.0, frozenset())
FULL = Context(1.0, (0.9, 0.0), (1.0, 0.0), (0.7, 0.0), 0.5, 1.0, frozenset({"a", "b"}))


def call(strength=1.0):
    return Call(strength, ("wants it",))


def keep(prior=0.5):
    return changed(("prior: 0.5", f"prior: {prior}")).by_id["keep"]


@pytest.mark.parametrize("prior", [0.02, 0.2, 0.5, 0.9, 0.98])
@pytest.mark.parametrize("strength", [0.3, 0.77, 1.0])
@pytest.mark.parametrize("issued", [0, 1, 4])
@pytest.mark.parametrize("context", [PLAIN, FULL])
def test_at_first_it_is_prior_times_strength_times_fade(prior, strength, issued, context):
    belief = believe(keep(prior), call(strength), issued, context, None)
    assert propensity("keep", belief, 7) == pytest.approx(prior * strength * FADES_BY**issued, rel=1e-9)
    assert (belief.deviation, belief.posterior) == (0.0, None)


def test_nobody_is_ever_quite_sure():
    assert propensity("keep", Belief((), -50.0, 0.0, None), 7) == 0.001
    assert propensity("keep", Belief((), 50.0, 3.0, None), 7) == 0.999
    assert believe(keep(0.002), call(0.1), 5, PLAIN, None).mean == pytest.approx(log_odds(0.001))


def test_a_new_action_is_explored_around_its_prior_once_there_is_anybody_to_learn():
    belief = believe(keep(0.5), call(), 0, PLAIN, Propensities.of([]))
    assert (belief.mean, belief.deviation, belief.posterior) == (0.0, pytest.approx(0.5), None)
    drawn = [propensity("keep", belief, seed) for seed in range(4000)]
    scores = [log_odds(each) for each in drawn]
    assert fmean(scores) == pytest.approx(0.0, abs=0.03)
    assert pstdev(scores) == pytest.approx(0.5, rel=0.04)
    below = sum(each < NormalDist(0, 0.5).inv_cdf(0.1) for each in scores) / len(scores)
    assert below == pytest.approx(0.1, abs=0.015)


def test_what_was_learned_takes_the_priors_place():
    mean = (-1.0, 0.5, *(0.0 for _ in FEATURES[2:-1]), 2.0)
    covariance = tuple(
        tuple(0.01 * (1.0 if i == j else 0.5 if {i, j} == {0, 12} else 0.0) for j in range(13)) for i in range(13)
    )
    learned = Propensities.of(
        [posterior(action_id="keep", version=4, features_revision=FEATURES_REVISION, mean=mean, covariance=covariance)]
    )
    context = Context(0.0, (0.0, 0.0), (0.0, 0.0), (0.0, 0.0), 0.0, 0.0, frozenset("abcd"))
    belief = believe(keep(), call(), 0, context, learned)
    assert belief.posterior == "keep@4"
    assert belief.features == (1.0, *(0.0 for _ in FEATURES[1:-1]), 1.0)
    assert belief.mean == pytest.approx(-1.0 + 2.0)
    assert belief.deviation == pytest.approx((0.01 + 0.01 + 2 * 0.005) ** 0.5)


def whole(**fields):
    return posterior(
        **{"features_revision": FEATURES_REVISION, "mean": prior_mean(0.3), "covariance": prior_covariance(), **fields}
    )


def test_the_newest_of_each_action_counts_in_whatever_order_they_come():
    posteriors = [whole(action_id=name, version=version) for name in ("keep", "calm") for version in (1, 2, 11)]
    forwards, backwards = Propensities.of(posteriors), Propensities.of(reversed(posteriors))
    assert forwards == backwards
    assert believe(keep(), call(), 0, PLAIN, forwards).posterior == "keep@11"
    assert forwards.version != Propensities.of(posteriors[:5]).version
    assert forwards.version.startswith("p-")


@pytest.mark.parametrize("of_others", [{"features_revision": "features@0"}, {"mean": (0.0,), "covariance": ((1.0,),)}])
def test_what_was_learned_of_other_features_is_passed_over(of_others):
    learned = Propensities.of([whole(action_id="keep", version=9, **of_others)])
    assert learned == Propensities.of([])
    assert believe(keep(), call(), 0, PLAIN, learned).posterior is None


DRAW = """
from guidance.decision.propensity import Belief, propensity
print([propensity(name, Belief((), -1.0, 0.7, None), 123456789) for name in ("keep", "review")])
"""


def test_every_process_draws_the_same():
    """In a process of its own, with other hashes of strings; written down, for other machines."""
    here = [propensity(name, Belief((), -1.0, 0.7, None), 123456789) for name in ("keep", "review")]
    elsewhere = subprocess.run([sys.executable, "-c", DRAW], capture_output=True, text=True, check=True).stdout
    assert elsewhere == f"{here}\n"
    assert here == pytest.approx([0.49336611228612626, 0.31711133730191315], rel=1e-12)


def test_what_the_features_say():
    journey = Journey(
        facts={"tenure_months": Known(value=24, at=at(0)), "value_band": Known(value="low", at=at(0))},
        refusals={name: Refusal(at=at(0), channel=Channel.CHAT) for name in ("keep", "calm", "record")},
    )
    conversation = LiveConversation(
        channel=Channel.CHAT, started_at=started().at, heard_at=at(0), churn_risk=1.0, sentiment="negative"
    )
    state = CustomerState(journey=journey, live={"c1": conversation})
    catalog = changed(("products:", "value_band: {type: text, about: low mid high}\n  products:"))
    context = context_of(state, conversation, facts_of(catalog.facts, state, conversation, at(0)))
    told = believe(catalog.by_id["keep"], call(), 0, context, None).features
    assert dict(zip((feature.name for feature in FEATURES), told, strict=True)) == {
        "bias": 1.0, "strength": 0.0, "fade": 0.0, "written": 1.0, "churn_risk": 0.5, "churn_unknown": 0.0,
        "negative": 1.0, "positive": 0.0, "tenure": pytest.approx(0.3662, abs=1e-4), "tenure_unknown": 0.0,
        "contacts": 0.0, "value": -1.0, "refused": 0.5,
    }  # fmt: skip


def test_what_is_not_known_says_so():
    conversation = LiveConversation(channel=Channel.VOICE, started_at=at(0), heard_at=at(0))
    state = CustomerState(live={"c1": conversation})
    context = context_of(state, conversation, facts_of(small().facts, state, conversation, at(0)))
    told = believe(keep(), call(), 0, context, None).features
    names = [feature.name for feature, value in zip(FEATURES, told, strict=True) if value]
    assert names == ["bias", "churn_unknown", "tenure_unknown"]


def test_the_table_and_its_revision_change_together():
    """A posterior means nothing under another table. Change both lines, or neither."""
    assert FEATURES_REVISION == "features@1"
    assert [(each.name, each.mean, each.deviation) for each in FEATURES] == [
        ("bias", 0.0, 0.5), ("strength", 1.0, 0.25), ("fade", 1.0, 0.25),
        *((name, 0.0, 0.25) for name in (
            "written", "churn_risk", "churn_unknown", "negative", "positive", "tenure", "tenure_unknown", "contacts",
            "value", "refused",
        )),
    ]  # fmt: skip
