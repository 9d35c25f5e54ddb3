"""A node's settings and ports, without a node."""

import socket
from pathlib import Path

import pytest

from deploy.kafka import storage
from deploy.kafka.errors import LocalKafkaError


def test_a_node_keeps_its_port_and_gets_a_new_controller_port(tmp_path: Path) -> None:
    assert storage.remembered_port(tmp_path) is None
    storage.configure(tmp_path, None)
    first = storage.remembered_port(tmp_path)
    storage.configure(tmp_path, None)

    assert first is not None
    assert first == storage.remembered_port(tmp_path)


def test_a_named_port_replaces_the_remembered_one(tmp_path: Path) -> None:
    storage.configure(tmp_path, None)
    storage.configure(tmp_path, 19_092)
    assert storage.remembered_port(tmp_path) == 19_092


def test_a_port_in_use_is_refused_and_the_settings_stay(tmp_path: Path) -> None:
    storage.configure(tmp_path, None)
    port = storage.remembered_port(tmp_path)
    with (
        socket.create_server(("127.0.0.1", port or 0)),
        pytest.raises(LocalKafkaError, match=rf"port {port}, which .*--port"),
    ):
        storage.configure(tmp_path, None)
    assert port == storage.remembered_port(tmp_path)


def test_settings_are_whole_and_listen_on_the_loopback_only(tmp_path: Path) -> None:
    storage.configure(tmp_path, 19_092)

    text = (tmp_path / storage.SETTINGS).read_text()
    settings = dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))
    assert "$" not in text
    listeners = settings["listeners"].split(",")
    assert listeners[0] == "PLAINTEXT://127.0.0.1:19092"
    assert all("://127.0.0.1:" in each for each in listeners)
    assert settings["auto.create.topics.enable"] == "false"


def test_storage_that_is_not_kafkas_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "mine.txt").write_text("keep")

    with pytest.raises(LocalKafkaError, match=r"lacks Kafka's meta\.properties"):
        storage.format_once(tmp_path, ["false"])

    assert (tmp_path / "records" / "mine.txt").read_text() == "keep"


def test_a_formatting_that_failed_leaves_no_storage_that_looks_formatted(tmp_path: Path) -> None:
    with pytest.raises(LocalKafkaError, match="could not format"):
        storage.format_once(
            tmp_path, ["sh", "-c", "mkdir -p records.formatting; touch records.formatting/half; exit 1"]
        )

    assert not (tmp_path / "records").exists()
