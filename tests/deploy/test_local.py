"""Child processes: ready or an error with the log's end, restarted when they die, and gone afterwards."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.local import Child, LocalProcesses, NotReady, end, free_port

SERVER = """
import http.server, sys
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


class Python(Child):
    """A child that runs a script instead of a livecue command."""

    def command(self) -> list[str]:
        return [sys.executable, "-c", *self.arguments]


def server(tmp_path: Path) -> Python:
    port = free_port()
    return Python("server", [SERVER, str(port)], f"http://127.0.0.1:{port}/", tmp_path / "server.log")


async def test_a_child_that_dies_is_started_again(tmp_path) -> None:
    child = server(tmp_path)
    async with LocalProcesses([child]) as processes:
        await processes.ready(within_s=20)
        first = child.process
        first.kill()
        for _ in range(100):
            if child.restarts and await asyncio.to_thread(child.is_ready):
                break
            await asyncio.sleep(0.1)

        assert 1 == child.restarts
        assert first.pid != child.process.pid
    assert not child.is_running()


async def test_a_child_that_exits_is_told_with_its_last_words(tmp_path) -> None:
    child = Python("broken", ["raise SystemExit('no such cluster')"], "http://127.0.0.1:1/", tmp_path / "broken.log")
    async with LocalProcesses([child]) as processes:
        with pytest.raises(NotReady, match=r"broken has exited(.|\n)*no such cluster"):
            await processes.ready(within_s=20)


def test_a_child_that_does_not_listen_is_killed(tmp_path) -> None:
    deaf = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
    )
    deaf.stdout.readline()

    end([deaf], grace_s=0.3)

    assert -signal.SIGKILL == deaf.returncode


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_children_end_with_a_parent_that_was_killed(tmp_path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from test_local import Python;"
        "c = Python('c', ['import time; time.sleep(60)'], 'http://127.0.0.1:1/', Path(sys.argv[1]));"
        "c.start(); print(c.process.pid, flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "log")], stdout=subprocess.PIPE, env=environment
    )
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()

    deadline = time.monotonic() + 5
    while Path(f"/proc/{child}").exists() and "Z" not in Path(f"/proc/{child}/stat").read_text().split(")")[1]:
        assert time.monotonic() < deadline, "the child outlived its parent"
        time.sleep(0.05)
