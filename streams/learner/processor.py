"""`learner`: the one writer of what is believed of each action. Folds its lessons, publishes what they come to.

A lesson counts once: the ledger recognises a decision's lesson among the action's latest `HORIZON_LESSONS`, whether
Kafka delivers it again or `decisions` wrote it twice, and answers with what was published then, byte for byte.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from guidance.decision.learned import Learned, learn, teaches
from schemas.codec import decode, encode
from schemas.errors import Malformed
from schemas.learning import LESSON, Lesson
from schemas.topics import LESSONS, PROPENSITIES
from streams.bus.guard import bury, misrouted
from streams.bus.ledger import Account, Ledger
from streams.bus.metrics import LESSONS as LESSONS_COUNTED
from streams.bus.metrics import REPUBLISHED
from streams.bus.ports import Effects, Message, Record, Table

HORIZON_LESSONS = 4096
"""How many of an action's latest lessons are recognised when they come again, for 24 hours after the last one."""
_SWEEP_EVERY = timedelta(hours=1)


@dataclass(slots=True)
class _New:
    """An action's new lessons of one batch, in order, by decision."""

    account: Account
    lessons: dict[str, tuple[Lesson, datetime]] = field(default_factory=dict)


class LearnerProcessor:
    """See `streams.bus.ports.Processor` for what its methods promise."""

    name = "learner"
    topics: tuple[str, ...] = (LESSONS.name,)

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._swept_at: dict[int, datetime] = {}

    async def process(self, batch: Sequence[Record], table: Table) -> Effects:
        ledger = Ledger(table, horizon_inputs=HORIZON_LESSONS)
        messages: list[Message] = []
        new: dict[str, _New] = {}
        for record in batch:
            messages += self._take(record, ledger, new)
        for each in new.values():
            messages += _learn(each)
        for partition, now in {record.partition: record.at for record in batch}.items():
            if now - self._swept_at.setdefault(partition, now) >= _SWEEP_EVERY:
                self._swept_at[partition] = now
                ledger.sweep(partition, now, keep_state=True)
        return Effects(ledger.writes(), messages)

    def revoked(self, partitions: Collection[int]) -> None:
        for partition in partitions:
            self._swept_at.pop(partition, None)

    def _take(self, record: Record, ledger: Ledger, new: dict[str, _New]) -> Sequence[Message]:
        """Put a record's lesson into `new`, or answer at once: buried, rerouted, published before."""
        if rerouted := misrouted(record, self._partitions, self.name):
            return [rerouted]
        try:
            lesson = decode(LESSON, record.value)
            _check_key(record, lesson.action_id)
        except Malformed as error:
            return [bury(record, str(error), self.name)]
        if not teaches(lesson):
            LESSONS_COUNTED.labels("other_features").inc()
            return []
        account = ledger.open(record.partition, lesson.action_id)
        of_action = new.setdefault(lesson.action_id, _New(account))
        published = account.published(lesson.decision_id)
        if published is not None or lesson.decision_id in of_action.lessons:
            REPUBLISHED.labels(self.name).inc()
            return published or ()
        of_action.lessons[lesson.decision_id] = (lesson, record.at)
        return []


def _learn(new: _New) -> Sequence[Message]:
    """Fold the lessons; what is published, if anything, goes with the last of them."""
    account = new.account
    learned = None if account.state is None else Learned.model_validate_json(account.state)
    for lesson, at in new.lessons.values():
        learned = learn(learned, lesson, at)
        LESSONS_COUNTED.labels("learned").inc()
    if learned is None or not new.lessons:
        return ()
    messages: list[Message] = []
    if (news := learned.news()) is not None:
        learned, posterior = news
        key = f"{posterior.action_id}@{posterior.version}"
        messages.append(Message(PROPENSITIES.name, key, encode(posterior)))
    state = learned.model_dump_json().encode()
    *earlier, last = new.lessons.items()
    for decision_id, (_, at) in earlier:
        account.commit(decision_id, state, (), at)
    decision_id, (_, at) = last
    return account.commit(decision_id, state, messages, at)


def _check_key(record: Record, action_id: str) -> None:
    """Order holds per action only if the record is keyed by it."""
    if record.key != action_id.encode():
        raise Malformed("the record key is not its action_id; key lessons by action_id")
