"""A lock between processes, which the kernel lets go of when its holder dies, however it dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock file at `path` for the duration of the block; waits as long as another process holds it.

    The file stays behind, empty: deleting it would let two processes lock two files of one name.

    Raises:
        BlockingIOError: another process holds it, and this one was not to wait.
    """
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
