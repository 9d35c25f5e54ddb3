"""The wall's figures over the last 15 minutes, and intents over the last hour: counts in steps of time."""

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean

from schemas.guidance import ServiceLevel
from schemas.supervisor_frames import Figures, Series, Trend

STEP_S = 15
STEPS = 60
_MOST_LATENCIES = 1_000
_RATE_STEPS = 4  # a minute's worth, for figures "a minute" and for shares that one step is too short for
_MINUTES = 60
_MOST_INTENTS = 200
_SPIKE_MINUTES = 5
_SPIKE_TIMES = 3.0
_SPIKE_LEAST = 5
_LADDER = list(ServiceLevel)


@dataclass(slots=True)
class _Step:
    number: int
    prompts: int = 0
    accepted: int = 0
    dismissed: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    lag_s: float | None = None
    live: int | None = None
    level: ServiceLevel | None = None


class Tally:
    """Counts what happened in steps of `STEP_S` seconds. What is older than the last `STEPS` steps is gone."""

    def __init__(self) -> None:
        self._steps: dict[int, _Step] = {}

    def prompt(self, at: datetime) -> None:
        """A prompt was made."""
        self._step(at).prompts += 1

    def decided(self, at: datetime, *, accepted: bool) -> None:
        """An agent accepted a prompt, or dismissed it."""
        step = self._step(at)
        step.accepted += accepted
        step.dismissed += not accepted

    def latency(self, at: datetime, milliseconds: float) -> None:
        """A prompt reached its first desktop so long after its turn had ended. The first 1,000 of a step count."""
        latencies = self._step(at).latencies_ms
        if len(latencies) < _MOST_LATENCIES:
            latencies.append(max(0.0, milliseconds))

    def lag(self, at: datetime, seconds: float) -> None:
        """A turn has waited so long for its decision, or had waited when it came."""
        step = self._step(at)
        step.lag_s = max(step.lag_s or 0.0, seconds)

    def level(self, at: datetime, level: ServiceLevel) -> None:
        """A decision stood on this rung of the ladder."""
        step = self._step(at)
        step.level = _worst([step.level, level])

    def live(self, at: datetime, conversations: int) -> None:
        """So many conversations are live now."""
        self._step(at).live = conversations

    def figures(self, now: datetime) -> Figures:
        """All of it as of `now`. Rates and shares are over the last minute at each point."""
        last = _number(now, STEP_S)
        levels = tuple(self._level(number, 1) for number in range(last - STEPS + 1, last + 1))
        return Figures(
            step_s=STEP_S,
            live_conversations=self._series(last, lambda steps: steps[-1].live, 1),
            prompts_per_minute=self._series(last, _prompts),
            accepted_share=self._series(last, _share),
            turn_to_desktop_p95_ms=self._series(last, _p95),
            lag_s=self._series(last, lambda steps: steps[-1].lag_s, 1),
            service_level=self._level(last, _RATE_STEPS),
            service_levels=levels,
        )

    def _series(self, last: int, measure: Callable[[list[_Step]], float | None], width: int = _RATE_STEPS) -> Series:
        points = tuple(
            measure([self._steps.get(each, _Step(each)) for each in range(number - width + 1, number + 1)])
            for number in range(last - STEPS + 1, last + 1)
        )
        return Series(now=points[-1], points=points)

    def _level(self, last: int, width: int) -> ServiceLevel | None:
        return _worst(self._steps[each].level for each in range(last - width + 1, last + 1) if each in self._steps)

    def _step(self, at: datetime) -> _Step:
        number = _number(at, STEP_S)
        if number not in self._steps:
            self._steps[number] = _Step(number)
            newest = max(self._steps)
            for old in [each for each in self._steps if each <= newest - STEPS - _RATE_STEPS]:
                del self._steps[old]
        return self._steps.get(number) or _Step(number)  # older than all that is kept: counted for nobody


class IntentTrends:
    """Counts how often each intent fires, a minute at a time, over an hour."""

    def __init__(self) -> None:
        self._counts: dict[str, deque[tuple[int, int]]] = {}
        self._first: int | None = None

    def fired(self, intents: Iterable[str], at: datetime) -> None:
        """These intents fired on one turn of a customer."""
        minute = _number(at, 60)
        self._first = minute if self._first is None else min(self._first, minute)
        for intent in intents:
            if intent not in self._counts and len(self._counts) >= _MOST_INTENTS:
                continue
            counts = self._counts.setdefault(intent, deque(maxlen=_MINUTES))
            if counts and counts[-1][0] >= minute:
                counts[-1] = (counts[-1][0], counts[-1][1] + 1)
            else:
                counts.append((minute, 1))

    def trends(self, now: datetime) -> tuple[Trend, ...]:
        """As of `now`, most frequent first; intents that did not fire within the hour are left out."""
        last = _number(now, 60)
        known = min(_MINUTES, last + 1 - (last if self._first is None else self._first))
        told = []
        for intent, counted in self._counts.items():
            by_minute = dict(counted)
            counts = tuple(by_minute.get(minute, 0) for minute in range(last - _MINUTES + 1, last + 1))
            if any(counts):
                told.append(Trend(intent=intent, counts=counts, spike=_is_spike(counts[-known:])))
        return tuple(sorted(told, key=lambda trend: (-sum(trend.counts), trend.intent)))


def _is_spike(counts: tuple[int, ...]) -> bool:
    """The last full minutes against those before them, with a floor so that rare intents do not cry wolf.

    `counts` are of the minutes that were listened to: just after a start too few to call anything unusual.
    """
    before, recent = counts[: -1 - _SPIKE_MINUTES], counts[-1 - _SPIKE_MINUTES : -1]
    if len(before) < _SPIKE_MINUTES:
        return False
    return sum(recent) >= _SPIKE_LEAST and fmean(recent) >= _SPIKE_TIMES * fmean(before)


def _number(at: datetime, step_s: int) -> int:
    return int(at.timestamp()) // step_s


def _prompts(steps: list[_Step]) -> float | None:
    return float(sum(step.prompts for step in steps))


def _share(steps: list[_Step]) -> float | None:
    decided = sum(step.accepted + step.dismissed for step in steps)
    return sum(step.accepted for step in steps) / decided if decided else None


def _p95(steps: list[_Step]) -> float | None:
    latencies = sorted(each for step in steps for each in step.latencies_ms)
    return latencies[math.ceil(0.95 * len(latencies)) - 1] if latencies else None


def _worst(levels: Iterable[ServiceLevel | None]) -> ServiceLevel | None:
    return max((each for each in levels if each is not None), key=_LADDER.index, default=None)
