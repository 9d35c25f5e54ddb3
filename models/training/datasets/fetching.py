"""Getting the public sets from their homes, each file held against the sha256 it had when the model was made."""

import hashlib
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_LIST = Path(__file__).with_name("sources.txt")
_TIMEOUT_S = 60


class FetchError(Exception):
    """A file could not be had, or is not the one; ``str(error)`` says which and what to do."""


@dataclass(frozen=True, slots=True)
class PublicFile:
    """One file of a public set."""

    path: str
    """Set and name: ``banking77/train.csv``."""
    sha256: str
    url: str


def public_files() -> list[PublicFile]:
    """Every file that the loaders and the report read."""
    lines = _LIST.read_text(encoding="utf-8").splitlines()
    return [PublicFile(*line.split()) for line in lines if not line.startswith("#")]


def missing(folder: Path) -> Iterator[PublicFile]:
    """Files that ``folder`` lacks, or has otherwise."""
    for file in public_files():
        path = folder / file.path
        if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != file.sha256:
            yield file


def fetch(folder: Path, tell: Callable[[str], None], files: list[PublicFile] | None = None) -> int:
    """Put what is missing into ``folder``; return how many files that were. Told each file's path.

    Raises:
        FetchError: a file cannot be had or has changed. What came before it stays.
    """
    wanted = list(missing(folder)) if files is None else files
    for file in wanted:
        tell(file.path)
        try:
            with urllib.request.urlopen(file.url, timeout=_TIMEOUT_S) as answer:
                content = answer.read()
        except OSError as error:
            raise FetchError(f"{file.url}: {error}; fetch it by hand into {folder / file.path}") from error
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise FetchError(
                f"{file.url} is not the file that the model was made with (its sha256 is another): the set has changed "
                f"at its home; put the old file into {folder / file.path}, or its new sha256 into {_LIST.name}"
            )
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return len(wanted)
