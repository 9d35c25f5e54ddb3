"""Desks at a gateway, over real websockets and a real Kafka."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kafka import KafkaAdminClient, TopicPartition
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from builders import asked, desk_turn, issued, opened, prompt, prompt_ended, snapshot
from guidance.gateway import hub
from schemas.agent_frames import OfferAnswer, OutcomeReport, WrapUpReport
from schemas.desk import DeskSpan, DeskTurn, PromptIssued
from schemas.desk_session import Hello, Ping
from schemas.guidance import PromptState
from schemas.outcomes import DismissReason
from schemas.topics import DESK_TOPIC
from streams.bus.partitioner import partition_for

pytestmark = pytest.mark.broker

LATER = datetime.now(UTC) + timedelta(hours=1)
Start = Callable[..., AbstractAsyncContextManager[Any]]
Sit = Callable[..., AbstractAsyncContextManager[Any]]


def turns(agent_id: str, *numbers: int, text: str = "hello") -> list[DeskTurn]:
    return [
        desk_turn(agent_id=agent_id, record_id=f"{agent_id}-{n}", turn_id=f"{agent_id}-t{n}", text=text)
        for n in numbers
    ]


def ids(agent_id: str, *numbers: int) -> list[str]:
    return [f"{agent_id}-{n}" for n in numbers]


def fresh(agent_id: str, *, stale: bool = False, **fields: Any) -> PromptIssued:
    """A prompt for the agent that is live now, or has just expired; its route key is the agent's name, once."""
    now = datetime.now(UTC)
    expires_at = now + timedelta(seconds=-1 if stale else 60)
    made = prompt(
        prompt_id=f"{agent_id}-prompt", agent_id=agent_id, route_key=f"{agent_id}-customer", created_at=now,
        turn_ended_at=now, expires_at=expires_at, **fields,
    )  # fmt: skip
    return issued(made, agent_id=agent_id)


async def until_closed(socket: Any) -> tuple[list[str], ConnectionClosed]:
    """The ids of the records that still come, and how the connection ends."""
    seen = []
    while True:
        try:
            frame = await socket.hear()
        except ConnectionClosed as closed:
            return seen, closed
        if frame["type"] == "record":
            seen.append(frame["record"]["record_id"])


async def test_a_record_reaches_all_desks_of_its_agent_and_no_other(bus: Any, start: Start, sit: Sit) -> None:
    async with start() as serving, sit(serving, "a1") as left, sit(serving, "a1") as right, sit(serving, "a2") as other:
        for socket in (left, right, other):
            await socket.hear_of("reset")
        await bus.tell(*turns("a1", 1, 2))
        assert await left.records(2) == ids("a1", 1, 2)
        assert await right.records(2) == ids("a1", 1, 2)
        assert await other.hears_nothing_more()


async def test_an_outcome_is_acknowledged_once_it_is_in_kafka(bus: Any, start: Start, sit: Sit) -> None:
    async with start() as serving, sit(serving, "b1") as socket:
        await socket.hear_of("reset")
        await bus.tell(fresh("b1"))
        await socket.records(1)
        report = OutcomeReport(prompt_id="b1-prompt", state=PromptState.DISMISSED, reason=DismissReason.NOT_NOW)
        await socket.say(report)
        ack = await socket.hear_of("ack")
        assert (ack["outcome_id"], ack["state"]) == ("b1-prompt:dismissed", "dismissed")
        delivered, dismissed = await bus.outcomes("b1-customer", 2)
    assert (delivered.state, delivered.outcome_id) == (PromptState.DELIVERED, "b1-prompt:delivered")
    assert (dismissed.reason, dismissed.agent_id) == (DismissReason.NOT_NOW, "b1")


async def test_two_desktops_deliver_a_prompt_once(bus: Any, start: Start, sit: Sit) -> None:
    async with start() as serving, sit(serving, "c1") as left, sit(serving, "c1") as right:
        await left.hear_of("reset")
        await right.hear_of("reset")
        await bus.tell(fresh("c1"))
        await left.records(1)
        await right.records(1)
        await right.say(OutcomeReport(prompt_id="c1-prompt", state=PromptState.SHOWN))
        await right.hear_of("ack")
        states = [each.state for each in await bus.outcomes("c1-customer", 2)]
    assert sorted(states) == [PromptState.DELIVERED, PromptState.SHOWN]


