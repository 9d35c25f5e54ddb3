"""What recorded turns would have shown under other rules: counted, and each change kept in short."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from guidance.decision.advance import Input
from guidance.decision.arbitration import Levers
from guidance.decision.catalog import Catalog, parse_catalog
from guidance.decision.catalog_text import CatalogError
from guidance.decision.echo import Echoes
from guidance.decision.lever_settings import levers_of, mistakes, settings_of
from guidance.decision.replay import Again, LeftOut
from guidance.decision.rules import Rules
from guidance.decision.whatif import Change, Effect, proposed, where_differs
from schemas.codec import decode
from schemas.guidance import DECISION
from schemas.handoff import Forwarded
from schemas.intent import ScoredTurn
from schemas.published import PublishedLevers
from schemas.requests import DecisionRequest

_MOST_DIFFERING = 20


@dataclass(frozen=True, slots=True)
class Otherwise:
    """The rules to be tried: what is None stays as each decision had it."""

    catalog: Catalog | None
    levers: Levers | None
    echoes: Echoes | None = None
    """Of `catalog`: compared with what agents say only where the decision compared, too."""

    def __call__(self, rules: Rules) -> Rules:
        if self.catalog is not None:
            rules = replace(rules, catalog=self.catalog, echoes=rules.echoes and self.echoes)
        return rules if self.levers is None else replace(rules, levers=self.levers)


@dataclass(frozen=True, slots=True)
class Row:
    """One decision that would have shown something else."""

    kind: str
    decision_id: str
    conversation_id: str
    turn_id: str
    at: datetime
    speaker: str
    text: str
    before: tuple[str, ...]
    """Actions that were prompted."""
    after: tuple[str, ...]
    """Actions that would have been."""
    why: tuple[str, ...]
    """What the other rules say of the actions that differ: "keep: needs tenure_months"."""


@dataclass(slots=True)
class Report:
    """What came of a what-if."""

    since: datetime | None
    """Decisions older than that are read for what they leave behind, and not counted."""
    effect: Effect = field(default_factory=Effect)
    rows: list[Row] = field(default_factory=list)
    catalogs: Counter[str] = field(default_factory=Counter)
    """How many decisions were made by each catalogue."""
    differing: int = 0
    """Decisions that the old rules do not make again as they are recorded: then something is not as it was."""
    differ_by: list[str] = field(default_factory=list)
    """Of the first few of them, where."""
    left_out: Counter[str] = field(default_factory=Counter)
    """By reason."""
    seconds: float = 0.0

    def take(self, results: Iterable[Again | LeftOut]) -> None:
        """Count what a replay yields."""
        started = time.perf_counter()
        for each in results:
            if isinstance(each, LeftOut):
                if self.since is None or each.now >= self.since:
                    self.left_out[each.why] += 1
            elif self.since is None or each.decision.now >= self.since:
                self._take(each)
        self.seconds += time.perf_counter() - started

    def _take(self, each: Again) -> None:
        if not each.is_same:
            self.differing += 1
            if len(self.differ_by) < _MOST_DIFFERING:
                where = where_differs(decode(DECISION, each.recorded), each.decision)
                self.differ_by.append(f"{each.decision.decision_id}: {where}")
        self.catalogs[each.decision.versions.catalog] += 1
        assert each.otherwise is not None
        found = self.effect.add(each.decision, each.otherwise)
        if found is not None:
            self.rows.append(_row(found, each))

    def as_dict(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "decisions": self.effect.decisions,
            "changed": self.effect.changed,
            "weighed_otherwise": self.effect.weighed_otherwise,
            "by_kind": {kind.value: count for kind, count in self.effect.by_kind.items()},
            "by_action": {name: asdict(counts) for name, counts in sorted(self.effect.by_action.items())},
            "recorded_differently": self.differing,
            "differ_by": self.differ_by,
            "left_out": dict(self.left_out),
            "catalogs": dict(self.catalogs),
            "changes": [{**asdict(row), "at": row.at.isoformat()} for row in self.rows],
            "decisions_per_s": round(self.rate),
        }

    @property
    def rate(self) -> float:
        """Decisions a second: replayed, compared and decided otherwise, without reading."""
        return (self.effect.decisions + self.left_out.total()) / self.seconds if self.seconds else 0.0


def _row(found: Change, again: Again) -> Row:
    event, after = again.event, found.after
    reasons = {each.action_id: each.reason for each in after.candidates}
    speaker, text = _said(event)
    return Row(
        kind=found.kind.value,
        decision_id=after.decision_id,
        conversation_id=after.conversation_id,
        turn_id=after.turn_id,
        at=after.now,
        speaker=speaker,
        text=text,
        before=proposed(found.before),
        after=proposed(after),
        why=tuple(f"{name}: {reasons.get(name, 'not in the catalogue')}" for name in (*found.lost, *found.gained)),
    )


def _said(event: Input) -> tuple[str, str]:
    """Who said what; of a channel that asked, what it knew of what its customer wants."""
    heard = event.record if isinstance(event, Forwarded) else event
    if isinstance(heard, DecisionRequest):
        return heard.channel.value, ", ".join(heard.intents)
    assert isinstance(heard, ScoredTurn)
    return heard.turn.speaker.value, heard.turn.text


def read_catalog(path: Path) -> Catalog:
    """The catalogue in `path`. Raises ValueError: it has mistakes; each with file, line and mend."""
    try:
        return parse_catalog(path.read_text(encoding="utf-8"))
    except CatalogError as error:
        raise ValueError("\n".join(f"{path}, {problem}" for problem in error.problems)) from None


def read_levers(path: Path, catalog: Catalog | None) -> Levers:
    """The levers in `path`: YAML with any of by_action, by_kind and by_metric, each of names to multipliers.

    Raises:
        ValueError: it is not that, names what the `catalog` does not have, or is out of its bounds.
    """
    text = path.read_text(encoding="utf-8")
    try:
        told = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not YAML: {error}") from None
    if not isinstance(told, dict) or not told.keys() <= {"by_action", "by_kind", "by_metric"}:
        raise ValueError(f"{path}: levers are by_action:, by_kind: and by_metric:, each of names to numbers")
    version = f"{path.stem}@{sha256(text.encode()).hexdigest()[:8]}"
    try:
        levers = PublishedLevers(version=version, set_at=datetime.now(UTC), set_by="whatif", **told)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if catalog is not None and (wrong := mistakes(settings_of(levers), catalog)):
        raise ValueError("\n".join(f"{path}: {each}" for each in wrong))
    return levers_of(levers)
