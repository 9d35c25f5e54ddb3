"""What `decisions` teaches the learner: each lesson once, whoever restarts, wherever its conversation went."""

import pytest

from builders import at, business_outcome, customer_event, ended, routed, started
from schemas.codec import decode
from schemas.conversation import ConversationIdentified
from schemas.guidance import PromptState
from schemas.learning import LESSON
from schemas.topics import DEAD_LETTERS, LESSONS
from small_catalog import changed

DAY = 86_400
KNOWN = customer_event(facts={"tenure_months": 74, "monthly_bill": 48.0})
FOR_ANYBODY = changed(("eligible_if: [tenure_months >= 12]", "eligible_if: []"))


def lessons(worker):
    records = worker.records(LESSONS.name)
    assert all(record.key.decode() == decode(LESSON, record.value).action_id for record in records)
    told = (decode(LESSON, record.value) for record in records)
    return [(each.action_id, each.settled_by, each.reward, each.group) for each in told]


def business(prompt, result="accepted", **fields):
    return business_outcome(
        decision_id=prompt.decision_id, conversation_id="c1", action_id=prompt.action_id, result=result, **fields
    )


@pytest.fixture
async def talk(worker):
    """Dana wants to leave; Ada is prompted to keep her, and takes it."""
    await worker.take(KNOWN)
    await worker.take(routed(started()))
    await worker.hear(10, "cancel_service")
    worker.keep = worker.live
    await worker.report(PromptState.ACCEPTED, worker.keep, 20)
    return worker


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_day_after_the_end_a_tick_settles_it_whoever_reads_it(talk, restarted):
    await talk.take(routed(ended()), 300)
    if restarted:
        talk.restart()
    await talk.tick(299 + DAY)
    assert lessons(talk) == []
    await talk.tick(300 + DAY)
    await talk.tick(301 + DAY)
    assert lessons(talk) == [("keep", "agent", 1.0, "guided")]
    assert (talk.state().journey.pending, talk.state().settle_at) == ({}, None)


async def test_what_the_business_says_settles_at_once_and_a_redelivery_is_the_same_bytes(talk):
    await talk.take(routed(ended()), 300)
    await talk.take(business(talk.keep, "declined"), 4000)
    (first,) = talk.records(LESSONS.name)
    assert lessons(talk) == [("keep", "business", 0.0, "guided")]
    talk.restart()
    talk.redeliver()
    await talk.bus.run([talk.processor])
    assert {record.value for record in talk.records(LESSONS.name)} == {first.value}
    await talk.take(business(talk.keep, "accepted", outcome_id="crm-2"), 5000)
    await talk.tick(400 + DAY)
    assert {record.value for record in talk.records(LESSONS.name)} == {first.value}


@pytest.mark.parametrize("by_tick", [False, True])
async def test_a_conversation_that_moves_takes_its_lesson_along(worker, by_tick):
    anonymous = {"route_key": "c1", "customer_id": None}
    worker.restart(FOR_ANYBODY)
    await worker.take(routed(started(customer_id=None), **anonymous))
    await worker.hear(10, "cancel_service", **anonymous)
    keep = worker.state("c1").live["c1"].live.prompt
    told = ConversationIdentified(event_id="login", conversation_id="c1", at=at(30), customer_id="dana")
    as_dana = {"route_key": "c1", "customer_id": "dana"}
    await worker.take(routed(told, **as_dana), 30)
    assert (worker.state("c1").journey.pending, worker.state("c1").settle_at) == ({}, None)
    assert list(worker.state("dana").journey.pending) == [keep.decision_id]
    await worker.report(PromptState.ACCEPTED, keep, 40, route_key="c1")
    await worker.take(routed(ended(), **as_dana), 300)
    if not by_tick:
        await worker.take(business(keep, route_key="c1"), 4000)
    await worker.tick(301 + DAY)
    assert lessons(worker) == [("keep", "agent" if by_tick else "business", 1.0, None)]
    assert worker.records(DEAD_LETTERS.name) == []


async def test_an_idle_conversation_that_moves_leaves_nothing_due_behind(worker):
    anonymous = {"route_key": "c1", "customer_id": None}
    worker.restart(FOR_ANYBODY)
    await worker.take(routed(started(customer_id=None), **anonymous))
    await worker.hear(10, "cancel_service", **anonymous)
    await worker.tick(80)
    await worker.tick(10 + 1800)
    assert worker.state("c1").settle_at == at(1810 + DAY)
    told = ConversationIdentified(event_id="login", conversation_id="c1", at=at(2000), customer_id="dana")
    await worker.take(routed(told, route_key="c1", customer_id="dana"), 2000)
    await worker.tick(2001 + 2 * DAY)
    sequence = worker.state("c1").sequence
    await worker.tick(2002 + 2 * DAY)
    await worker.tick(2003 + 3 * DAY)
    assert worker.state("c1").settle_at is None
    assert worker.state("c1").sequence == sequence
    assert lessons(worker) == [("keep", "expiry", 0.0, None)]
