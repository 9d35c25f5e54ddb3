"""Processes that outlive their starter: real ones, ended by real signals."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.kafka import daemon

SLEEP = ("sleep", "300")
LAUNCH = """
import sys, time
from pathlib import Path
from deploy.kafka import daemon
lock = Path(sys.argv[1])
daemon.launch(["sleep", "300"], directory=lock.parent, lock=lock, output=lock.with_suffix(".log"))
print(daemon.pid_of(lock), flush=True)
time.sleep(300)
"""


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[Path]:
    lock = tmp_path / "sleep.pid"
    yield lock
    daemon.end(lock, grace=timedelta(0))


def launch(command: tuple[str, ...], lock: Path) -> int:
    daemon.launch(command, directory=lock.parent, lock=lock, output=lock.with_suffix(".log"))
    pid = daemon.pid_of(lock)
    assert pid is not None
    return pid


def eventually(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def test_a_daemon_is_known_while_it_lives_and_ended_on_demand(lock: Path) -> None:
    assert daemon.pid_of(lock) is None

    pid = launch(SLEEP, lock)

    os.kill(pid, 0)
    assert os.getsid(pid) != os.getsid(0), "Ctrl-C in the starter's terminal would reach it"
    assert daemon.end(lock, grace=timedelta(seconds=10))
    assert daemon.pid_of(lock) is None
    assert not daemon.end(lock, grace=timedelta(0))


def test_kill_9_leaves_nothing_that_could_be_mistaken_for_it(lock: Path) -> None:
    os.kill(launch(SLEEP, lock), signal.SIGKILL)
    assert eventually(lambda: daemon.pid_of(lock) is None)


def test_a_stale_pid_that_another_process_was_given_is_left_alone(lock: Path) -> None:
    with subprocess.Popen(SLEEP) as other:
        lock.write_text(f"{other.pid}\n")

        assert daemon.pid_of(lock) is None
        assert not daemon.end(lock, grace=timedelta(0))
        assert other.poll() is None
        other.kill()


def test_it_survives_kill_9_of_its_starter(lock: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", LAUNCH, str(lock)], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        starter.kill()

    assert pid == daemon.pid_of(lock)
    assert daemon.end(lock, grace=timedelta(seconds=10))


def test_one_that_ignores_sigterm_is_killed_after_the_grace(lock: Path) -> None:
    launch(("sh", "-c", "trap '' TERM; touch deaf; exec sleep 300"), lock)
    assert eventually((lock.parent / "deaf").exists)

    assert daemon.end(lock, grace=timedelta(milliseconds=200))
    assert daemon.pid_of(lock) is None


def test_a_command_that_is_not_there_leaves_its_reason_in_the_output(lock: Path) -> None:
    daemon.launch(("./no-such-command",), directory=lock.parent, lock=lock, output=lock.with_suffix(".log"))

    assert eventually(lambda: daemon.pid_of(lock) is None)
    assert "no-such-command" in lock.with_suffix(".log").read_text()
