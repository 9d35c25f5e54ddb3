"""A tick's words survive a crash: wherever its writes are cut, it is told in full when it comes again."""

import pytest

from builders import at, customer_event, record, routed, scored, started, turn
from fakes import Rows
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState
from schemas.codec import decode, encode
from schemas.desk import DESK
from schemas.guidance import Tick
from schemas.topics import CUSTOMER_EVENTS, DESK_TOPIC, INTENTS_TOPIC, TICKS
from small_catalog import small
from streams.bus.ledger import owners
from streams.bus.partitioner import partition_for
from streams.bus.ports import Record
from streams.decisions.processor import DecisionsProcessor

HOME = partition_for("dana", 12)
SAID = [
    record(customer_event(facts={"tenure_months": 74}), CUSTOMER_EVENTS.name, "dana"),
    record(routed(started()), INTENTS_TOPIC.name, "dana"),
    record(scored(turn(), "cancel_service"), INTENTS_TOPIC.name, "dana", offset=1, when=at(10)),
]
TICK = Record(TICKS.name, HOME, 0, round(at(70).timestamp() * 1000), None, encode(Tick(at=at(70))))


async def talked() -> Rows:
    """The rows of a customer whose prompt is due to expire."""
    rows = Rows()
    rows.carry_out((await DecisionsProcessor(lambda: Rules(small()), 12).process(SAID, rows)).writes)
    return rows


async def test_a_tick_ends_what_is_out_of_date():
    rows = await talked()
    (first, *_) = (await DecisionsProcessor(lambda: Rules(small()), 12).process([TICK], rows)).messages
    assert (first.topic, first.key) == (DESK_TOPIC.name, "ada")
    assert decode(DESK, first.value).ending.action_id == "keep"


@pytest.mark.parametrize("written", range(8))
async def test_it_is_told_in_full_wherever_a_crash_cuts_its_writes(written):
    rows = await talked()
    whole = await DecisionsProcessor(lambda: Rules(small()), 12).process([TICK], rows)
    rows.carry_out(whole.writes[:written])
    for _ in range(2):
        again = await DecisionsProcessor(lambda: Rules(small()), 12).process([TICK], rows)
        assert list(again.messages) == list(whole.messages)
        rows.carry_out(again.writes)
    state = CustomerState.read(dict(owners(rows, HOME))["dana"])
    assert state.live["c1"].live is None


async def test_it_is_told_in_full_where_its_customer_spoke_in_the_same_batch():
    rows = await talked()
    later = record(
        scored(turn(turn_id="t2", ended_at=at(60)), "gratitude"), INTENTS_TOPIC.name, "dana", offset=2, when=at(60)
    )
    whole = await DecisionsProcessor(lambda: Rules(small()), 12).process([later, TICK], rows)
    for written in range(len(whole.writes) + 1):
        rows = await talked()
        rows.carry_out(whole.writes[:written])
        again = await DecisionsProcessor(lambda: Rules(small()), 12).process([later, TICK], rows)
        assert list(again.messages) == list(whole.messages), written
