"""One decision, kept as a file: what it says to the byte is what recorded topics must decide again."""

import json
from pathlib import Path

from builders import at, customer_event, routed, scored, scores, started, turn
from guidance.decision.advance import advance
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState
from schemas.codec import encode
from small_catalog import small

GOLDEN = Path(__file__).parent / "golden" / "decision.json"


def decided() -> bytes:
    state = CustomerState()
    facts = customer_event(facts={"tenure_months": 74, "monthly_bill": 48.5, "products": ("fibre", "tv")})
    for event in (facts, routed(started())):
        state = advance(state, event, Rules(small()), partition=3, now=at(0)).state
    said = scored(
        turn("I'm thinking of leaving, my neighbour pays half"), scores=scores("cancel_service", churn_risk=2)
    )
    decision = advance(state, said, Rules(small()), partition=3, now=at(10.25)).decision
    assert decision is not None
    return encode(decision)


def test_the_decision_is_what_it_was():
    """Where this change is meant: write `decided()` into the file, and say in the changelog that replays differ."""
    assert json.dumps(json.loads(decided()), indent=1, ensure_ascii=False) == GOLDEN.read_text().rstrip("\n")
