"""What this machine has of what Livecue needs, and how to mend what is missing."""

import os
import shutil
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from deploy.kafka import jars, node
from deploy.kafka.java import java
from models.artifact import load_manifest
from models.artifacts import INTENT

_DISK_NEEDED_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    found: str
    mend: str = ""
    """What to do about it; empty where nothing is wrong."""
    optional: bool = False
    """True: only some commands or tests need it."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def examine() -> tuple[Finding, ...]:
    """Look at everything once. Starts nothing and fetches nothing."""
    return tuple(look() for look in (_python, _disk, _loopback, _model, _java, _jars, _kafka, _chromium, _torch))


def show(findings: Sequence[Finding]) -> None:
    """The findings as a table for people."""
    table = Table(box=None, pad_edge=False)
    for heading in ("", "", "found", "to mend it"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        mark = "[green]ok[/green]" if finding.ok else "[yellow]no[/yellow]" if finding.optional else "[red]NO[/red]"
        table.add_row(mark, finding.what, finding.found, "" if finding.ok else finding.mend)
    Console().print(table)


def _python() -> Finding:
    ok = (3, 11) <= sys.version_info[:2] < (3, 13)
    return Finding("Python 3.11 or 3.12", ok, sys.version.split()[0], "make PYTHON=/path/to/python3.11 setup")


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    return Finding("2 GB of disk", free >= _DISK_NEEDED_BYTES, f"{free / 1e9:.0f} GB free", "make room")


def _loopback() -> Finding:
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
    except OSError as error:
        return Finding("the loopback address", ok=False, found=str(error), mend="allow listening on 127.0.0.1")
    return Finding("the loopback address", ok=True, found="127.0.0.1 can be listened on")


def _model() -> Finding:
    return _attempt(
        "the intent model",
        lambda: f"revision {load_manifest(INTENT).revision}",
        "git checkout models/artifacts, or `livecue model train`",
    )


def _java() -> Finding:
    return _attempt("Java 17 or newer", lambda: str(java()), "pip install 'livecue[local]'", optional=_has_cluster())


def _jars() -> Finding:
    missing = len(jars.missing_from(jars.cache_folder(), jars.pinned()))
    found = f"{missing} jars to fetch (44 MB, once)" if missing else str(jars.cache_folder())
    return Finding("Apache Kafka", not missing, found, "livecue kafka start fetches it", optional=True)


def _kafka() -> Finding:
    named, local = os.environ.get("LIVECUE_KAFKA"), node.status()
    found = f"LIVECUE_KAFKA={named}" if named else f"local, at {local.bootstrap}" if local else "none runs"
    return Finding(
        "a running Kafka", bool(named or local), found, "livecue kafka start (the demo starts its own)", optional=True
    )


def _chromium() -> Finding:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return Finding(
        "Chromium, for the browser tests", path is not None, path or "not on the path", "apt-get install chromium",
        optional=True,
    )  # fmt: skip


def _torch() -> Finding:
    from importlib.util import find_spec

    there = find_spec("torch") is not None
    return Finding(
        "PyTorch, to train models", there, "installed" if there else "not installed", "make setup-train", optional=True
    )


def _has_cluster() -> bool:
    return bool(os.environ.get("LIVECUE_KAFKA"))


def _attempt(what: str, look: Callable[[], str], mend: str, *, optional: bool = False) -> Finding:
    try:
        return Finding(what, ok=True, found=look(), optional=optional)
    except Exception as error:  # whatever it is, it is the finding
        return Finding(what, ok=False, found=str(error).partition("\n")[0], mend=mend, optional=optional)
