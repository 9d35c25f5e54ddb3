"""What a what-if costs a decision, as a ratio to deciding twice, which is the least it has to do."""

import asyncio
from pathlib import Path
from time import process_time

import pytest

from deploy.recording import read
from deploy.replaying import fed
from deploy.whatif import Otherwise, Report
from deploy.workers import catalog_text
from guidance.decision.advance import advance
from guidance.decision.catalog import parse_catalog
from guidance.decision.replay import Replay
from guidance.decision.rules import Rules
from replay.recorded import record
from streams.decisions import processor
from streams.decisions.rulebook import Rulebook

LINE = "    prior: 0.45\n    value: 240\n"
OLD = parse_catalog(catalog_text(None))
NEW = parse_catalog(catalog_text(None).replace(LINE, LINE.replace("0.45", "0.05")))
ROUNDS = 5


@pytest.mark.bench
def test_a_what_if_costs_little_more_than_deciding_twice(monkeypatch):
    asked = []

    def noted(state, event, rules, *, partition, now):
        advanced = advance(state, event, rules, partition=partition, now=now)
        if advanced.decision is not None:
            asked.append((state, event, partition, now))
        return advanced

    monkeypatch.setattr(processor, "advance", noted)
    lines = read([Path(__file__).parents[2] / "deploy" / "samples" / "churn.ndjson"])
    records = asyncio.run(record(lambda: Rules(OLD), lines))

    floors, whole = [], []
    for _ in range(ROUNDS):
        began = process_time()
        for state, event, partition, now in asked:
            for catalog in (OLD, NEW):
                advance(state, event, Rules(catalog), partition=partition, now=now)
        floors.append(process_time() - began)
        report = Report(None)
        began = process_time()
        replay = Replay(Rulebook([(OLD, None)]), Otherwise(NEW, None))
        report.take(fed(replay, records))
        report.take(replay.finish())
        whole.append(process_time() - began)
        assert report.effect.decisions == len(asked)

    per_s = len(asked) / min(whole)
    print(f"\nwhat-if {per_s:.0f} decisions/s, {min(whole) / min(floors):.2f}× deciding twice ({len(asked)} decisions)")
    assert min(whole) < 4 * min(floors)
