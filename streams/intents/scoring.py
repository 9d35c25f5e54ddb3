"""The model behind a circuit: a turn is scored in time or goes on without scores (rules only), never late."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from schemas.conversation import Speaker
from schemas.intent import Scores
from streams.bus.metrics import MODEL_SECONDS, MODEL_UP

Score = Callable[[Sequence[tuple[Speaker, str]]], list[Scores]]
"""(speaker, text) pairs in, as many scores out, in order. Blocking; runs on a thread of its own."""

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
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="scoring")
        self._overrun: asyncio.Future[list[Scores]] | None = None
        self._closed_again_at = 0.0
        MODEL_UP.set(1)

    async def score(self, turns: Sequence[tuple[Speaker, str]]) -> list[Scores | None]:
        """One entry a turn, in order; None: no scores for this one. Never raises."""
        if not turns:
            return []
        loop = asyncio.get_running_loop()
        if (self._overrun and not self._overrun.done()) or loop.time() < self._closed_again_at:
            return [None] * len(turns)
        call = loop.run_in_executor(self._thread, self._score, turns)
        started = loop.time()
        try:
            scores = await asyncio.wait_for(asyncio.shield(call), self._floor_s + self._each_s * len(turns))
        except Exception as error:
            _LOG.error("the model is out of use for %.0f s: %s: %s", self._rest_s, type(error).__name__, error)
            self._open(call, loop.time())
            return [None] * len(turns)
        MODEL_SECONDS.observe(loop.time() - started)
        MODEL_UP.set(1)
        return list(scores)

    def _open(self, call: asyncio.Future[list[Scores]], now: float) -> None:
        self._overrun = call
        call.add_done_callback(lambda done: done.cancelled() or done.exception())  # retrieved: told above
        self._closed_again_at = now + self._rest_s
        MODEL_UP.set(0)

    def close(self) -> None:
        """Let the thread go; a call that hangs is left behind."""
        self._thread.shutdown(wait=False, cancel_futures=True)