@pytest.mark.parametrize("window", [20_000, 0], ids=["from memory", "from Kafka"])
async def test_who_comes_back_gets_exactly_what_was_missed(bus: Any, start: Start, sit: Sit, window: int) -> None:
    agent = f"d{window}"
    async with start(window=window) as serving:
        async with sit(serving, agent) as socket:
            await socket.hear_of("reset")
            await bus.tell(*turns(agent, 1, 2, 3))
            assert await socket.records(3) == ids(agent, 1, 2, 3)
        await bus.tell(*turns(agent, 4), *turns(f"{agent}-other", 1), *turns(agent, 5))
        async with sit(serving, agent, socket.cursor) as again:
            assert (await again.hear())["resumed"] is True
            assert await again.records(2) == ids(agent, 4, 5)
            await bus.tell(*turns(agent, 6))
            assert await again.records(1) == ids(agent, 6)
            assert await again.hears_nothing_more()


async def test_another_gateway_goes_on_where_the_first_died(bus: Any, start: Start, sit: Sit) -> None:
    async with start() as first, sit(first, "e1") as socket:
        await socket.hear_of("reset")
        await bus.tell(*turns("e1", 1), fresh("e1"))
        await socket.records(2)
    await bus.tell(*turns("e1", 2, 3))
    async with start() as second, sit(second, "e1", socket.cursor) as again:
        assert (await again.hear())["resumed"] is True
        assert await again.records(2) == ids("e1", 2, 3)
        await again.say(OutcomeReport(prompt_id="e1-prompt", state=PromptState.ACCEPTED))
        assert (await again.hear_of("ack"))["prompt_id"] == "e1-prompt"


async def test_a_desk_that_another_gateway_served_further_goes_on_there(bus: Any, start: Start, sit: Sit) -> None:
    async with start() as serving:
        async with sit(serving, "f1") as socket:
            await socket.hear_of("reset")
            topic_id, partition, offset = socket.cursor.split("/")
        ahead = f"{topic_id}/{partition}/{int(offset) + 1}"
        await bus.publisher.publish([])
        last = await bus.tell(*turns("f1", 1))
        assert last == int(offset)
        async with sit(serving, "f1", ahead) as again:
            assert (await again.hear())["resumed"] is True
            await bus.tell(*turns("f1", 2))
            assert await again.records(1) == ids("f1", 2)


async def test_pongs_move_a_quiet_desks_cursor_on(bus: Any, start: Start, sit: Sit) -> None:
    async with start() as serving, sit(serving, "g1") as socket:
        await socket.hear_of("reset")
        partitions = (await bus.readers.describe(DESK_TOPIC.name)).partitions
        home = partition_for("g1", partitions)
        neighbour = next(name for n in range(1000) if partition_for(name := f"n{n}", partitions) == home)
        last = await bus.tell(*turns(neighbour, 1))
        async with asyncio.timeout(10):
            while int(socket.cursor.rpartition("/")[2]) <= last:
                await socket.say(Ping(n=7))
                assert (await socket.hear_of("pong"))["n"] == 7


