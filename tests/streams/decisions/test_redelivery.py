"""What comes again, or after a death anywhere, tells the world the same; what cannot be read is buried."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import at, customer_event, ended, record, routed, scored, scores, started, turn
from fakes import Rows
from guidance.decision.rules import Rules
from schemas.codec import decode, encode
from schemas.conversation import Speaker
from schemas.dead_letter import DEAD_LETTER
from schemas.guidance import PromptState, Tick
from schemas.learning import LESSON
from schemas.topics import (
    CUSTOMER_EVENTS,
    DEAD_LETTERS,
    DECISIONS,
    DESK_TOPIC,
    INTENTS_TOPIC,
    LESSONS,
    OUTCOMES,
    SNAPSHOTS,
    TICKS,
)
from small_catalog import changed
from streams.bus.partitioner import partition_for
from streams.bus.ports import Message, Record
from streams.decisions.processor import DecisionsProcessor

KNOWN = customer_event(facts={"tenure_months": 74, "monthly_bill": 48.0, "products": ("fibre", "tv")})


async def test_the_new_catalogue_is_used_from_the_next_turn_on(worker):
    await worker.take(routed(started()))
    worker.restart(changed(("words: Let us look at your plan together.", "words: Something else.")))
    await worker.hear(10, "cancel_service")
    assert worker.live.words == "Something else."


async def test_an_input_twice_in_one_batch_is_folded_once(worker):
    scored_turn = scored(turn(), "cancel_service")
    messages = [Message(INTENTS_TOPIC.name, "dana", encode(each)) for each in (routed(), scored_turn, scored_turn)]
    worker.bus.publish(messages, at(10))
    await worker.bus.run([worker.processor])
    first, again = worker.decisions
    assert first == again
    assert worker.state().live["c1"].turns == 1


async def test_inputs_of_different_kinds_with_the_same_id_do_not_take_each_others_place(worker):
    await worker.take(customer_event(event_id="x", facts={"tenure_months": 74}))
    await worker.take(routed(started(event_id="x")))
    await worker.hear(10, "cancel_service", turn_id="x")
    assert worker.state().live["c1"].turns == 1
    assert [decision.winner for decision in worker.decisions] == ["keep"]


@pytest.mark.parametrize(
    ("topic", "value", "reason"),
    [
        (INTENTS_TOPIC.name, b"not json", "JSON"),
        (INTENTS_TOPIC.name, b'{"type":"scored.turn"}', "turn"),
        (INTENTS_TOPIC.name, None, ""),
        (CUSTOMER_EVENTS.name, b'{"type":"customer.event","event_id":1}', "event_id"),
        (OUTCOMES.name, b"[]", ""),
    ],
)
async def test_what_cannot_be_read_is_buried_with_its_reason_and_the_rest_goes_on(worker, topic, value, reason):
    await worker.take_message(Message(topic, "dana", value), at(5))
    await worker.take(routed(started()), 6)
    (letter,) = (decode(DEAD_LETTER, each.value) for each in worker.records(DEAD_LETTERS.name))
    assert (letter.topic, letter.processor, letter.key) == (topic, "decisions", "dana")
    assert reason in letter.reason
    assert "c1" in worker.state().live


async def test_what_is_buried_holds_no_card_number(worker):
    broken = json.loads(encode(scored(turn("my card is 4111 1111 1111 1111"))))
    del broken["received_at"]
    await worker.take_message(Message(INTENTS_TOPIC.name, "dana", json.dumps(broken).encode()), at(5))
    (record,) = worker.records(DEAD_LETTERS.name)
    assert b"4111" not in record.value


async def test_a_record_keyed_by_something_else_is_buried(worker):
    await worker.take(routed(started()), key="c1")
    (record,) = worker.records(DEAD_LETTERS.name)
    assert "keyed" in decode(DEAD_LETTER, record.value).reason
    assert worker.state().live == {}


def log_of(said: list[tuple[str, str]]) -> list[Record]:
    """A log of one customer's inputs and ticks, as one partition holds them."""
    topics = {"event": CUSTOMER_EVENTS.name, "tick": TICKS.name}
    log = [record(KNOWN, CUSTOMER_EVENTS.name, "dana", partitions=4)]
    log += [record(routed(started()), INTENTS_TOPIC.name, "dana", partitions=4)]
    for number, (kind, label) in enumerate(said):
        seconds = 10 * number + 10
        spoken = turn(turn_id=f"t{number}", started_at=at(seconds), ended_at=at(seconds))
        event = {
            "customer": scored(spoken, scores=scores(label, churn_risk=1.0)),
            "agent": scored(spoken.model_copy(update={"speaker": Speaker.AGENT}), scores=scores("makes_offer")),
            "end": routed(ended(event_id=f"end{number}")),
            "event": customer_event(event_id=f"e{number}", facts={"vulnerable": label == "vulnerability"}),
            "tick": Tick(at=at(seconds)),
        }[kind]
        topic = topics.get(kind, INTENTS_TOPIC.name)
        log.append(record(event, topic, "dana", offset=number + 1, when=at(seconds), partitions=4))
    return log


