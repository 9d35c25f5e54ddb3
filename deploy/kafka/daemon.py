"""A process that outlives its starter, known by the lock it holds rather than by its pid alone.

The daemon inherits a locked file from its starter and never closes it. While it lives the lock is taken; when it dies,
by whatever signal, the kernel lets go. So a stale pid is never mistaken for it, not even one that another process has
since been given.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

_POLL_S = 0.05
_DETACH = """sh -c 'echo $$ >"$0" && exec "$@"' "$@" &"""
"""Run as `sh -c _DETACH sh LOCK COMMAND...`: the inner shell notes its pid in LOCK and becomes the command; the outer
one ends at once, so that the command is nobody's child and leaves no zombie with a starter that lives on."""


def launch(command: Sequence[str], *, directory: Path, lock: Path, output: Path) -> None:
    """Start `command` in `directory`, in a session of its own, its output going to the file `output`.

    The caller makes sure that nothing runs on `lock` yet, and that nobody else launches on it meanwhile. Whether the
    command lives is for `pid_of` to say.
    """
    with lock.open("w") as held, output.open("w") as out:
        fcntl.flock(held, fcntl.LOCK_EX)  # waits at most for a `pid_of` that is looking
        subprocess.run(
            ["/bin/sh", "-c", _DETACH, "sh", str(lock.absolute()), *command],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[held.fileno()],
            check=True,
        )


def pid_of(lock: Path) -> int | None:
    """The pid of the daemon that holds `lock`, or None where none lives."""
    while _is_held(lock):
        if noted := lock.read_text().strip():
            return int(noted)
        time.sleep(_POLL_S)  # it is being launched this very moment
    return None


def end(lock: Path, *, grace: timedelta) -> bool:
    """End the daemon that holds `lock`: SIGTERM, and SIGKILL where it still lives after `grace`.

    Returns whether there was one. Raises PermissionError where it is another user's, and TimeoutError where not even
    SIGKILL ends it.
    """
    pid = pid_of(lock)
    if pid is None:
        return False
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, timedelta(seconds=10))):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + patience.total_seconds()
        while time.monotonic() < deadline:
            if not _is_held(lock):
                return True
            time.sleep(_POLL_S)
    raise TimeoutError(f"process {pid} does not end, not even by SIGKILL")


def _is_held(lock: Path) -> bool:
    try:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