async def test_a_page_opened_in_mid_call_gets_the_transcript_and_the_live_prompt(
    bus: Any, start: Start, sit: Sit
) -> None:
    live = fresh("h1", conversation_id="h-call")
    now = datetime.now(UTC)
    records = [
        opened(agent_id="h1", conversation_id="h-call", record_id="h-opened"),
        desk_turn(agent_id="h1", conversation_id="h-call", record_id="h-t1", turn_id="h-t1"),
        live.model_copy(update={"conversation_id": "h-call"}),
    ]
    before = desk_turn(agent_id="h0", conversation_id="h-call", record_id="h-t0", turn_id="h-t0", text="earlier")
    await bus.tell(before)
    await bus.tell(*records)
    span = {"since": now - timedelta(seconds=1)}
    standing = snapshot(
        conversation_id="h-call", agent_id="h1", live_prompt=live.prompt,
        spans=(DeskSpan(agent_id="h0", **span), DeskSpan(agent_id="h1", **span)),
    )  # fmt: skip
    await bus.snapshot(standing)
    async with start() as serving, sit(serving, "h1") as socket:
        welcome, reset = await socket.hear(), await socket.hear()
        assert (welcome["resumed"], reset["why"]) == (False, "no_cursor")
        (conversation,) = reset["conversations"]
        assert conversation["snapshot"]["live_prompt"]["prompt_id"] == "h1-prompt"
        told = [record["record_id"] for record in conversation["records"]]
        assert told == ["h-t0", "h-opened", "h-t1", live.record_id]
        await socket.say(OutcomeReport(prompt_id="h1-prompt", state=PromptState.ACCEPTED))
        await socket.hear_of("ack")
        ended = prompt_ended(agent_id="h1", conversation_id="h-call", record_id="h-ended")
        await bus.tell(ended)
        assert await socket.records(1) == ["h-ended"]
        states = {each.state for each in await bus.outcomes("h1-customer", 2)}
    assert states == {PromptState.DELIVERED, PromptState.ACCEPTED}


async def test_a_stale_prompt_is_dropped_and_recorded_as_expired(bus: Any, start: Start, sit: Sit) -> None:
    async with start() as serving, sit(serving, "i1") as socket:
        await socket.hear_of("reset")
        await bus.tell(fresh("i1", stale=True), *turns("i1", 1))
        assert await socket.records(1) == ids("i1", 1)
        (expired,) = await bus.outcomes("i1-customer", 1)
    assert expired.state is PromptState.EXPIRED


async def test_a_desk_that_does_not_read_is_let_go_and_loses_nothing(bus: Any, start: Start, sit: Sit) -> None:
    count, long_text = 400, "x" * 60_000
    async with start(queue_max=20) as serving:
        async with sit(serving, "j1") as socket:
            await socket.hear_of("reset")
            socket.connection.transport.pause_reading()
            for n in range(0, count, 20):
                await bus.tell(*turns("j1", *range(n, n + 20), text=long_text))
            await asyncio.sleep(1.0)
            socket.connection.transport.resume_reading()
            seen, closed = await until_closed(socket)
            assert closed.rcvd is None or closed.rcvd.code == 1013
        assert len(seen) < count
        async with start(queue_max=2 * count) as patient, sit(patient, "j1", socket.cursor) as again:
            seen += await again.records(count - len(seen))
    assert seen == ids("j1", *range(count))


async def test_a_cursor_of_another_kafka_is_told_so(bus: Any, start: Start, sit: Sit) -> None:
    async with start() as serving:
        for cursor in ("of-another-topic/0/5", "nonsense"):
            async with sit(serving, "k1", cursor) as socket:
                assert (await socket.hear())["resumed"] is False
                assert (await socket.hear())["why"] == "unknown_topic"


async def test_a_cursor_beyond_the_log_is_told_so(bus: Any, start: Start, sit: Sit) -> None:
    async with start() as serving:
        async with sit(serving, "k2") as socket:
            await socket.hear_of("reset")
        async with sit(serving, "k2", socket.cursor.rpartition("/")[0] + "/999999999") as again:
            assert (await again.hear_of("reset"))["why"] == "unknown_topic"


async def test_a_desk_that_was_away_for_too_long_is_told_so(bus: Any, start: Start, sit: Sit) -> None:
    async with start(window=0) as serving:
        async with sit(serving, "l1") as socket:
            await socket.hear_of("reset")
        last = await bus.tell(*turns("l1", 1, 2))
        partition = int(socket.cursor.split("/")[1])
        with KafkaAdminClient(**bus.settings.for_kafka_python()) as admin:
            await asyncio.to_thread(admin.delete_records, {TopicPartition(DESK_TOPIC.name, partition): last + 1})
        async with sit(serving, "l1", socket.cursor) as again:
            assert (await again.hear_of("reset"))["why"] == "too_old"