LEARNS_AT_ONCE = changed(("most_prompts_per_conversation: 4", "outcome_wait_minutes: 0"))
"""What comes of a prompt is published as its conversation ends."""

INPUTS = st.lists(
    st.tuples(
        st.sampled_from(["customer", "customer", "customer", "agent", "tick", "event", "end"]),
        st.sampled_from(["cancel_service", "escalation", "declines_offer", "vulnerability", "technical_problem"]),
    ),
    max_size=14,
)


class Cluster:
    """Workers one after the other on the same rows, and all that they published."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.told: dict[tuple[str, str | None], dict[bytes | None, None]] = {}
        self.restart()

    def restart(self) -> None:
        self.processor = DecisionsProcessor(lambda: Rules(LEARNS_AT_ONCE), 4)

    async def take(self, log: list[Record], start: int, stop: int, size: int) -> None:
        """Batches of `size`, each carried out whole."""
        for begin in range(start, stop, size):
            effects = await self.processor.process(log[begin : min(begin + size, stop)], self.rows)
            self.rows.carry_out(effects.writes)
            for each in effects.messages:
                self.told.setdefault((each.topic, each.key), {})[each.value] = None

    async def die(self, batch: list[Record], after: int) -> None:
        """Die once `after` rows of the batch are written; nothing of it was published."""
        effects = await self.processor.process(batch, self.rows)
        self.rows.carry_out(effects.writes[:after])
        self.restart()

    def heard(self) -> dict[tuple[str, str | None], list[bytes | None]]:
        """What consumers that drop duplicates have heard, by topic and key, in order."""
        return {key: list(values) for key, values in self.told.items()}


@settings(max_examples=60, deadline=None)
@given(INPUTS, st.data())
async def test_killed_anywhere_the_world_is_told_the_same_in_the_same_order(said, data):
    log = log_of(said)
    undisturbed, killed = Cluster(), Cluster()
    await undisturbed.take(log, 0, len(log), len(log))

    size, at_record = data.draw(st.integers(1, 5)), data.draw(st.integers(0, len(log)))
    await killed.take(log, 0, at_record, size)
    await killed.die(log[at_record : at_record + size], after=data.draw(st.integers(0, 6)))
    committed = data.draw(st.integers(0, at_record))
    await killed.take(log, committed, len(log), data.draw(st.integers(1, 5)))
    assert killed.heard() == undisturbed.heard()


async def test_the_log_that_is_killed_over_has_lessons_in_it():
    cluster = Cluster()
    log = log_of([("customer", "cancel_service"), ("agent", ""), ("customer", "declines_offer"), ("end", "")])
    await cluster.take(log, 0, len(log), len(log))
    ((topic, key), (lesson,)) = next(each for each in cluster.told.items() if each[0][0] == LESSONS.name)
    assert (topic, key, decode(LESSON, lesson).reward) == (LESSONS.name, "keep", 0.0)


async def test_a_turn_redelivered_after_a_new_catalogue_is_answered_as_it_first_was(worker):
    await worker.take(KNOWN)
    await worker.take(routed(started()))
    await worker.hear(10, "cancel_service")
    await worker.report(PromptState.DISMISSED, worker.live, 15)
    topics = (DECISIONS.name, DESK_TOPIC.name, SNAPSHOTS.name)
    first = {topic: [(each.key, each.value) for each in worker.records(topic)] for topic in topics}
    state = worker.state()

    worker.restart(changed(("prior: 0.5", "prior: 0.1"), ("bring your bill", "cut your bill")))
    worker.redeliver()
    await worker.bus.run([worker.processor])
    again = {topic: [(each.key, each.value) for each in worker.records(topic)] for topic in topics}
    for topic, before in first.items():
        assert sorted(again[topic], key=repr) == sorted(before * 2, key=repr)
    assert worker.state() == state


async def test_a_record_on_a_partition_not_its_own_goes_home_and_is_taken_there(worker):
    home = partition_for("dana", 4)
    await worker.take_message(Message(INTENTS_TOPIC.name, "dana", encode(routed(started())), (home + 1) % 4), at(0))
    assert [each.partition for each in worker.records(INTENTS_TOPIC.name)] == sorted([home, (home + 1) % 4])
    assert "c1" in worker.state().live
    assert len(worker.desk()) == 1


@pytest.mark.parametrize("restarted", [False, True])
async def test_ticks_expire_prompts_and_close_silent_conversations_whoever_reads_them(worker, restarted):
    await worker.take(KNOWN)
    await worker.take(routed(started()))
    await worker.hear(10, "cancel_service")
    if restarted:
        worker.restart()
    await worker.tick(69)
    assert worker.desk()[-1].type == "prompt"
    await worker.tick(70)
    assert worker.desk()[-1].ending.state is PromptState.EXPIRED
    if restarted:
        worker.restart()
    await worker.tick(10 + 1800)
    assert [record.type for record in worker.desk()[-2:]] == ["prompt.ended", "conversation.closed"]
    assert worker.desk()[-1].reason == "idle"
    assert worker.snapshots()[-1] is None
