"""Fetching the pinned jars, from a Maven repository that these tests serve on the loopback."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.kafka.errors import LocalKafkaError
from deploy.kafka.jars import VERSION, Jar, cache_folder, fetch, missing_from, parse_lock, pinned

CONTENT = {"org.a:one:1.0": b"one " * 9000, "org.a:two:2.0": b"two " * 5000, "org.b.c:three:3.1": b"three"}
JARS = tuple(Jar(name, hashlib.sha256(content).hexdigest(), len(content)) for name, content in CONTENT.items())


class Repository:
    """A Maven repository of `CONTENT`, which counts who asks for what."""

    def __init__(self) -> None:
        self.files = {self._path(name): content for name, content in CONTENT.items()}
        self.asked: list[str] = []
        self.cut_short: set[str] = set()
        """Paths whose next answer ends before its announced length."""
        repository = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = repository.files.get(self.path)
                if content is None:
                    self.send_error(404)
                    return
                repository.asked.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.path in repository.cut_short:
                    repository.cut_short.remove(self.path)
                    content = content[: len(content) // 2]
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.named = {"here": f"http://127.0.0.1:{self._server.server_port}"}

    @staticmethod
    def _path(coordinate: str) -> str:
        group, artifact, version = coordinate.split(":")
        return f"/{group.replace('.', '/')}/{artifact}/{version}/{artifact}-{version}.jar"

    def close(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


@pytest.fixture
def repository() -> Iterator[Repository]:
    repository = Repository()
    yield repository
    repository.close()


def test_all_jars_arrive_byte_for_byte_and_nothing_else_is_left(repository: Repository, tmp_path: Path) -> None:
    told: list[float] = []

    folder = fetch(
        tmp_path, jars=JARS, repositories=repository.named, progress=lambda step, done: told.append(done or 0.0)
    )

    assert folder == tmp_path
    assert {jar.file_name: CONTENT[jar.coordinate] for jar in JARS} == {
        path.name: path.read_bytes() for path in folder.glob("*.jar")
    }
    assert {"fetch.lock"} == {path.name for path in folder.iterdir() if path.suffix != ".jar"}
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_what_is_there_needs_no_network(repository: Repository, tmp_path: Path) -> None:
    fetch(tmp_path, jars=JARS, repositories=repository.named)
    repository.close()

    fetch(tmp_path, jars=JARS, repositories=repository.named)

    assert len(JARS) == len(repository.asked)


def test_a_damaged_or_missing_jar_alone_is_fetched_anew(repository: Repository, tmp_path: Path) -> None:
    fetch(tmp_path, jars=JARS, repositories=repository.named)
    repository.asked.clear()
    damaged, lost, whole = (tmp_path / jar.file_name for jar in JARS)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    lost.unlink()

    fetch(tmp_path, jars=JARS, repositories=repository.named)

    assert damaged.read_bytes() == CONTENT[JARS[0].coordinate]
    assert lost.exists()
    assert not any(whole.name in path for path in repository.asked)


def test_other_bytes_than_pinned_are_refused_and_never_installed(repository: Repository, tmp_path: Path) -> None:
    path = next(path for path in repository.files if "two" in path)
    repository.files[path] = b"x" * len(repository.files[path])

    with pytest.raises(LocalKafkaError, match=r"two-2\.0\.jar as downloaded is not the file that jars\.lock pins"):
        fetch(tmp_path, jars=JARS, repositories=repository.named)

    assert not (tmp_path / "two-2.0.jar").exists()


def test_a_download_that_breaks_off_is_tried_again(repository: Repository, tmp_path: Path) -> None:
    repository.cut_short.update(repository.files)

    fetch(tmp_path, jars=JARS, repositories=repository.named)

    assert [] == missing_from(tmp_path, JARS)
    assert 2 * len(JARS) == len(repository.asked)


def test_many_fetchers_at_once_download_each_jar_once(repository: Repository, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(fetch, tmp_path, jars=JARS, repositories=repository.named) for _ in range(4)]:
            done.result()

    assert sorted(repository.files) == sorted(repository.asked)


def test_without_a_network_the_ways_out_are_named(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVECUE_CACHE", str(tmp_path))
    repository.close()

    with pytest.raises(LocalKafkaError) as caught:
        fetch(jars=JARS, repositories=repository.named)

    for way_out in ("LIVECUE_KAFKA=host:port", "HTTPS_PROXY", "jgo.conf", str(tmp_path / f"kafka-{VERSION}")):
        assert way_out in str(caught.value)


def test_the_committed_lock_pins_kafka_and_its_log_binding_once_each_and_no_address() -> None:
    jars = pinned()

    names = [jar.coordinate for jar in jars]
    assert f"org.apache.kafka:kafka_2.13:{VERSION}" in names
    assert any(name.startswith("org.apache.logging.log4j:log4j-slf4j-impl:") for name in names)
    assert len(jars) == len({name.rsplit(":", 1)[0] for name in names}), "one version of each artifact"
    assert not any("/" in name for name in names)


@pytest.mark.parametrize("line", ["org.a:one 00 12", "org.a:one:1.0 " + "0" * 63 + " 12", "one"])
def test_a_lock_that_cannot_be_read_names_its_line(line: str) -> None:
    with pytest.raises(LocalKafkaError, match="line 2"):
        parse_lock(f"# a comment\n{line}\n")


def test_the_cache_is_one_folder_a_user_which_may_be_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    monkeypatch.delenv("LIVECUE_CACHE", raising=False)
    assert Path(f"/xdg/livecue/kafka-{VERSION}") == cache_folder()

    monkeypatch.setenv("LIVECUE_CACHE", "/elsewhere")
    assert Path(f"/elsewhere/kafka-{VERSION}") == cache_folder()
