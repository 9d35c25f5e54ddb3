"""What a run came to, counted by distinct ids from what was sent and what arrived. Pure: instants are handed in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from schemas.guidance import Decision


@dataclass(slots=True)
class Tally:
    """Ids and instants of one run. Turns are finals of either speaker."""

    sent_at: dict[str, datetime] = field(default_factory=dict)
    """By turn_id: when the turn was handed to Kafka."""
    decisions: dict[str, str] = field(default_factory=dict)
    """By decision_id: its turn_id."""
    prompted: dict[str, str] = field(default_factory=dict)
    """By prompt_id: its turn_id, for every prompt a decision made."""
    ended: set[str] = field(default_factory=set)
    """Prompts recorded as expired, superseded or ended otherwise."""
    turns_at: dict[str, datetime] = field(default_factory=dict)
    """By turn_id: when it arrived at its agent's desktop first."""
    rendered: Counter[str] = field(default_factory=Counter)
    """By prompt_id: how often it was put on a desktop."""
    rendered_at: dict[str, datetime] = field(default_factory=dict)
    outcomes: set[str] = field(default_factory=set)
    """Outcomes that a desktop sent and got acknowledged."""

    def decided(self, decision: Decision) -> None:
        """A decision was read back; a second copy of it counts once."""
        if decision.occasion == "request":
            return
        self.decisions[decision.decision_id] = decision.turn_id
        self.prompted.update((prompt.prompt_id, decision.turn_id) for prompt in decision.prompts)
        self.ended.update(ending.prompt_id for ending in decision.endings)

    def render(self, prompt_id: str, at: datetime) -> None:
        """A desktop put the prompt before its agent."""
        self.rendered[prompt_id] += 1
        self.rendered_at.setdefault(prompt_id, at)

    @property
    def undecided(self) -> set[str]:
        """Turns that were sent and have no decision."""
        return self.sent_at.keys() - set(self.decisions.values())

    @property
    def unaccounted(self) -> set[str]:
        """Prompts that were neither rendered nor recorded as ended."""
        return self.prompted.keys() - self.rendered.keys() - self.ended

    @property
    def lost(self) -> int:
        return len(self.undecided) + len(self.unaccounted)

    @property
    def duplicates(self) -> int:
        """Prompts put on a desktop more than once, counted once for each time too many."""
        return sum(count - 1 for count in self.rendered.values())

    @property
    def turn_latencies_ms(self) -> list[float]:
        """Turn → desktop, one for each turn that reached a desktop, in order of size."""
        return _latencies(self.sent_at, self.turns_at)

    @property
    def prompt_latencies_ms(self) -> list[float]:
        """Turn → the prompt it called for, on the desktop, in order of size."""
        called_by = {prompt_id: self.sent_at[turn] for prompt_id, turn in self.prompted.items() if turn in self.sent_at}
        return _latencies(called_by, self.rendered_at)

    def summary(self) -> dict[str, Any]:
        """The figures as one JSON object; latencies in milliseconds, null where nothing arrived."""
        return {
            "turns": len(self.sent_at),
            "decisions": len(self.decisions),
            "prompts": len(self.rendered),
            "outcomes": len(self.outcomes),
            "latency_ms": percentiles(self.turn_latencies_ms),
            "prompt_latency_ms": percentiles(self.prompt_latencies_ms),
            "lost": self.lost,
            "duplicates": self.duplicates,
        }


def _latencies(start: dict[str, datetime], end: dict[str, datetime]) -> list[float]:
    return sorted((end[name] - start[name]).total_seconds() * 1000 for name in start.keys() & end.keys())


def percentiles(ordered: Sequence[float]) -> dict[str, float | None]:
    """p50, p95, p99 by nearest rank (the smallest value that at least p % of all do not exceed)."""

    def at(percent: int) -> float | None:
        return round(ordered[max(0, -(-len(ordered) * percent // 100) - 1)], 1) if ordered else None

    return {"p50": at(50), "p95": at(95), "p99": at(99)}
