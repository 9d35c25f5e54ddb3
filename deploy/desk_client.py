"""A desktop without a browser: says hello, resumes with its cursor, hands over its records, reports outcomes."""

import asyncio
import contextlib
import json
import random
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from schemas.agent_frames import ConversationReplay, OutcomeReport
from schemas.codec import encode
from schemas.desk import DESK, DeskRecord
from schemas.desk_session import Hello, Ping
from schemas.guidance import PromptState
from schemas.outcomes import DismissReason

_MOST_SEEN = 8192
_MOST_BYTES = 64 * 1024 * 1024
"""Of one frame: a reset carries the transcripts of all the agent's live conversations."""
_REPLAYS: TypeAdapter[tuple[ConversationReplay, ...]] = TypeAdapter(tuple[ConversationReplay, ...])


class TurnedAway(RuntimeError):
    """The gateway refuses this desk, and would again."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A record that the desk had not seen before."""

    record: DeskRecord
    at: datetime
    """When it arrived here."""
    standing: bool
    """True: the record is a live one. False: it came in a reset's transcript."""


class DeskClient:
    """One agent's desk at any of `urls`. Reconnects by itself; records are handed over once each, by id."""

    def __init__(self, *urls: str, token: str, agent_id: str) -> None:
        self._urls = urls
        self._hello = Hello(token=token, role="agent", agent_id=agent_id)
        self._socket: ClientConnection | None = None
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._acks: dict[tuple[str, str], asyncio.Future[None]] = {}
        self.cursor: str | None = None
        self.resets = 0
        self.sessions = 0

    async def arrivals(self, *, until: Callable[[], bool] = lambda: False) -> AsyncIterator[Arrival]:
        """Records as they come, for ever, over any number of connections, or until `until()` after one of them.

        Raises:
            TurnedAway: the token or this desk is refused.
        """
        attempt = 0
        while not until():
            try:
                url = self._urls[attempt % len(self._urls)]
                async with connect(url, compression=None, max_size=_MOST_BYTES, proxy=None) as socket:
                    await socket.send(encode(self._hello.model_copy(update={"cursor": self.cursor})), text=True)
                    self._socket = socket
                    heart = asyncio.create_task(_beat(socket))
                    try:
                        async for frame in socket:
                            for arrival in self._take(json.loads(frame)):
                                yield arrival
                            attempt = 0
                            if until():
                                return
                    finally:
                        heart.cancel()
                        self._socket = None
            except (OSError, ConnectionClosed, InvalidHandshake, TimeoutError):
                pass
            attempt += 1
            await asyncio.sleep(min(2.0, 0.1 * 2**attempt) * random.uniform(0.5, 1.0))

    async def report(self, prompt_id: str, state: PromptState, reason: DismissReason | None = None) -> None:
        """Report what became of a prompt; returns once that is safely in Kafka, however often it has to be said."""
        frame = encode(OutcomeReport(prompt_id=prompt_id, state=state, reason=reason))
        acked = self._acks.setdefault((prompt_id, state.value), asyncio.get_running_loop().create_future())
        while not acked.done():
            socket = self._socket
            if socket is not None:
                with contextlib.suppress(ConnectionClosed):
                    await socket.send(frame, text=True)
            await asyncio.wait({acked}, timeout=1.0)
        acked.result()

    def _take(self, frame: dict[str, Any]) -> list[Arrival]:
        now = datetime.now(UTC)
        self.cursor = frame.get("cursor") or self.cursor
        match frame["type"]:
            case "welcome":
                self.sessions += 1
            case "record":
                return self._new(DESK.validate_python(frame["record"]), now, standing=True)
            case "reset":
                self.resets += 1
                return [
                    arrival
                    for replay in _REPLAYS.validate_python(frame["conversations"])
                    for record in replay.records
                    for arrival in self._new(record, now, standing=_stands(record, replay))
                ]
            case "ack":
                self._settle(frame, None)
            case "refused" if frame["code"] in ("token", "rights", "protocol", "malformed", "unexpected"):
                raise TurnedAway(frame["message"])
            case "refused" if frame["prompt_id"] is not None and frame["code"] != "unavailable":
                self._settle(frame, RuntimeError(frame["message"]))
        return []

    def _settle(self, frame: dict[str, Any], error: Exception | None) -> None:
        acked = self._acks.get((frame["prompt_id"], frame["state"]))
        if acked is not None and not acked.done():
            acked.set_result(None) if error is None else acked.set_exception(error)

    def _new(self, record: DeskRecord, now: datetime, *, standing: bool) -> list[Arrival]:
        if record.record_id in self._seen:
            return []
        self._seen[record.record_id] = None
        while len(self._seen) > _MOST_SEEN:
            self._seen.popitem(last=False)
        return [Arrival(record, now, standing)]


def _stands(record: DeskRecord, replay: ConversationReplay) -> bool:
    """Whether a replayed record is to be acted on: a prompt only if it is on the desk now."""
    if record.type != "prompt":
        return False
    live = replay.snapshot.live_prompt
    standing = {prompt.prompt_id for prompt in (*replay.snapshot.pinned, *((live,) if live else ()))}
    return record.prompt.prompt_id in standing


async def _beat(socket: ClientConnection) -> None:
    n = 0
    while True:
        await asyncio.sleep(5.0)
        n += 1
        try:
            await socket.send(encode(Ping(n=n)), text=True)
        except ConnectionClosed:
            return
