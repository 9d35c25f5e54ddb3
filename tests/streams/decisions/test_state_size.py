"""What is written of a customer with a long journey who talks and is prompted: compressed, as it is in the table."""

import zlib
from hashlib import sha256
from importlib.resources import files

import pytest

from builders import at, customer_event, record, routed, scored, scores, started, turn
from fakes import Rows
from guidance.decision.catalog import parse_catalog
from guidance.decision.rules import Rules
from schemas.conversation import Channel
from schemas.topics import CUSTOMER_EVENTS, INTENTS_TOPIC
from streams.bus.ledger import read_account
from streams.bus.partitioner import partition_for
from streams.decisions.processor import DecisionsProcessor

CATALOG = parse_catalog((files("guidance") / "catalogs" / "telecom.yaml").read_text(encoding="utf-8"))
KINDS = ("offer.made", "offer.declined", "profile.updated", "selfservice.failed", "mail.received", "page.viewed")
PROBLEMS = ("technical_problem", "billing_dispute", "cancel_service", "order_status")
SAID = (
    ("cancel_service", "price_complaint"), ("technical_problem",), ("escalation",), ("competitor_mention",),
    ("payment_trouble",), (), ("plan_inquiry",), ("declines_offer",),
)  # fmt: skip


def life():
    """Fifty events on all channels, with ids as real systems make them, then a call of thirty turns."""
    actions = sorted(CATALOG.by_id)
    for number in range(50):
        told = {f"fact_{number % 20}": f"value {number}", "monthly_bill": 48.0, "tenure_months": 74}
        event = customer_event(
            event_id=sha256(f"{number}".encode()).hexdigest()[:32], kind=KINDS[number % 6],
            at=at(-21_600 * (50 - number)), channel=list(Channel)[number % 9], action_id=actions[number % len(actions)],
            facts={} if number % 2 else told, intents=(PROBLEMS[number % 4],) if number % 3 == 0 else (),
        )  # fmt: skip
        yield record(event, CUSTOMER_EVENTS.name, "dana", offset=number)
    yield record(routed(started(at=at(0))), INTENTS_TOPIC.name, "dana")
    for number in range(30):
        said = turn(
            "My neighbour pays half of it", f"c1-t{number}", started_at=at(10 * number), ended_at=at(10 * number + 5)
        )
        of = scored(said, scores=scores(*SAID[number % 8], churn_risk=1.1))
        yield record(of, INTENTS_TOPIC.name, "dana", offset=number + 1, when=at(10 * number + 6))


@pytest.fixture
async def written():
    """By turn: the rows written (kind, bytes) and what they are of the state, and how many prompts were on the desk."""
    rows, processor, told = Rows(), DecisionsProcessor(lambda: Rules(CATALOG), 12), []
    for each in life():
        effects = await processor.process([each], rows)
        rows.carry_out(effects.writes)
        if each.topic == INTENTS_TOPIC.name:
            account = read_account(rows, partition_for("dana", 12), "dana")
            sizes = {write.key.partition("/")[0]: len(write.value or b"") for write in effects.writes}
            parts = [len(zlib.compress(part or b"", 1)) for part in (account.state, account.aside)]
            told.append((sizes, *parts, (account.state or b"").count(b'"prompt_id"')))
    return told[1:]


async def test_what_changes_each_turn_is_two_kilobytes_at_most_and_all_eight(written):
    live, journey = (max(each[part] for each in written) for part in (1, 2))
    row = max(sizes["state"] for sizes, *_ in written)
    print(f"\nlive {live} B, journey {journey} B; the state's row with what it published {row} B")
    assert max(prompts for *_, prompts in written) >= 2
    assert live <= 2_000
    assert live + journey <= 8_000
    assert row + journey <= 8_000


async def test_most_turns_leave_the_journey_where_it_is(written):
    """Its row is written on the turn after it changed, and on no other."""
    moved = sum("aside" in sizes for sizes, *_ in written)
    assert 0 < moved < len(written) / 2
