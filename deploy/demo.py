"""`livecue demo`: everything on this machine, and a true count of what it did."""

import asyncio
import contextlib
import json
import logging
import os
import secrets
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from deploy.desks import Desks
from deploy.kafka import node, topics
from deploy.kafka.flock import exclusive
from deploy.local import Child, LocalProcesses, free_port
from deploy.player import play
from deploy.publishing import publish
from deploy.recording import Line, compressed, read, renamed, samples
from deploy.settings import cluster
from deploy.tally import Tally
from deploy.workers import catalog_text, load_model
from schemas.codec import decode
from schemas.conversation import Turn
from schemas.desk import DESK, PromptEnded
from schemas.errors import Malformed
from schemas.guidance import DECISION, PromptState
from schemas.outcomes import OUTCOME, PromptOutcome
from schemas.topics import DECISIONS, DESK_TOPIC, OUTCOMES
from streams.bus.connection import KafkaSettings
from streams.bus.ports import Record
from streams.bus.producer import KafkaPublisher
from streams.bus.readers import KafkaReaders, Tail

HOME = Path(".livecue/demo")
_SETTLE_S = 15.0
"""How long a counted run waits at its end for what is still on its way."""
_LONGEST_PAUSE = timedelta(seconds=4)
_OVER = {PromptState.EXPIRED, PromptState.SUPERSEDED, PromptState.RETRACTED, PromptState.FULFILLED}


def run(*, headless: bool, seconds: float | None, as_json: bool, speed: float, http_port: int) -> int:
    """Run the demo until Ctrl-C or for `seconds`, and end all that it started.

    Returns:
        The exit status: 0; 1 when a counted (headless) run lost or doubled anything, or nothing came of it.

    Raises:
        DemoRuns: another demo runs in this folder.
    """
    console = Console(stderr=True)
    logging.getLogger("aiokafka").setLevel(logging.ERROR)  # that it tries again is no news on a node just started
    with contextlib.suppress(KeyboardInterrupt), _alone(), _kafka(console) as kafka:
        return asyncio.run(_run(kafka, console, headless, seconds, as_json, speed, 0 if headless else http_port))
    return 0


class DemoRuns(RuntimeError):
    """Two demos may not share a folder: the second would sweep away the first one's Kafka and tables."""


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    lock = HOME.with_suffix(".lock")  # beside the folder, which each demo begins by deleting
    lock.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(exclusive(lock, wait=False))
        except BlockingIOError:
            raise DemoRuns(
                f"a demo runs already in {HOME.absolute()}: end it, or start this one from another folder"
            ) from None
        yield


@contextlib.contextmanager
def _kafka(console: Console) -> Iterator[KafkaSettings]:
    """The cluster that LIVECUE_KAFKA names, or a node of the demo's own, with nothing from earlier runs in it."""
    if named := os.environ.get("LIVECUE_KAFKA"):
        settings = cluster(named)
        topics.create(settings)
        yield settings
        return
    node.stop(HOME / "kafka")  # one that a killed demo left behind
    shutil.rmtree(HOME, ignore_errors=True)
    with console.status("starting Kafka …") as status:
        started = node.start(
            HOME / "kafka",
            progress=lambda step, done: status.update(step if done is None else f"{step} {done:.0%}"),
        )
    try:
        settings = cluster(started.bootstrap)
        topics.create(settings)
        yield settings
    finally:
        node.stop(HOME / "kafka")


async def _run(
    kafka: KafkaSettings,
    console: Console,
    headless: bool,
    seconds: float | None,
    as_json: bool,
    speed: float,
    http_port: int,
) -> int:
    stopping = _stop_at_signals()
    token = secrets.token_urlsafe(12)
    http, desk = http_port or free_port(), free_port()
    tally = Tally()
    recording = tuple(compressed(read(samples()), _LONGEST_PAUSE))
    async with contextlib.AsyncExitStack() as stack:
        with console.status("publishing the telecom catalogue …"):
            await publish(kafka, catalog_text(None), load_model(None), by="demo")
        processes = await stack.enter_async_context(LocalProcesses(_children(kafka, http, desk, token)))
        with console.status("starting the workers and the gateway …"):
            await processes.ready()
        reading = await stack.enter_async_context(counting(kafka, tally))
        publisher = await stack.enter_async_context(KafkaPublisher(kafka))
        desks = await stack.enter_async_context(
            Desks(agents_of(recording) if headless else (), f"ws://127.0.0.1:{desk}", token, tally)
        )
        _welcome(console, http, token, quiet=as_json)
        playing = asyncio.create_task(_play_for_ever(recording, publisher, tally, speed))
        try:
            with _table(console, tally, processes, quiet=as_json) as refresh:
                await _until(stopping, seconds, refresh, playing, reading)
        finally:
            playing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await playing
        if headless:
            await settle(tally, desks)
    return _report(tally, processes, headless=headless, as_json=as_json)


