"""Headless desktops that act like agents: they read every prompt, think for a moment, and take it or not."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Self

from deploy.desk_client import Arrival, DeskClient
from deploy.tally import Tally
from schemas.desk import DeskTurn, PromptIssued
from schemas.guidance import Prompt, PromptState
from schemas.outcomes import DismissReason, outcome_id_of

_THINKING_S = (0.5, 3.0)
_ACCEPT_SHARE = 0.6
_REASONS = (DismissReason.NOT_NOW, DismissReason.WRONG_INTENT, DismissReason.ALREADY_SAID)


class Desks:
    """One desk for each of `agents`, all counting into one tally. Use as an async context manager."""

    def __init__(self, agents: Sequence[str], url: str, token: str, tally: Tally, seed: int = 7) -> None:
        self._clients = {agent: DeskClient(url, token=token, agent_id=agent) for agent in agents}
        self._random = Random(seed)
        self._tally = tally
        self._work: list[asyncio.Task[None]] = []
        self._answers: set[asyncio.Task[None]] = set()

    @property
    def thinking(self) -> bool:
        """Whether an answer is still on its way."""
        return bool(self._answers)

    async def __aenter__(self) -> Self:
        self._work = [asyncio.create_task(self._sit_at(client)) for client in self._clients.values()]
        while not all(client.sessions for client in self._clients.values()):
            for task in self._work:
                if task.done():
                    task.result()
            await asyncio.sleep(0.05)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (*self._work, *self._answers):
            task.cancel()
        await asyncio.gather(*self._work, *self._answers, return_exceptions=True)

    async def _sit_at(self, client: DeskClient) -> None:
        async for arrival in client.arrivals():
            self._see(client, arrival)

    def _see(self, client: DeskClient, arrival: Arrival) -> None:
        record = arrival.record
        if isinstance(record, DeskTurn) and record.is_final:
            self._tally.turns_at.setdefault(record.turn_id, arrival.at)
        if isinstance(record, PromptIssued) and arrival.standing:
            self._tally.render(record.prompt.prompt_id, arrival.at)
            answer = asyncio.create_task(self._answer(client, record.prompt))
            self._answers.add(answer)
            answer.add_done_callback(self._answers.discard)

    async def _answer(self, client: DeskClient, prompt: Prompt) -> None:
        await client.report(prompt.prompt_id, PromptState.SHOWN)
        self._tally.outcomes.add(outcome_id_of(prompt.prompt_id, PromptState.SHOWN))
        if prompt.pinned:  # ticked off by being heard
            return
        await asyncio.sleep(self._random.uniform(*_THINKING_S))
        accepts = self._random.random() < _ACCEPT_SHARE
        state = PromptState.ACCEPTED if accepts else PromptState.DISMISSED
        await client.report(prompt.prompt_id, state, None if accepts else self._random.choice(_REASONS))
        self._tally.outcomes.add(outcome_id_of(prompt.prompt_id, state))
