"""`learner` on the in-process bus: lessons in, posteriors out, each lesson once, the same bytes again."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import at, lesson, record
from fakes import Rows
from guidance.decision.features import FEATURES, FEATURES_REVISION, prior_covariance, prior_mean
from guidance.decision.posterior import observe
from guidance.decision.propensity import Propensities
from schemas.codec import decode, encode
from schemas.dead_letter import DEAD_LETTER
from schemas.learning import POSTERIOR, Lesson, Posterior
from schemas.topics import DEAD_LETTERS, LESSONS, PROPENSITIES
from streams.bus.memory import MemoryBus
from streams.bus.metrics import LESSONS as LESSONS_COUNTED
from streams.bus.partitioner import partition_for
from streams.bus.ports import Message
from streams.learner.processor import LearnerProcessor

PARTITIONS = 4


def taught(number: int = 1, action_id: str = "keep", **fields) -> Lesson:
    features = (1.0, -0.1 * (number % 3), *(0.0 for _ in FEATURES[2:-1]), float(number % 2))
    values = {
        "decision_id": f"d{number}", "action_id": action_id, "features": features, "prior": 0.4,
        "features_revision": FEATURES_REVISION, "reward": float(number % 3 == 0),
    }  # fmt: skip
    return lesson(**{**values, **fields})


class Worker:
    def __init__(self):
        self.bus = MemoryBus(PARTITIONS)
        self.restart()

    def restart(self):
        self.processor = LearnerProcessor(PARTITIONS)

    async def take(self, *lessons, seconds=0, key=None):
        self.bus.publish([Message(LESSONS.name, key or each.action_id, encode(each)) for each in lessons], at(seconds))
        await self.bus.run([self.processor])

    def published(self, action_id="keep") -> list[Posterior]:
        found = [decode(POSTERIOR, each.value) for each in self.bus.records(PROPENSITIES.name)]
        return sorted((each for each in found if each.action_id == action_id), key=lambda each: each.version)


@pytest.fixture
def worker():
    return Worker()


async def test_a_batch_is_folded_in_order_and_published_once_an_action(worker):
    lessons = [taught(n, action) for n in range(1, 6) for action in ("keep", "calm")]
    await worker.take(*lessons, seconds=7)
    mean, covariance = prior_mean(0.4), prior_covariance()
    for each in lessons[::2]:
        mean, covariance = observe(mean, covariance, each.features, each.reward)
    (posterior,) = worker.published()
    assert (posterior.mean, posterior.covariance) == (mean, covariance)
    assert (posterior.version, posterior.lessons, posterior.at) == (1, 5, at(7))
    assert [each.version for each in worker.published("calm")] == [1]
    keys = {each.key: each.partition for each in worker.bus.records(PROPENSITIES.name)}
    assert keys == {name: partition_for(name.decode(), PARTITIONS) for name in (b"keep@1", b"calm@1")}


async def test_it_goes_on_from_where_it_was_after_a_restart(worker):
    await worker.take(taught(1), taught(2))
    worker.restart()
    await worker.take(taught(3), seconds=9)
    first, second = worker.published()
    assert (second.version, second.lessons, second.at) == (2, 3, at(9))
    assert second.mean == observe(first.mean, first.covariance, taught(3).features, 1.0)[0]
    assert Propensities.of([first, second]) != Propensities.of([first])


async def test_a_lesson_counts_once_whoever_repeats_it(worker):
    await worker.take(taught(1), taught(1), taught(2))
    await worker.take(taught(2), taught(1))
    worker.restart()
    worker.bus.redeliver("learner")
    await worker.bus.run([worker.processor])
    assert {(each.version, each.lessons) for each in worker.published()} == {(1, 2)}
    assert len({encode(each) for each in worker.published()}) == 1


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from(["keep", "calm"]), min_size=1, max_size=20),
    st.lists(
        st.tuples(
            st.integers(1, 6),
            st.none() | st.tuples(st.sampled_from([0, 1, 2, 5, 99]), st.integers(0, 2), st.integers(0, 9)),
        )
    ),
)
async def test_killed_anywhere_what_was_published_is_never_contradicted(actions, batches):
    """Batches of so many, carried out whole (None), or dying after so many rows and messages; then what is read again
    begins so far back."""
    log = [
        record(taught(n, action), LESSONS.name, action, offset=n, when=at(n), partitions=PARTITIONS)
        for n, action in enumerate(actions)
    ]
    rows, said, done = Rows(), {}, 0
    for size, death in [*batches, (len(log), None)]:
        effects = await LearnerProcessor(PARTITIONS).process(log[done : done + size], rows)
        writes, messages, back = death or (len(effects.writes), len(effects.messages), -size)
        rows.carry_out(effects.writes[:writes])
        for each in effects.messages[: messages if writes >= len(effects.writes) else 0]:
            assert said.setdefault(each.key, each.value) == each.value
        done = max(0, done - back)
    for action in set(actions):
        versions = [decode(POSTERIOR, value) for key, value in said.items() if key.partition("@")[0] == action]
        assert max(each.lessons for each in versions) == actions.count(action)


async def test_lessons_of_other_features_are_counted_and_passed_over(worker):
    before = LESSONS_COUNTED.labels("other_features")._value.get()
    await worker.take(taught(1, features_revision="features@0"), taught(2, features=(1.0,)))
    assert (worker.published(), worker.bus.records(DEAD_LETTERS.name)) == ([], [])
    assert LESSONS_COUNTED.labels("other_features")._value.get() == before + 2


async def test_what_cannot_be_read_is_buried_and_the_rest_is_learned(worker):
    broken = json.loads(encode(taught(1)))
    del broken["reward"]
    for value in (b"no", json.dumps(broken).encode(), json.dumps({**broken, "reward": 7}).encode(), None):
        worker.bus.publish([Message(LESSONS.name, "keep", value)], at(1))
    await worker.take(taught(2), seconds=2)
    await worker.take(taught(3), key="calm", seconds=3)
    letters = [decode(DEAD_LETTER, each.value) for each in worker.bus.records(DEAD_LETTERS.name)]
    assert {each.processor for each in letters} == {"learner"}
    assert sum("key lessons by action_id" in each.reason for each in letters) == 1
    assert sum("reward" in each.reason for each in letters) == 2
    assert (len(letters), [each.lessons for each in worker.published()]) == (5, [1])


async def test_a_lesson_on_a_partition_not_its_own_goes_home(worker):
    home = partition_for("keep", PARTITIONS)
    worker.bus.publish([Message(LESSONS.name, "keep", encode(taught(1)), (home + 1) % PARTITIONS)], at(0))
    await worker.bus.run([worker.processor])
    assert [each.lessons for each in worker.published()] == [1]
