"""The circuit: scores in time, or none."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from builders import scores
from schemas.conversation import Speaker
from streams.bus.metrics import MODEL_UP
from streams.intents.scoring import Scoring

TURN = (Speaker.CUSTOMER, "hello")


@pytest.fixture
async def scoring_of() -> AsyncIterator[Callable[..., Scoring]]:
    made: list[Scoring] = []

    def make(score, **settings) -> Scoring:
        made.append(Scoring(score, **settings))
        return made[-1]

    yield make
    for scoring in made:
        scoring.close()


async def test_scores_come_in_the_order_of_the_turns(scoring_of) -> None:
    scoring = scoring_of(lambda turns: [scores(text) for _, text in turns])

    assert [("a",), ("b",)] == [s.fired for s in await scoring.score([(Speaker.AGENT, "a"), (Speaker.CUSTOMER, "b")])]


async def test_the_event_loop_runs_on_while_the_model_works(scoring_of) -> None:
    going = threading.Event()
    scoring = scoring_of(lambda turns: [scores()] if going.wait(5) else [])
    call = asyncio.create_task(scoring.score([TURN]))
    await asyncio.sleep(0.01)
    going.set()

    assert [scores()] == await call


async def test_a_slow_model_costs_one_deadline_and_then_nothing(scoring_of) -> None:
    release = threading.Event()
    scoring = scoring_of(lambda turns: [scores()] * len(turns) if release.wait(5) else [], floor_s=0.05, rest_s=0.0)

    assert [None] == await scoring.score([TURN])
    started = asyncio.get_running_loop().time()
    assert [None, None] == await scoring.score([TURN, TURN])
    assert asyncio.get_running_loop().time() - started < 0.04
    assert 0 == MODEL_UP._value.get()
    release.set()
    await asyncio.sleep(0.05)

    assert [scores()] == await scoring.score([TURN])
    assert 1 == MODEL_UP._value.get()


async def test_a_broken_model_rests_before_it_is_tried_again(scoring_of) -> None:
    calls = []

    def broken(turns):
        calls.append(turns)
        raise RuntimeError("no")

    scoring = scoring_of(broken, rest_s=60)

    assert [[None], [None], [None]] == [await scoring.score([TURN]) for _ in range(3)]
    assert 1 == len(calls)
