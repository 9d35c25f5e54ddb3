"""All of Livecue's processes on one machine: started, watched, restarted, and surely ended."""

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

_PR_SET_PDEATHSIG = 1
_RESTART_AFTER_S = 1.0


class NotReady(RuntimeError):
    """A process did not become ready in time; the message has the last lines of its log."""


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(slots=True)
class Child:
    """One `livecue` command as a process of its own."""

    name: str
    arguments: Sequence[str]
    """What follows `livecue`."""
    ready_url: str
    """Answers 200 once the process does its work."""
    log_path: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0

    def command(self) -> list[str]:
        """What is run."""
        return [sys.executable, "-m", "deploy.cli", *self.arguments]

    def start(self) -> None:
        """Start it. It is told to stop when this process ends, however that ends."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the parent alone, which stops its children in order
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def is_ready(self) -> bool:
        try:
            with urlopen(self.ready_url, timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def log_tail(self, lines: int = 8) -> str:
        """The last lines of its log, for an error message."""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])


class LocalProcesses:
    """The children of one run. Use as an async context manager: on the way out all are ended, at once if need be."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.children = tuple(children)
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "LocalProcesses":
        for child in self.children:
            child.start()
        return self

    async def ready(self, within_s: float = 60.0) -> None:
        """Wait until all are ready, then restart whichever dies from here on.

        Raises:
            NotReady: one has exited, or is not ready `within_s` seconds from now.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        for child in self.children:
            while not await asyncio.to_thread(child.is_ready):
                if not child.is_running() or loop.time() > deadline:
                    how = "is not ready" if child.is_running() else "has exited"
                    raise NotReady(f"{child.name} {how}; the end of {child.log_path}:\n{child.log_tail()}")
                await asyncio.sleep(0.1)
        self._keeper = asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(0.2)
            for child in self.children:
                if not child.is_running():
                    await asyncio.sleep(_RESTART_AFTER_S)
                    child.restarts += 1
                    child.start()

    async def __aexit__(self, *_: object) -> None:
        if self._keeper:
            self._keeper.cancel()
        await asyncio.to_thread(end, [child.process for child in self.children if child.process])


def end(processes: Sequence[subprocess.Popen[bytes]], grace_s: float = 6.0) -> None:
    """Ask all to stop, and kill whichever has not after `grace_s` seconds."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            process.wait(grace_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _end_with_parent() -> None:
    """Runs in the child before exec: Linux ends it with SIGTERM when the parent is gone, even by kill -9."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
