"""One Kafka node on this machine: start it, stop it, ask for it. It outlives whoever started it.

All it has lies in one directory, which may be moved while it is stopped:

    server.properties  written at every start; the port in it is the port that the next start takes again
    records/           what Kafka stores
    kafka.log          Kafka's own log of the present run
    java.log           what the Java runtime printed in it
    node.pid           the lock that the node holds while it lives, with its pid
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from deploy.kafka import daemon, jars, storage
from deploy.kafka.errors import LocalKafkaError
from deploy.kafka.flock import exclusive
from deploy.kafka.jars import Progress
from deploy.kafka.java import java
from deploy.kafka.probe import answers

DEFAULT_DATA_DIR = Path(".livecue/kafka")

_JVM_OPTIONS = (
    "-Xmx384m",
    # One small heap on a machine that is busy with the workers: the plain collector and compiler take the least of it.
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dlog4j2.configurationFile=log4j2.properties",
)
_PID = "node.pid"
_START_TIMEOUT = timedelta(seconds=120)
_STOP_GRACE = timedelta(seconds=20)
_COMPLAINT = re.compile(r"\b(ERROR|FATAL|Error|[A-Z]\w*(Exception|Error))\b")


@dataclass(frozen=True, slots=True)
class Node:
    """A running node."""

    bootstrap: str
    """Where clients connect: host:port."""
    pid: int
    data_dir: Path
    log_path: Path


def start(data_dir: Path = DEFAULT_DATA_DIR, *, port: int | None = None, progress: Progress | None = None) -> Node:
    """Start the node of `data_dir`, wait until it answers, and return it; one that runs already is returned as it is.

    The first start on a machine downloads Kafka (see `jars.fetch`), the first in a directory formats its storage.
    After a kill -9 or a power cut the next start recovers what was stored. `port` None: the port of the last start,
    else a free one. Processes that start one directory at the same time wait for one another.

    Raises LocalKafkaError, saying what to do, where the node cannot be started; nothing is left running then.
    """
    data_dir = data_dir.absolute()
    data_dir.mkdir(parents=True, exist_ok=True)
    with exclusive(data_dir / "start.lock"):
        found = status(data_dir)
        if found is not None and port is not None and not found.bootstrap.endswith(f":{port}"):
            raise LocalKafkaError(f"the node of {data_dir} runs at {found.bootstrap}: stop it first to move it")
        if found is not None and (ready := _when_ready(data_dir)) is not None:
            return ready
        # None runs, or the one that did was just about to end.
        _launch(data_dir, port, progress or (lambda step, done: None))
        try:
            if (ready := _when_ready(data_dir)) is not None:
                return ready
        except BaseException:
            daemon.end(data_dir / _PID, grace=timedelta(0))
            raise
        raise LocalKafkaError(f"Kafka ended as it started. {_last_words(data_dir)}")


def stop(data_dir: Path = DEFAULT_DATA_DIR) -> bool:
    """Stop the node of `data_dir` and wait for its end; False where none runs. Its data and its port are kept.

    SIGTERM first; SIGKILL where it has not ended within 20 seconds, which loses nothing that it acknowledged.
    """
    return daemon.end(data_dir.absolute() / _PID, grace=_STOP_GRACE)


def status(data_dir: Path = DEFAULT_DATA_DIR) -> Node | None:
    """The running node of `data_dir`, or None."""
    data_dir = data_dir.absolute()
    pid = daemon.pid_of(data_dir / _PID)
    if pid is None:
        return None
    return Node(f"127.0.0.1:{storage.remembered_port(data_dir)}", pid, data_dir, data_dir / "kafka.log")


@contextmanager
def running(data_dir: Path, *, progress: Progress | None = None) -> Iterator[Node]:
    """A node for the duration of the block, stopped after it whatever happens; whoever made `data_dir` deletes it."""
    try:
        yield start(data_dir, progress=progress)
    finally:
        stop(data_dir)


def _launch(data_dir: Path, port: int | None, report: Progress) -> None:
    class_path = str(jars.fetch(progress=report) / "*")
    runtime = java()
    storage.configure(data_dir, port)
    report("formatting Kafka's storage", None)
    storage.format_once(data_dir, [str(runtime), *_JVM_OPTIONS, "-cp", class_path])
    report("starting Kafka", None)
    daemon.launch(
        [str(runtime), *_JVM_OPTIONS, "-cp", class_path, "kafka.Kafka", storage.SETTINGS],
        directory=data_dir,
        lock=data_dir / _PID,
        output=data_dir / "java.log",
    )


def _when_ready(data_dir: Path) -> Node | None:
    """Wait until the node that runs answers; None where it ends before."""
    deadline = time.monotonic() + _START_TIMEOUT.total_seconds()
    while (node := status(data_dir)) is not None:
        if answers(node.bootstrap):
            return node
        if time.monotonic() > deadline:
            raise LocalKafkaError(
                f"Kafka runs but has not answered at {node.bootstrap} for {_START_TIMEOUT.seconds} s; "
                f"its log is {node.log_path}"
            )
        time.sleep(0.1)
    return None


def _last_words(data_dir: Path) -> str:
    """What the node complained of last, and where to read on."""
    logs = [data_dir / "java.log", data_dir / "kafka.log"]
    for log in logs:
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        if complaints := [line for line in lines if _COMPLAINT.search(line)]:
            return "\n".join(["It said:", *(f"  {line}" for line in complaints[-5:]), f"Read on in {log}"])
    return f"It did not say why; its logs are {logs[0]} and {logs[1]}"
