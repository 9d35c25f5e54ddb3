"""Sample conversations at a steady rate, many runs of them at once, sent by a client that is not ours."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from kafka import KafkaProducer

from deploy.recording import Line, moved, read, renamed, samples
from schemas.conversation import Turn


def lines_of(turns: int, run: str) -> list[Line]:
    """Recorded events with `turns` final turns among them, several renamed runs told side by side."""
    recording = read(samples())
    finals = sum(line.is_final_turn for line in recording)
    runs = [list(renamed(recording, f"{run}{number}")) for number in range(-(-turns // finals))]
    return list(_up_to(turns, (run[place] for place in range(len(recording)) for run in runs)))


def _up_to(turns: int, lines: Iterator[Line]) -> Iterator[Line]:
    for line in lines:
        yield line
        turns -= line.is_final_turn
        if not turns:
            return


async def send(
    lines: list[Line], bootstrap: str, per_second: float, on_turn: Callable[[str, int, datetime], None]
) -> None:
    """Send all, `per_second` final turns a second. `on_turn` is told each final turn's id, its number and when."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=0, retries=10)
    loop = asyncio.get_running_loop()
    started, number = loop.time(), 0
    for line in lines:
        now = datetime.now(UTC)
        message = moved(line, line.at, now, 1.0).message
        producer.send(message.topic, key=message.key.encode(), value=message.value)
        if line.is_final_turn and isinstance(line.event, Turn):
            on_turn(line.event.turn_id, number, now)
            number += 1
            await asyncio.sleep(max(0.0, started + number / per_second - loop.time()))
    await asyncio.to_thread(producer.flush, 60)
    producer.close()
