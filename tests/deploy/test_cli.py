"""The command as people and scripts meet it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHURN = ROOT / "deploy" / "samples" / "churn.ndjson"


def livecue(*arguments: str, cwd: Path = ROOT, timeout: float = 60, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120", "TERM": "dumb", **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.mark.parametrize(
    "command",
    [
        "explain",
        "whatif",
        "demo",
        "worker",
        "gateway",
        "replay",
        "schemas",
        "doctor",
        "kafka",
        "topics",
        "model",
        "lift",
        "simulate",
    ],
)
def test_every_command_has_help(command) -> None:
    shown = livecue(command, "--help")

    assert 0 == shown.returncode
    assert "Usage" in shown.stdout


def test_contracts_are_printed_as_json_schema_and_asyncapi() -> None:
    plain, document = (json.loads(livecue("schemas", *options).stdout) for options in ((), ("--asyncapi",)))

    assert "conversation.turns.v1" in plain
    assert "3.0.0" == document["asyncapi"]
    assert {"conversation-turns-v1", "guidance-desk-v1"} <= document["channels"].keys()
    references = set(json.dumps(document).split('"#/components/schemas/')[1:])
    assert {reference.split('"')[0] for reference in references} <= document["components"]["schemas"].keys()


def test_an_offline_replay_is_one_json_line_a_decision_and_the_same_bytes_every_time() -> None:
    first, second = (livecue("replay", str(CHURN), "--offline", "--json") for _ in range(2))

    assert 0 == first.returncode
    assert first.stdout == second.stdout
    lines = [json.loads(line) for line in first.stdout.splitlines()]
    assert {"conversation_id", "turn_id", "decision_id", "action_id", "kind", "retracts"} == lines[0].keys()
    assert any(line["kind"] == "retention" for line in lines)
    assert len({line["decision_id"] for line in lines}) == len(lines)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("replay", "README.md", "--offline"), "README.md, line 1"),
        (("worker", "intents", "--kafka", "nowhere"), "must be host:port"),
        (("gateway", "--kafka", "127.0.0.1:1", "--host", "0.0.0.0"), "development token protects nobody"),
        (("worker", "intents", "--kafka", "127.0.0.1:1", "--model", "no-such-folder"), "no-such-folder"),
    ],
)
def test_mistakes_are_told_in_words_and_with_exit_status_1(arguments, told) -> None:
    shown = livecue(*arguments)

    assert 1 == shown.returncode
    assert told in shown.stderr.replace("\n", " ")
    assert "Traceback" not in shown.stderr


def test_without_any_kafka_the_ways_out_are_named(tmp_path) -> None:
    shown = livecue("worker", "decisions", cwd=tmp_path, LIVECUE_KAFKA="")

    assert 1 == shown.returncode
    assert "livecue kafka start" in shown.stderr
    assert "LIVECUE_KAFKA" in shown.stderr


def test_the_doctor_tells_scripts_what_it_found() -> None:
    found = {finding["what"]: finding for finding in json.loads(livecue("doctor", "--json").stdout)}

    assert found["the intent model"]["ok"]
    assert found["Java 17 or newer"]["ok"]


@pytest.mark.broker
@pytest.mark.faults
def test_a_headless_demo_counts_itself_and_leaves_nothing_behind(tmp_path) -> None:
    shown = livecue(
        "demo", "--headless", "--seconds", "15", "--speed", "3", "--json", cwd=tmp_path, timeout=120, LIVECUE_KAFKA=""
    )

    assert 0 == shown.returncode, shown.stderr
    counted = json.loads(shown.stdout)
    assert (0, 0) == (counted["lost"], counted["duplicates"])
    assert min(counted["turns"], counted["prompts"], counted["outcomes"]) > 0
    assert [] == left_running(tmp_path)


@pytest.mark.broker
@pytest.mark.faults
def test_a_demo_refuses_a_second_one_and_ends_within_seconds_of_ctrl_c(tmp_path) -> None:
    with (tmp_path / "told").open("w+") as told:
        demo = subprocess.Popen(
            [sys.executable, "-m", "deploy.cli", "demo", "--port", "0"], cwd=tmp_path, stdout=told, stderr=told,
            env={**os.environ, "PYTHONPATH": str(ROOT), "LIVECUE_KAFKA": ""},
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while "/supervisor#token=" not in (tmp_path / "told").read_text():
            assert demo.poll() is None, (tmp_path / "told").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.2)
        second = livecue("demo", cwd=tmp_path, LIVECUE_KAFKA="")
        assert 1 == second.returncode
        assert "a demo runs already" in second.stderr
        assert demo.poll() is None
        asked = time.monotonic()
        demo.send_signal(signal.SIGINT)
        demo.wait(20)

    assert 0 == demo.returncode, (tmp_path / "told").read_text()
    assert time.monotonic() - asked < 12
    assert [] == left_running(tmp_path)


def left_running(folder: Path) -> list[str]:
    """Processes whose working folder lies in `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve().is_relative_to(folder) and "Z" not in (process / "stat").read_text().split(
                ")"
            )[1][:3]:
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found
