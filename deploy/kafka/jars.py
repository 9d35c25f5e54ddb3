"""Apache Kafka's jars: fetched once a user, each pinned by sha256 in `jars.lock`, no network ever after."""

import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from deploy.kafka.errors import LocalKafkaError
from deploy.kafka.flock import exclusive

VERSION = "4.3.1"

Progress = Callable[[str, float | None], None]
"""Told what is being done, in words, and how far it is: 0 to 1, or None where nobody can know."""

_CONNECTIONS = 8
_ATTEMPTS = 3
_LINE = re.compile(r"(?P<coordinate>[^:\s]+:[^:\s]+:[^:\s]+) (?P<sha256>[0-9a-f]{64}) (?P<size>\d+)")


@dataclass(frozen=True, slots=True)
class Jar:
    """One pinned jar."""

    coordinate: str
    """Maven's name for it: group:artifact:version."""
    sha256: str
    size_bytes: int

    @property
    def file_name(self) -> str:
        """Its name in the cache folder, artifact-version.jar."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"

    def is_in(self, folder: Path) -> bool:
        """Whether `folder` holds exactly these bytes."""
        try:
            with (folder / self.file_name).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256
        except FileNotFoundError:
            return False


def parse_lock(text: str) -> tuple[Jar, ...]:
    """The jars that a lock file pins, one a line: coordinate, sha256, size in bytes. Lines opening with # are comments.

    Raises LocalKafkaError at the first line that is neither.
    """
    jars = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line and not line.startswith("#"):
            match = _LINE.fullmatch(line)
            if match is None:
                raise LocalKafkaError(f"jars.lock, line {number}: expected 'group:artifact:version sha256 bytes'")
            jars.append(Jar(match["coordinate"], match["sha256"], int(match["size"])))
    return tuple(jars)


def pinned() -> tuple[Jar, ...]:
    """The jars that this version of Livecue runs Kafka from."""
    return parse_lock(Path(__file__).with_name("jars.lock").read_text(encoding="ascii"))


def cache_folder() -> Path:
    """Where this user's jars are kept: under $LIVECUE_CACHE, else in the platform's own place for caches."""
    if chosen := os.environ.get("LIVECUE_CACHE"):
        root = Path(chosen).expanduser()
    elif xdg := os.environ.get("XDG_CACHE_HOME"):
        root = Path(xdg) / "livecue"
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Caches" / "livecue"
    else:
        root = Path.home() / ".cache" / "livecue"
    return root.absolute() / f"kafka-{VERSION}"


def fetch(
    folder: Path | None = None,
    *,
    jars: Sequence[Jar] | None = None,
    repositories: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Make sure that every pinned jar lies in `folder`, byte for byte, and return it.

    Downloads only what is missing or damaged; touches no network where nothing is. Processes that fetch at the same
    time wait for one another. `folder` None: `cache_folder()`; `jars` None: `pinned()`; `repositories` (name → address)
    None: those of the user's own jgo settings, else Maven Central.

    Raises LocalKafkaError where a jar cannot be had, or is not the one pinned; what came before it is kept.
    """
    folder = folder or cache_folder()
    jars = pinned() if jars is None else jars
    if missing_from(folder, jars):
        folder.mkdir(parents=True, exist_ok=True)
        with exclusive(folder / "fetch.lock"):
            _download(missing_from(folder, jars), folder, repositories, progress or (lambda step, done: None))
    return folder


def missing_from(folder: Path, jars: Sequence[Jar]) -> list[Jar]:
    """Those of `jars` that `folder` lacks, or holds with other bytes."""
    return [jar for jar in jars if not jar.is_in(folder)]


def _download(jars: Sequence[Jar], folder: Path, repositories: Mapping[str, str] | None, progress: Progress) -> None:
    meter = _Meter(sum(jar.size_bytes for jar in jars), progress)
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix="fetching-") as staging,
        ThreadPoolExecutor(_CONNECTIONS) as pool,
    ):
        context = _maven(Path(staging), repositories, meter)
        under_way = {pool.submit(_download_one, jar, context, folder): jar for jar in jars}
        for future in as_completed(under_way):
            if (error := future.exception()) is not None:
                pool.shutdown(wait=False, cancel_futures=True)
                raise error


def _maven(staging: Path, repositories: Mapping[str, str] | None, meter: "_Meter") -> Any:
    try:
        from jgo.config import GlobalSettings
        from jgo.maven import MavenContext, PythonResolver
    except ImportError:
        raise LocalKafkaError(_ways_out("jgo is not installed: pip install 'livecue[local]'")) from None
    return MavenContext(
        resolver=PythonResolver(progress_callback=meter.file),
        repo_cache=staging,
        remote_repos=dict(repositories or GlobalSettings.load().repositories) or None,
    )


def _download_one(jar: Jar, context: Any, folder: Path) -> None:
    group, artifact_id, version = jar.coordinate.split(":")
    artifact = context.project(group, artifact_id).at_version(version).artifact()
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            artifact.resolve()
            break
        except (OSError, RuntimeError) as error:  # requests raises OSErrors; jgo a RuntimeError for any other status
            artifact.cached_path.unlink(missing_ok=True)  # jgo would take a half-written file for the whole
            if attempt == _ATTEMPTS:
                raise LocalKafkaError(_ways_out(f"{jar.file_name}: {error}")) from error
    staged: Path = artifact.cached_path.rename(artifact.cached_path.with_name(jar.file_name))
    if not jar.is_in(staged.parent):
        raise LocalKafkaError(
            f"{jar.file_name} as downloaded is not the file that jars.lock pins (sha256 {jar.sha256}): nothing was "
            "installed from it. A proxy or mirror may have answered with something else; if it persists, report it."
        )
    staged.replace(folder / jar.file_name)


def _ways_out(reason: str) -> str:
    return (
        f"cannot fetch Apache Kafka {VERSION}: {reason}\n"
        "Ways out:\n"
        "  - use a Kafka that you have: LIVECUE_KAFKA=host:port\n"
        "  - behind a proxy, set HTTPS_PROXY; with a Maven mirror, name it under [repositories] in ~/.config/jgo.conf\n"
        f"  - without a network, copy {cache_folder()} from a machine where `livecue kafka start` has run\n"
        "    (LIVECUE_CACHE=DIR moves it into DIR)"
    )


class _Meter:
    """Adds up what several downloads report, for one progress display."""

    def __init__(self, total_bytes: int, progress: Progress) -> None:
        self._total_bytes = total_bytes
        self._done_bytes = 0
        self._progress = progress
        self._lock = Lock()

    @contextmanager
    def file(self, name: str, size_bytes: int) -> Iterator[Callable[[int], None]]:
        """What jgo calls around each file: yields what it tells each chunk's size to."""
        yield self._add

    def _add(self, size_bytes: int) -> None:
        with self._lock:
            self._done_bytes += size_bytes
            # A retried file counts twice; what is shown never passes the whole.
            self._progress(f"fetching Apache Kafka {VERSION}", min(1.0, self._done_bytes / self._total_bytes))
