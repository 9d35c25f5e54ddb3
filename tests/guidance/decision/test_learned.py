"""What the learner keeps of an action: it begins at the prior, and publishes what is news."""

from itertools import pairwise
from math import log

import pytest

from builders import at, lesson
from guidance.decision.features import FEATURES, FEATURES_REVISION, prior_covariance, prior_mean
from guidance.decision.learned import Learned, learn, teaches
from guidance.decision.posterior import observe

PLAIN = (1.0, *(0.0 for _ in FEATURES[1:]))


def taught(reward=1.0, **fields):
    return lesson(**{"features": PLAIN, "features_revision": FEATURES_REVISION, "reward": reward, **fields})


def test_the_first_lesson_begins_at_the_prior_it_brings():
    learned = learn(None, taught(prior=0.2), at(5))
    assert (learned.mean, learned.covariance) == observe(prior_mean(0.2), prior_covariance(), PLAIN, 1.0)
    assert (learned.lessons, learned.version, learned.at) == (1, 0, at(5))
    later = learn(learned, taught(0.0, prior=0.9), at(6))
    assert (later.mean, later.covariance) == observe(learned.mean, learned.covariance, PLAIN, 0.0)
    assert (later.lessons, later.at) == (2, at(6))


def test_lessons_of_other_features_teach_nothing():
    assert teaches(taught())
    assert not teaches(taught(features_revision="features@0"))
    assert not teaches(taught(features=(1.0, 0.5)))
    with pytest.raises(ValueError, match="2 features"):
        learn(None, taught(features=(1.0, 0.5)), at(5))


def test_with_new_features_learning_begins_anew_and_versions_go_on_counting():
    old = learn(None, taught(), at(5)).model_copy(update={"features_revision": "features@0", "version": 7, "told": 90})
    learned = learn(old, taught(prior=0.3), at(6))
    assert learned.mean == observe(prior_mean(0.3), prior_covariance(), PLAIN, 1.0)[0]
    assert (learned.lessons, learned.version) == (1, 7)
    published = learned.news()
    assert published is not None
    assert (published[1].version, published[1].lessons) == (8, 1)


def test_versions_are_news_and_their_number_grows_like_a_logarithm():
    learned, versions = None, []
    for number in range(3000):
        learned = learn(learned, taught(float(number % 3 == 0)), at(number))
        learned = Learned.model_validate_json(learned.model_dump_json())
        if (news := learned.news()) is not None:
            learned, posterior = news
            versions.append(posterior)
            assert learned.news() is None
    assert [each.version for each in versions] == [*range(1, len(versions) + 1)]
    assert [each.lessons for each in versions[:100]] == [*range(1, 101)]
    assert all(b.lessons - a.lessons <= max(1, a.lessons // 100) for a, b in pairwise(versions))
    assert len(versions) < 100 + 130 * 3.5
    assert learned.lessons - versions[-1].lessons < 30
    assert versions[-1].mean[0] == pytest.approx(log(0.5), abs=0.03), "a third of them were accepted"