def _children(kafka: KafkaSettings, http: int, desk: int, token: str) -> list[Child]:
    environment = {"LIVECUE_KAFKA": ",".join(kafka.servers), "LIVECUE_TOKEN": token}
    children = []
    for which in ("intents", "decisions", "learner"):
        port = free_port()
        arguments = ["worker", which, "--http-port", str(port), "--data", str(HOME / "tables")]
        children.append(_child(which, arguments, port, environment))
    arguments = ["gateway", "--port", str(http), "--desk-port", str(desk)]
    return [*children, _child("gateway", arguments, http, environment)]


def _child(name: str, arguments: Sequence[str], port: int, environment: dict[str, str]) -> Child:
    return Child(name, arguments, f"http://127.0.0.1:{port}/readyz", HOME / "logs" / f"{name}.log", environment)


async def _play_for_ever(recording: Sequence[Line], publisher: KafkaPublisher, tally: Tally, speed: float) -> None:
    def sent(line: Line, at: datetime) -> None:
        if line.is_final_turn and isinstance(line.event, Turn):
            tally.sent_at[line.event.turn_id] = at

    loop = 0
    while True:
        loop += 1
        await play(tuple(renamed(recording, str(loop))), publisher, speed=speed, on_sent=sent)


@contextlib.asynccontextmanager
async def counting(kafka: KafkaSettings, tally: Tally) -> AsyncIterator[asyncio.Task[None]]:
    """Reads back what the workers wrote, from now on."""
    positions = await KafkaReaders(kafka).positions([DECISIONS.name, DESK_TOPIC.name, OUTCOMES.name], "latest")

    async def count() -> None:
        async with Tail(kafka, positions) as tail:
            async for batch in tail:
                for record in batch:
                    _count(record, tally)

    task = asyncio.create_task(count())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _count(record: Record, tally: Tally) -> None:
    with contextlib.suppress(Malformed):  # on a shared cluster others may write there: not ours to count
        if record.topic == DECISIONS.name:
            tally.decided(decode(DECISION, record.value))
        elif record.topic == DESK_TOPIC.name:
            shown = decode(DESK, record.value)
            if isinstance(shown, PromptEnded) and shown.ending.state in _OVER:
                tally.ended.add(shown.ending.prompt_id)
        else:
            outcome = decode(OUTCOME, record.value)
            if isinstance(outcome, PromptOutcome) and outcome.state is PromptState.EXPIRED:
                tally.ended.add(outcome.prompt_id)


async def settle(tally: Tally, desks: Desks) -> None:
    """Give what is on its way the time to arrive."""
    deadline = asyncio.get_running_loop().time() + _SETTLE_S
    while (tally.lost or desks.thinking) and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.2)


async def _until(
    stopping: asyncio.Event, seconds: float | None, refresh: Callable[[], None], *work: asyncio.Task[None]
) -> None:
    """Wait for the stop signal or the end of `seconds`; an error in `work` is raised here."""
    loop = asyncio.get_running_loop()
    deadline = None if seconds is None else loop.time() + seconds
    while not stopping.is_set() and (deadline is None or loop.time() < deadline):
        for task in work:
            if task.done():
                task.result()
        refresh()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), 0.5)


def agents_of(recording: Sequence[Line]) -> tuple[str, ...]:
    """Who starts a conversation, or takes one over, in the recording."""
    named = (getattr(line.event, "agent_id", None) for line in recording)
    return tuple(sorted({agent for agent in named if agent}))


def _welcome(console: Console, http: int, token: str, *, quiet: bool) -> None:
    if not quiet:
        console.print(f"\n  agent page       http://127.0.0.1:{http}/agent?agent=ada#token={token}", highlight=False)
        console.print(f"  supervisor page  http://127.0.0.1:{http}/supervisor#token={token}", highlight=False)
        console.print("  Ctrl-C ends it all\n", highlight=False)


@contextlib.contextmanager
def _table(console: Console, tally: Tally, processes: LocalProcesses, *, quiet: bool) -> Iterator[Callable[[], None]]:
    if quiet:
        yield lambda: None
        return
    with Live(console=console, auto_refresh=False) as live:
        yield lambda: live.update(_figures(tally, processes), refresh=True)


def _figures(tally: Tally, processes: LocalProcesses) -> Table:
    summary = tally.summary()
    latency = summary["latency_ms"]
    table = Table(box=None)
    figures = {
        "turns": summary["turns"],
        "decisions": summary["decisions"],
        "prompts": len(tally.prompted),
        "outcomes": summary["outcomes"],
        **{f"{name} ms": "–" if value is None else round(value) for name, value in latency.items()},
        "restarts": sum(child.restarts for child in processes.children),
    }
    for name in figures:
        table.add_column(name, justify="right")
    table.add_row(*map(str, figures.values()))
    return table


def _report(tally: Tally, processes: LocalProcesses, *, headless: bool, as_json: bool) -> int:
    summary: dict[str, Any] = {**tally.summary(), "restarts": sum(child.restarts for child in processes.children)}
    if not headless:  # pages may be open or not: prompts that nobody was there to see are not lost
        return 0
    if as_json:
        print(json.dumps(summary))
    else:
        Console().print_json(data=summary)
    nothing = not (summary["turns"] and summary["prompts"] and summary["outcomes"])
    return 1 if nothing or summary["lost"] or summary["duplicates"] else 0


def _stop_at_signals() -> asyncio.Event:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    return stopping
