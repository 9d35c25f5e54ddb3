"""`intents` on a table in a dict: routed, scored together, redelivered byte for byte, buried where unreadable."""

from collections.abc import AsyncIterator

import pytest

from builders import at, record, scores, started, turn
from fakes import Rows
from schemas.codec import decode
from schemas.conversation import Speaker
from schemas.dead_letter import DEAD_LETTER
from schemas.intent import INTENTS, RoutedLifecycle, ScoredTurn
from schemas.topics import DEAD_LETTERS, INTENTS_TOPIC, TURNS
from streams.bus.metrics import SCORED_BY
from streams.bus.metrics import TURNS as TURNS_COUNTED
from streams.bus.partitioner import partition_for
from streams.bus.ports import Effects, Record
from streams.intents.processor import PARTIAL_WORDS, IntentsProcessor
from streams.intents.scoring import Scoring


class Worker:
    """A processor with its table, run the way the engine does."""

    def __init__(self) -> None:
        self.table = Rows()
        self.scored: list[list[str]] = []
        self.revision = "m1"
        self.scoring = Scoring(self._score)
        self.processor = IntentsProcessor(self.scoring, 12)

    def _score(self, turns):
        self.scored.append([turn.text for turn in turns])
        fields = {"model_revision": self.revision, "stage": "first_stage"}
        return [scores("cancel_service" if turn.is_final else "maybe", **fields) for turn in turns]

    async def run(self, *records: Record) -> Effects:
        effects = await self.processor.process(records, self.table)
        self.table.carry_out(effects.writes)
        return effects


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    made = Worker()
    yield made
    made.scoring.close()


def counted(counter, label: str) -> float:
    return counter.labels(label)._value.get()


def of(event, offset: int = 0, when=None) -> Record:
    return record(event, TURNS.name, event.conversation_id, offset=offset, when=when or at(offset))


async def test_a_batch_is_scored_at_once_and_sent_on_in_order(worker) -> None:
    effects = await worker.run(of(started()), of(turn("first", "t1"), 1), of(turn("second", "t2"), 2))

    routed = [decode(INTENTS, message.value) for message in effects.messages]
    assert [RoutedLifecycle, ScoredTurn, ScoredTurn] == [type(r) for r in routed]
    assert [["first", "second"]] == worker.scored
    assert ["dana"] * 3 == [message.key for message in effects.messages]
    assert [INTENTS_TOPIC.name] * 3 == [message.topic for message in effects.messages]
    assert ("dana", "ada", at(1)) == (routed[1].customer_id, routed[1].agent_id, routed[1].received_at)


async def test_a_redelivery_publishes_the_same_bytes_under_another_model(worker) -> None:
    records = of(started()), of(turn(), 1)
    first = await worker.run(*records)
    worker.revision = "m2"

    again = await worker.run(*records)

    assert first.messages == again.messages
    assert [] == list(again.writes)


async def test_an_input_twice_in_one_batch_goes_on_once(worker) -> None:
    effects = await worker.run(of(turn(), 0), of(turn(), 1))

    assert 1 == len(effects.messages)


async def test_a_partial_is_scored_as_one_once_it_says_enough(worker) -> None:
    short = turn("I am", "t1", is_final=False)
    long = turn(" ".join(["word"] * PARTIAL_WORDS), "t1", is_final=False, revision=1)
    before = {outcome: counted(TURNS_COUNTED, outcome) for outcome in ("scored", "skipped")}

    effects = await worker.run(of(short), of(long, 1), of(turn("no", "t1"), 2))

    routed = [decode(INTENTS, message.value).scores for message in effects.messages]
    assert [None, ("maybe",), ("cancel_service",)] == [each and each.fired for each in routed]
    assert before["scored"] + 2 == counted(TURNS_COUNTED, "scored")
    assert before["skipped"] + 1 == counted(TURNS_COUNTED, "skipped")


async def test_turns_are_counted_by_the_stage_that_answered(worker) -> None:
    before = counted(SCORED_BY, "first_stage")

    await worker.run(of(turn("first", "t1")), of(turn("second", "t2"), 1))
    await worker.run(of(turn("second", "t2"), 1))

    assert before + 2 == counted(SCORED_BY, "first_stage")


async def test_without_a_model_turns_go_on_without_scores(worker, monkeypatch) -> None:
    monkeypatch.setattr(worker, "revision", 7)  # no revision: the scores cannot be made
    before = counted(TURNS_COUNTED, "unscored")

    effects = await worker.run(of(turn("first", "t1")), of(turn("second", "t2"), 1))

    assert [None, None] == [decode(INTENTS, message.value).scores for message in effects.messages]
    assert before + 2 == counted(TURNS_COUNTED, "unscored")


async def test_what_is_no_turn_is_buried_redacted_and_the_rest_goes_on(worker) -> None:
    home = partition_for("c1", 12)
    broken = Record(TURNS.name, home, 4, 1_767_603_600_000, b"c1", b'{"type":"turn","text":"card 4111 1111 1111 1111"}')

    effects = await worker.run(broken, of(turn(), 5))

    letter = decode(DEAD_LETTER, effects.messages[0].value)
    assert (DEAD_LETTERS.name, f"{TURNS.name}/{home}/4") == (effects.messages[0].topic, letter.letter_id)
    assert "turn.turn_id" in letter.reason
    assert "4111" not in letter.value
    assert INTENTS_TOPIC.name == effects.messages[1].topic


async def test_a_record_without_its_key_is_buried(worker) -> None:
    keyless = Record(TURNS.name, 0, 0, 0, None, of(turn()).value)

    effects = await worker.run(keyless)

    assert "key turns by conversation_id" in decode(DEAD_LETTER, effects.messages[0].value).reason


async def test_a_record_on_the_wrong_partition_is_sent_to_its_own(worker) -> None:
    here = of(turn())
    astray = Record(here.topic, (here.partition + 1) % 12, 9, here.timestamp_ms, here.key, here.value)

    effects = await worker.run(astray)

    assert (here.topic, here.partition, here.value) == (
        effects.messages[0].topic, effects.messages[0].partition, effects.messages[0].value,
    )  # fmt: skip
    assert [] == list(effects.writes)


async def test_order_and_state_hold_across_batches(worker) -> None:
    await worker.run(of(started(agent_id="ben")))

    effects = await worker.run(of(turn(speaker=Speaker.AGENT), 1))

    assert "ben" == decode(INTENTS, effects.messages[0].value).agent_id
