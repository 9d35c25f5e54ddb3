"""Which owners a tick concerns: an index in memory, rebuilt from the table whenever a partition is assigned."""

from collections.abc import Callable, Collection
from datetime import datetime

from guidance.decision.advance import deadline
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState
from streams.bus.ledger import owners
from streams.bus.ports import Table

_WAITED_FOR = (b'"live":{', b'"unanswered":{', b'"settle_at":')
"""Each written state that a tick may change has one of them, and no other has: quotes inside of texts are escaped."""


class Deadlines:
    """By partition and owner: when a tick will change that owner's state first."""

    def __init__(self, rules: Callable[[], Rules]) -> None:
        self._rules = rules
        self._due: dict[int, dict[str, datetime]] = {}

    def load(self, partition: int, table: Table) -> None:
        """Read the partition's owners from the table, unless that has been done since it was assigned."""
        if partition not in self._due:
            self._due[partition] = {}
            for owner, written in owners(table, partition):
                if any(each in written for each in _WAITED_FOR):
                    self.put(partition, owner, CustomerState.read(written))

    def put(self, partition: int, owner: str, state: CustomerState) -> None:
        """The owner's state has changed to `state`."""
        due = deadline(state, self._rules().catalog)
        if due is None:
            self._due[partition].pop(owner, None)
        else:
            self._due[partition][owner] = due

    def due(self, partition: int, now: datetime) -> list[str]:
        """Owners whose deadline has come, in order of name."""
        return sorted(owner for owner, at in self._due[partition].items() if at <= now)

    def forget(self, partitions: Collection[int]) -> None:
        """The partitions are another worker's now, or will be read anew."""
        for partition in partitions:
            self._due.pop(partition, None)
