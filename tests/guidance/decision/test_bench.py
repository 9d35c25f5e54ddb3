"""How long a decision takes: `make bench`."""

from pathlib import Path
from statistics import median
from time import perf_counter

import pytest

from builders import at, customer_event, routed, scored, scores, started, turn
from guidance.decision.catalog import parse_catalog
from guidance.decision.decide import decide
from guidance.decision.fold import fold, fold_decision
from guidance.decision.state import CustomerState

CATALOG = parse_catalog((Path(__file__).parents[3] / "guidance/catalogs/telecom.yaml").read_text())
KNOWN = {
    "tenure_months": 74, "monthly_bill": 48.0, "plan": "Fibre 500", "products": ("fibre", "mobile"),
    "value_band": "high", "consent_marketing": True, "household": 4, "competitor": "Northcom",
}  # fmt: skip


def milliseconds(action, times: int = 500) -> float:
    took = []
    for _ in range(times):
        began = perf_counter()
        action()
        took.append(perf_counter() - began)
    return median(took) * 1000


@pytest.mark.bench
def test_a_decision_takes_at_most_a_millisecond():
    state = fold(CustomerState(), customer_event(facts=KNOWN), at(0))
    state = fold(state, routed(started()), at(1))
    said = scored(turn(), scores=scores("cancel_service", "price_complaint", "competitor_mention", churn_risk=2.0))
    state = fold(state, said, at(10))

    def decided():
        return decide(state, said, CATALOG, partition=3, now=at(10), seed=7)

    after = fold_decision(state, decided())
    written = after.write()
    live = len(after.live["c1"].model_dump_json(exclude_defaults=True))
    print(f"\n{len(CATALOG.actions)} actions: decide {milliseconds(decided):.3f} ms")
    print(f"fold {milliseconds(lambda: fold(state, said, at(10))):.3f} ms")
    print(
        f"state: read {milliseconds(lambda: CustomerState.read(written)):.3f} ms, write {milliseconds(after.write):.3f}"
    )
    print(f"state: {len(written)} bytes, {live} of them the live conversation with its live and pinned prompts")
    assert milliseconds(decided) <= 1.0
