"""Which record of each partition is due, and which are done: what makes a consumer gap-free. Pure bookkeeping.

Two offsets a partition: *due*, the next one to be delivered, and *done*, one past the last that was acked. A record is
delivered only if it is exactly the one that is due, and an ack counts only if it is exactly the next one done, so
between them nothing can be skipped, whatever a rebalance does to the client's own position.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Generic, TypeVar

P = TypeVar("P")

HOLE_AFTER = 3
"""How many times in a row the same record must follow the same offset before it is the log that has the hole."""


class Verdict(Enum):
    """What to do with a fetched record."""

    DELIVER = auto()
    DROP = auto()
    """It came before, or its partition has not been sought yet."""
    SEEK_BACK = auto()
    """Records before it were fetched and lost on the way: seek to the one that is due, and drop this one."""
    HOLE = auto()
    """The log itself lacks the records before it. It is delivered; what lies before it is gone."""


@dataclass(slots=True)
class _Partition:
    due: int
    done: int
    committed: int
    leaps: int = 0
    """How often in a row this partition was sought back to the same due offset."""
    holes: dict[int, int] = field(default_factory=dict)
    """Where a hole begins → where it ends, until all before it is done."""

    def done_up_to(self, offset: int) -> None:
        self.done = self.holes.pop(offset, offset)


@dataclass(slots=True)
class Positions(Generic[P]):
    """The positions of all partitions owned now. `P` names a partition."""

    epoch: int = 0
    """Grows with every revocation: what was begun under an older one is abandoned."""
    _partitions: dict[P, _Partition] = field(default_factory=dict)

    def start(self, partition: P, offset: int) -> None:
        """The partition is sought to `offset`: that record is due, all before it count as done and committed."""
        self._partitions[partition] = _Partition(offset, offset, offset)

    def forget(self) -> None:
        """All partitions are revoked, or assigned anew: nothing is delivered until they are started again."""
        self._partitions.clear()
        self.epoch += 1

    def judge(self, partition: P, offset: int) -> Verdict:
        """What to do with the record at `offset`. After `DELIVER` or `HOLE` the one behind it is due."""
        at = self._partitions.get(partition)
        if at is None or offset < at.due:
            return Verdict.DROP
        if offset > at.due and at.leaps < HOLE_AFTER:
            at.leaps += 1
            return Verdict.SEEK_BACK
        verdict = Verdict.DELIVER
        if offset > at.due:
            verdict = Verdict.HOLE
            at.holes[at.due] = offset
            if at.done == at.due:
                at.done_up_to(at.due)
        at.due, at.leaps = offset + 1, 0
        return verdict

    def ack(self, partition: P, offset: int) -> bool:
        """The record at `offset` is done. False, and nothing happens, where another is next to be done."""
        at = self._partitions.get(partition)
        if at is None or offset != at.done:
            return False
        at.done_up_to(offset + 1)
        return True

    def due(self, partition: P) -> int | None:
        """The offset to be delivered next; None: the partition is not owned, or not sought yet."""
        at = self._partitions.get(partition)
        return None if at is None else at.due

    def to_commit(self) -> dict[P, int]:
        """Per partition the offset to commit, where it differs from the committed one."""
        return {p: at.done for p, at in self._partitions.items() if at.done > at.committed}

    def committed(self, offsets: Mapping[P, int]) -> None:
        """The broker has taken these commits."""
        for partition, offset in offsets.items():
            if (at := self._partitions.get(partition)) is not None:
                at.committed = max(at.committed, offset)

    def done(self) -> dict[P, int]:
        """One past the last acked record, for every partition owned and sought."""
        return {p: at.done for p, at in self._partitions.items()}
