"""Which desks an agent has open. All of them get everything: a second screen is no rival."""

from collections.abc import Iterable
from typing import Generic, TypeVar

Desk = TypeVar("Desk")


class Roster(Generic[Desk]):
    """Agents and their desks."""

    def __init__(self) -> None:
        self._desks: dict[str, list[Desk]] = {}

    def add(self, agent_id: str, desk: Desk) -> None:
        """The agent has this desk too, from now on."""
        self._desks.setdefault(agent_id, []).append(desk)

    def remove(self, agent_id: str, desk: Desk) -> None:
        """The desk is gone. One that was never added is no error: it went before it had joined."""
        rest = [each for each in self._desks.get(agent_id, ()) if each is not desk]
        if rest:
            self._desks[agent_id] = rest
        else:
            self._desks.pop(agent_id, None)

    def of(self, agent_id: str) -> Iterable[Desk]:
        """The agent's desks, in the order they came. Safe to iterate while desks come and go."""
        return tuple(self._desks.get(agent_id, ()))
