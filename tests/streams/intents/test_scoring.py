"""The circuit: scores in time, or none."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from builders import scores
from models.serving import IntentModel, Utterance
from schemas.conversation import Speaker
from streams.bus.metrics import MODEL_UP
from streams.intents.scoring import Scoring
from tiny_artifact import write_artifact

TURN = Utterance(Speaker.CUSTOMER, "hello")


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
    scoring = scoring_of(lambda turns: [scores(turn.text) for turn in turns])
    turns = [Utterance(Speaker.AGENT, "a"), Utterance(Speaker.CUSTOMER, "b")]

    assert [("a",), ("b",)] == [s.fired for s in await scoring.score(turns)]
    assert [] == await scoring.score([])


async def test_a_real_model_scores_as_it_does_without_the_circuit(scoring_of, tmp_path: Path) -> None:
    write_artifact(tmp_path)
    model = IntentModel.load(tmp_path)
    turns = [Utterance(Speaker.CUSTOMER, text) for text in ("leave", "hello", "")]

    assert model.score(turns) == await scoring_of(model.score).score(turns)


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


@pytest.mark.parametrize("answered", [0, 2])
async def test_a_model_that_answers_fewer_or_more_is_broken(scoring_of, answered: int) -> None:
    assert [None] == await scoring_of(lambda turns: [scores()] * answered).score([TURN])
    assert 0 == MODEL_UP._value.get()


def test_a_model_that_hangs_does_not_keep_its_process() -> None:
    code = """
import asyncio, threading
from models.serving import Utterance
from schemas.conversation import Speaker
from streams.intents.scoring import Scoring

async def run():
    scoring = Scoring(lambda turns: threading.Event().wait(), floor_s=0.05)
    try:
        print(await scoring.score([Utterance(Speaker.CUSTOMER, "hello")]))
    finally:
        scoring.close()

asyncio.run(run())
"""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root, timeout=60
    )

    assert "[None]" == done.stdout.strip()
    assert "1 turns took more than 0.10 s" in done.stderr


async def test_a_broken_model_rests_before_it_is_tried_again(scoring_of) -> None:
    calls = []

    def broken(turns):
        calls.append(turns)
        if len(calls) == 1:
            raise RuntimeError("no")
        return [scores()]

    scoring = scoring_of(broken, rest_s=0.2)

    assert [[None], [None], [None]] == [await scoring.score([TURN]) for _ in range(3)]
    assert (1, 0) == (len(calls), MODEL_UP._value.get())
    await asyncio.sleep(0.25)

    assert [scores()] == await scoring.score([TURN])
    assert (2, 1) == (len(calls), MODEL_UP._value.get())
