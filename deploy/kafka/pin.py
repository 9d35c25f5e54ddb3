"""Resolve Kafka's jars anew and print `jars.lock`: `python -m deploy.kafka.pin > new.lock`, when `VERSION` changes."""

import hashlib
import tempfile
from pathlib import Path

from jgo.maven import MavenContext

from deploy.kafka.jars import VERSION

_KAFKA = f"org.apache.kafka:kafka_2.13:{VERSION}"
_LOG_BINDING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"
"""Kafka logs through slf4j and leaves its binding to log4j to the distribution; without it the log is lost. Added on
its own, in Kafka's log4j version: resolved together, its parent's dependency management would change Kafka's jars."""


def main() -> None:
    """Print one line a jar, sorted: coordinate, sha256, size in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        maven = MavenContext(repo_cache=Path(folder))
        roots, transitive = maven.resolver.resolve([maven.create_dependency(_KAFKA)])
        needed = [*roots, *(each for each in transitive if each.scope in ("compile", "runtime"))]
        needed.append(maven.create_dependency(_LOG_BINDING))
        lines = set()
        for artifact in (dependency.artifact for dependency in needed):
            content = Path(artifact.resolve()).read_bytes()
            coordinate = f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}"
            lines.add(f"{coordinate} {hashlib.sha256(content).hexdigest()} {len(content)}")
    print(f"# Apache Kafka {VERSION}: coordinate, sha256, bytes. Made by python -m deploy.kafka.pin")
    print(*sorted(lines), sep="\n")


if __name__ == "__main__":
    main()
