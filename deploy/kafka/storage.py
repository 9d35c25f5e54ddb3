"""What a node's directory holds before Java runs: its settings, with its ports, and formatted storage."""

import base64
import random
import re
import shutil
import socket
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path
from string import Template

from deploy.kafka.errors import LocalKafkaError

SETTINGS = "server.properties"
"""The name of the settings file in a node's directory."""

_PORTS = range(20_000, 32_000)
"""Below the ports that systems hand to outgoing connections, so that none of those ever sits on the node's."""
_PORT_LINE = re.compile(r"^listeners=PLAINTEXT://127\.0\.0\.1:(\d+),", re.MULTILINE)


def remembered_port(data_dir: Path) -> int | None:
    """The port at which the node of `data_dir` runs, or last ran; None before its first start."""
    try:
        match = _PORT_LINE.search((data_dir / SETTINGS).read_text())
    except FileNotFoundError:
        return None
    return int(match[1]) if match else None


def configure(data_dir: Path, port: int | None) -> None:
    """Write the node's settings: at `port`, or, where None, at the port it had last, or at a free one.

    Raises LocalKafkaError where that port is taken.
    """
    last = remembered_port(data_dir)
    wanted = port or last
    if wanted is not None and not _is_free(wanted):
        whose = "which this node had last and its clients know, " if wanted == last else ""
        raise LocalKafkaError(
            f"port {wanted}, {whose}is in use by another program: end that, or choose another with --port"
        )
    _write(data_dir, SETTINGS, wanted or _free_port(), records="records")
    shutil.copyfile(Path(__file__).with_name("log4j2.properties"), data_dir / "log4j2.properties")


def format_once(data_dir: Path, java_command: Sequence[str]) -> None:
    """Format the node's storage, where it is not formatted yet; `java_command` runs a class of Kafka's.

    Formats aside and renames, so that what is called `records` is always whole. Raises LocalKafkaError where `records`
    holds something that no node stored there, or Kafka refuses.
    """
    records, aside = data_dir / "records", data_dir / "records.formatting"
    if (records / "meta.properties").exists():
        return
    if records.exists():
        raise LocalKafkaError(
            f"{records} lacks Kafka's meta.properties: it is damaged, or not Kafka's. Move it away to begin anew "
            "(what it stores is lost to the new node), or start in another directory with --data"
        )
    shutil.rmtree(aside, ignore_errors=True)  # a formatting that was cut short
    _write(data_dir, "format.properties", _free_port(), records=aside.name)
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    done = subprocess.run(
        [
            *(*java_command, "kafka.tools.StorageTool", "format", "--standalone"),
            *(f"--cluster-id={cluster_id}", "--config=format.properties"),
        ],
        cwd=data_dir,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LocalKafkaError(f"Kafka could not format {aside}:\n{done.stdout}{done.stderr}")
    aside.rename(records)


def _write(data_dir: Path, name: str, port: int, *, records: str) -> None:
    # The controller's port is nobody's business but the node's: a new one each time, and Kafka updates its quorum.
    controller_port = _free_port(but=port)
    template = Template(Path(__file__).with_name(SETTINGS).read_text())
    whole = data_dir / f"{name}.new"
    whole.write_text(template.substitute(port=port, controller_port=controller_port, records=records))
    whole.replace(data_dir / name)


def _free_port(but: int | None = None) -> int:
    while True:
        port = random.choice(_PORTS)
        if port != but and _is_free(port):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as candidate:
        # As Java does: a port whose last connections are still fading is free.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
