"""The whole of Livecue as child processes on a real Kafka, for tests that use it as its users do."""

import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from deploy.kafka import topics
from deploy.local import Child, LocalProcesses, free_port
from streams.bus.connection import KafkaSettings

TOKEN = "token-of-the-tests"


@dataclass
class StockWorker(Child):
    """A worker on stock Faust's consumer."""

    def command(self) -> list[str]:
        return [sys.executable, str(Path(__file__).parent / "faults" / "stock_worker.py"), *self.arguments]


@dataclass(frozen=True)
class Stack:
    """What is running."""

    kafka: KafkaSettings
    processes: LocalProcesses
    workers: tuple[Child, ...]
    http_url: str
    """Of the first gateway's pages."""
    desk_urls: tuple[str, ...]


@contextlib.asynccontextmanager
async def running_stack(
    bootstrap: str, home: Path, *, workers: int = 1, gateways: int = 1, stock: bool = False
) -> AsyncIterator[Stack]:
    """`workers` of each app and `gateways`, ready; a child that dies is started again after a second."""
    kafka = KafkaSettings(servers=(bootstrap,))
    topics.create(kafka)
    environment = {"LIVECUE_KAFKA": bootstrap, "LIVECUE_TOKEN": TOKEN}
    made: list[Child] = []
    for which in ("intents", "decisions"):
        for number in range(workers):
            name, port = f"{which}-{number}", free_port()
            arguments = ["worker", which, "--http-port", str(port), "--data", str(home / name)]
            kind = StockWorker if stock else Child
            made.append(kind(name, arguments, _ready(port), home / f"{name}.log", environment))
    desks, urls = [], []
    for number in range(gateways):
        http, desk = free_port(), free_port()
        arguments = ["gateway", "--port", str(http), "--desk-port", str(desk)]
        desks.append(Child(f"gateway-{number}", arguments, _ready(http), home / f"gateway-{number}.log", environment))
        urls.append((f"http://127.0.0.1:{http}", f"ws://127.0.0.1:{desk}"))
    async with LocalProcesses([*made, *desks]) as processes:
        await processes.ready(within_s=90)
        yield Stack(kafka, processes, tuple(made), urls[0][0], tuple(desk for _, desk in urls))


def _ready(port: int) -> str:
    return f"http://127.0.0.1:{port}/readyz"