async def test_a_desk_that_missed_too_much_starts_anew(
    bus: Any, start: Start, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_MOST_MISSED", 3)
    async with start() as serving:
        async with sit(serving, "m1") as socket:
            await socket.hear_of("reset")
        await bus.tell(*turns("m1", 1, 2, 3, 4))
        await asyncio.sleep(0.5)
        async with sit(serving, "m1", socket.cursor) as again:
            assert (await again.hear_of("reset"))["why"] == "overflow"


async def test_a_wrong_token_is_refused_in_words(bus: Any, start: Start, sit: Sit) -> None:
    async with start() as serving, connect(serving.websocket_url, compression=None, proxy=None) as connection:
        await connection.send(Hello(token="wrong", role="agent", agent_id="n1").model_dump_json())
        assert "token" in str(await connection.recv())
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


async def test_a_page_from_elsewhere_may_not_connect(bus: Any, start: Start) -> None:
    async with start(origins=("https://crm.example",)) as serving:
        with pytest.raises(InvalidStatus):
            async with connect(serving.websocket_url, origin="https://elsewhere.example", proxy=None):
                pass
        for origin in (serving.http_url, "https://crm.example"):
            async with connect(serving.websocket_url, origin=origin, proxy=None):
                pass


async def test_a_gateway_that_stops_says_so(bus: Any, start: Start, sit: Sit) -> None:
    async with start() as serving:
        going = sit(serving, "o1")
        socket = await going.__aenter__()
        await socket.hear_of("reset")
    refused = await socket.hear_of("refused")
    assert (refused["code"], refused["closes"]) == ("going_away", True)
    with pytest.raises(ConnectionClosed) as closed:
        await socket.hear()
    assert closed.value.rcvd.code == 1001
    await going.__aexit__(None, None, None)


async def test_an_answer_is_in_kafka_in_its_order_before_it_is_acknowledged(bus: Any, start: Start, sit: Sit) -> None:
    question = asked(
        record_id="asked-uma", agent_id="uma", route_key="uma-customer", until=datetime.now(UTC) + timedelta(minutes=3)
    )
    offer = OfferAnswer(prompt_id=question.offers[0].prompt_id, result="declined")
    async with start() as serving, sit(serving, "uma") as desk:
        await desk.hear_of("welcome")
        await bus.tell(question)
        assert (await desk.hear_of("record"))["record"]["type"] == "outcome.asked"
        await desk.say(WrapUpReport(ask_id="asked-uma", offers=(offer,)))
        assert (await desk.hear_of("wrapped_up"))["ask_id"] == "asked-uma"
        told = await bus.outcomes("uma-customer", 2, within_s=0.5)
    assert [each.type for each in told] == ["business.outcome", "wrap.up"]
    assert told[0].result == "declined"


async def test_a_question_may_be_answered_through_another_gateway(bus: Any, start: Start, sit: Sit) -> None:
    question = asked(
        record_id="asked-vera",
        agent_id="vera",
        route_key="vera-customer",
        until=datetime.now(UTC) + timedelta(minutes=3),
    )
    async with start() as first, sit(first, "vera") as desk:
        await desk.hear_of("welcome")
        await bus.tell(question)
        await desk.hear_of("record")
        cursor = desk.cursor
    async with start() as second, sit(second, "vera", cursor) as desk:
        await desk.hear_of("welcome")
        await desk.say(WrapUpReport(ask_id="asked-vera"))
        assert (await desk.hear_of("wrapped_up"))["ask_id"] == "asked-vera"
    assert [each.type for each in await bus.outcomes("vera-customer", 1)] == ["wrap.up"]


async def test_an_agents_note_is_redacted_before_it_is_stored(bus: Any, start: Start, sit: Sit) -> None:
    own = fresh("wim")
    note = "they read me 4111 1111 1111 1111, wrong customer"
    async with start() as serving, sit(serving, "wim") as desk:
        await desk.hear_of("welcome")
        await bus.tell(own)
        await desk.hear_of("record")
        wrong = {"state": PromptState.DISMISSED, "reason": DismissReason.WRONG_INTENT, "note": note}
        await desk.say(OutcomeReport(prompt_id=own.prompt.prompt_id, **wrong))
        await desk.hear_of("ack")
        told = await bus.outcomes("wim-customer", 2)
    [dismissed] = [each for each in told if each.state is PromptState.DISMISSED]
    assert dismissed.note == "they read me [CARD], wrong customer"
