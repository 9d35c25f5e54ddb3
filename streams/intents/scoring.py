"""The model behind a circuit: a turn is scored in time or goes on without scores (rules only), never late."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import SimpleQueue

from models.serving import Utterance
from schemas.intent import Scores
from streams.bus.metrics import MODEL_SECONDS, MODEL_UP

Score = Callable[[Sequence[Utterance]], list[Scores]]
"""Utterances in, as many scores out, in order. Blocking; runs on a thread of its own."""
_Call = tuple[Future[list[Scores]], Sequence[Utterance]]

_LOG = logging.getLogger(__name__)


class Scoring:
    """Scores batches off the event loop, one at a time.

    A batch gets `floor_s` seconds plus `each_s` a turn. One that overruns or raises opens the circuit: its turns, and
    all until that call has come back and `rest_s` have passed, go without scores. Told on the metric
    `livecue_model_up`.
    """

    def __init__(self, score: Score, *, floor_s: float = 0.5, each_s: float = 0.05, rest_s: float = 5.0) -> None:
        self._score = score
        self._floor_s, self._each_s, self._rest_s = floor_s, each_s, rest_s
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        # Not an executor's: the interpreter would wait for its threads at the end, and a call that hangs never ends.
        threading.Thread(target=self._work, name="scoring", daemon=True).start()
        self._overrun: asyncio.Future[list[Scores]] | None = None
        self._closed_again_at = 0.0
        MODEL_UP.set(1)

    async def score(self, turns: Sequence[Utterance]) -> list[Scores | None]:
        """One entry a turn, in order; None: no scores for this one. Never raises."""
        if not turns:
            return []
        loop = asyncio.get_running_loop()
        if (self._overrun and not self._overrun.done()) or loop.time() < self._closed_again_at:
            return [None] * len(turns)
        answer: Future[list[Scores]] = Future()
        self._calls.put((answer, turns))
        call = asyncio.wrap_future(answer)
        started, within_s = loop.time(), self._floor_s + self._each_s * len(turns)
        try:
            scores = await asyncio.wait_for(asyncio.shield(call), within_s)
        except Exception as error:
            why = str(error) or f"{len(turns)} turns took more than {within_s:.2f} s"
            _LOG.error("the model is out of use for %.0f s: %s: %s", self._rest_s, type(error).__name__, why)
            self._open(call, loop.time())
            return [None] * len(turns)
        MODEL_SECONDS.observe(loop.time() - started)
        MODEL_UP.set(1)
        return list(scores)

    def close(self) -> None:
        """Let the thread go; a call that hangs is left behind."""
        self._calls.put(None)

    def _open(self, call: asyncio.Future[list[Scores]], now: float) -> None:
        self._overrun = call
        call.add_done_callback(lambda done: done.cancelled() or done.exception())  # retrieved: told above
        self._closed_again_at = now + self._rest_s
        MODEL_UP.set(0)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            answer, turns = call
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                answer.set_result([scores for _, scores in zip(turns, self._score(turns), strict=True)])
            except Exception as error:
                answer.set_exception(error)
