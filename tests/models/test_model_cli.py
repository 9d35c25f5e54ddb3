"""`livecue model`, as typed, on artefacts of which every score can be foretold, without torch."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deploy.model_cli import model_app
from tiny_artifact import LABELS, write_artifact

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from deploy.model_cli import model_app; model_app()"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("tiny")
    write_artifact(folder)
    return str(folder)


def livecue_model(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(model_app, list(arguments), input=stdin)


def scored(artifact: str, *turns: dict[str, Any]) -> list[dict[str, Any]]:
    done = livecue_model("score", "-", "--artifact", artifact, stdin="\n".join(map(json.dumps, turns)))
    assert done.exit_code == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


# --- try ---


def test_try_shows_probabilities_thresholds_what_fired_and_which_stage_said_so(tiny: str) -> None:
    shown = livecue_model("try", "hello leave", "--artifact", tiny)

    lines = [line.split() for line in shown.stdout.splitlines()]
    assert shown.exit_code == 0
    assert lines[0] == ["label", "probability", "threshold"]
    assert lines[1] == ["greets", "0.953", "0.50", "fires"]
    assert lines[2] == ["wants_out", "0.731", "0.50", "fires"]
    assert lines[-1][-3:] == ["by", "its", "first", "stage"][-3:]
    assert "churn risk: 1.38 of 2" in shown.stdout


def test_try_on_a_partial_turn_has_its_thresholds(tiny: str) -> None:
    shown = livecue_model("try", "leave", "--partial", "--artifact", tiny)

    assert ["wants_out", "0.881", "0.90"] in [line.split() for line in shown.stdout.splitlines()]
    assert "by its encoder" in shown.stdout


def test_try_as_json(tiny: str) -> None:
    shown = json.loads(livecue_model("try", "sorry", "--speaker", "agent", "--artifact", tiny, "--json").stdout)

    assert shown["fired"] == ["apologises"]
    assert shown["intents"] == {"greets": 0.0474, "apologises": 0.8808}
    assert shown["thresholds"] == {"greets": 0.5, "apologises": 0.5}
    assert (shown["stage"], shown["churn_risk"]) == ("encoder", None)


def test_try_without_the_cascade_asks_the_encoder(tiny: str) -> None:
    assert "by its encoder" in livecue_model("try", "hello", "--no-cascade", "--artifact", tiny).stdout


def test_try_keeps_the_table_small_and_names_as_they_are(tmp_path: Path) -> None:
    names = ["[bold]odd", *(f"label{n}" for n in range(40))]
    labels = [{**LABELS[0], "name": name} for name in names]
    write_artifact(tmp_path, intents={"labels": labels, "exclusive": True}, sentiment=None, churn_risk=False)

    shown = livecue_model("try", "leave", "--artifact", str(tmp_path)).stdout

    assert shown.splitlines()[1].split()[0] == "[bold]odd"
    assert "11 more, all less probable" in shown
    assert "sentiment" not in shown
    assert "not asked: no letter or digit" in livecue_model("try", "…", "--artifact", str(tmp_path)).stdout


# --- score ---


def test_score_writes_a_line_a_turn_in_order(tiny: str) -> None:
    lines = scored(
        tiny,
        {"id": "a", "text": "leave", "channel": "chat"},
        {"id": 2, "speaker": "agent", "text": "sorry", "context": "leave", "channel": None},
        {"id": "ü", "text": "", "speaker": None},
        {"id": "\ud800", "text": "leave \ud800"},
    )

    assert [line["id"] for line in lines] == ["a", 2, "ü", "\ud800"]
    assert [line["labels"] for line in lines] == [["wants_out"], ["apologises"], [], ["wants_out"]]
    assert lines[0] == {
        "id": "a",
        "labels": ["wants_out"],
        "probabilities": {"wants_out": 0.8808, "greets": 0.0474},
        "sentiment": {"negative": 0.787, "neutral": 0.1065, "positive": 0.1065},
        "churn_risk": 1.6836,
    }
    assert lines[1]["churn_risk"] is None


@pytest.mark.parametrize(
    ("head", "missing"), [("intents", "probabilities"), ("sentiment", "sentiment"), ("churn_risk", "churn_risk")]
)
def test_score_has_null_for_a_head_that_the_model_lacks(tmp_path: Path, head: str, missing: str) -> None:
    write_artifact(tmp_path, **{head: False if head == "churn_risk" else None}, first_stage=None)

    (line,) = scored(str(tmp_path), {"id": 1, "text": "leave"})

    empty = {name for name in ("probabilities", "sentiment", "churn_risk") if not line[name]}
    assert empty == {missing}
    assert line[missing] == ({} if head == "intents" else None)


def test_score_of_an_exclusive_head_shares_out_one_with_none(tmp_path: Path) -> None:
    labels = [{**label, "speakers": ["customer"]} for label in LABELS]
    write_artifact(tmp_path, intents={"labels": labels, "exclusive": True}, first_stage=None)

    (line,) = scored(str(tmp_path), {"id": 1, "text": "hello sorry sorry"})

    assert 0.9 < sum(line["probabilities"].values()) < 1
    assert line["labels"] == ["apologises"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"not json", "Expecting value"),
        (b"[]", "it is no JSON object"),
        (b'{"text": "x"}', "its id is missing"),
        (b'{"id": null, "text": "x"}', "its id is missing, or neither a string nor an integer"),
        (b'{"id": 1}', "its text is missing"),
        (b'{"id": 1, "text": 5}', "its text is missing, or no string"),
        (b'{"id": 1, "text": "x", "speaker": "robot"}', "its speaker is neither customer nor agent"),
        (b'{"id": 1, "text": "x", "speaker": ["agent"]}', "its speaker is neither customer nor agent"),
        (b'{"id": 1, "text": "\xff"}', "can't decode byte 0xff"),
        (b"[" * 100_000, "recursion"),
    ],
    ids=lambda value: None if isinstance(value, str) else ascii(value[:40]),
)
def test_score_stops_at_a_line_that_is_no_turn_and_names_it(tiny: str, line: bytes, why: str) -> None:
    given = b'\xef\xbb\xbf{"id": 1, "text": "leave"}\n\n' + line + b'\n{"id": 4, "text": "x"}'
    done = livecue_model("score", "-", "--artifact", tiny, stdin=given)

    assert done.exit_code == 2
    assert [json.loads(each)["id"] for each in done.stdout.splitlines()] == [1]
    assert "line 3 is not a turn: " in done.stderr
    assert why in done.stderr


def test_score_answers_while_it_is_still_being_asked(tiny: str) -> None:
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(
        [*COMMAND, "score", "-", "--artifact", tiny], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, cwd=ROOT, env=buffered,
    ) as command:  # fmt: skip
        assert command.stdin is not None
        assert command.stdout is not None
        for number in range(3):
            command.stdin.write(b'{"id": %d, "text": "leave"}\n' % number)
            command.stdin.flush()
            assert json.loads(command.stdout.readline())["id"] == number
        command.stdin.close()
        assert command.wait(30) == 0


def test_score_of_a_file_shows_its_progress_beside_the_lines_and_not_among_them(tiny: str, tmp_path: Path) -> None:
    turns, out = tmp_path / "turns.jsonl", tmp_path / "scored.jsonl"
    turns.write_text("".join(f'{{"id": {number}, "text": "leave"}}\n' for number in range(300)))
    ours, theirs = os.openpty()  # a terminal, as where somebody looks on
    with out.open("wb") as to:
        done = subprocess.Popen(
            [*COMMAND, "score", str(turns), "--artifact", tiny], stdout=to, stderr=theirs, cwd=ROOT,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
        )  # fmt: skip
        os.close(theirs)
        told = b""
        while chunk := _read(ours):
            told += chunk
        os.close(ours)

    assert done.wait(30) == 0
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == list(range(300))
    assert b"300 turns scored in" in told
    assert told.count(b"turns scored") > 2  # the bar, again and again
    assert b'"labels"' not in told


def test_score_ends_quietly_when_nobody_reads_on(tiny: str, tmp_path: Path) -> None:
    turns = tmp_path / "turns.jsonl"
    turns.write_text('{"id": 1, "text": "leave"}\n' * 5_000)
    with subprocess.Popen(
        [*COMMAND, "score", str(turns), "--artifact", tiny], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        assert len(list(islice(command.stdout, 2))) == 2
        command.stdout.close()
        assert b"Traceback" not in command.stderr.read()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's word for: the other end was closed
        return b""


# --- evaluate, train, and all ---


def test_evaluate_measures_on_one_s_own_turns(tiny: str, tmp_path: Path) -> None:
    turns = tmp_path / "mine.jsonl"
    said = [("leave", ["wants_out"]), ("hello", ["greets"]), ("what", ["greets"]), ("well", [])]
    turns.write_text("".join(json.dumps({"text": text, "labels": labels}) + "\n" for text, labels in said * 5))

    done = livecue_model("evaluate", "--data", str(turns), "--artifact", tiny, "--json")

    found = json.loads(done.stdout)
    assert (found["turns"], found["idle_fired"]) == (20, 0)
    assert (found["f1.wants_out"], found["f1.greets"]) == (1.0, 0.6667)
    assert "greets" in livecue_model("evaluate", "--data", str(turns), "--artifact", tiny).stdout


def test_evaluate_names_the_line_that_is_no_labelled_turn(tiny: str, tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text('{"text": "leave", "labels": ["wants_out"]}\n{"text": "x"}\n')

    done = livecue_model("evaluate", "--data", str(tmp_path / "mine.jsonl"), "--artifact", tiny)

    assert done.exit_code == 2
    assert "line 2" in done.stderr


@pytest.mark.parametrize("command", [["try", "hello"], ["score", "-"], ["evaluate"]])
def test_a_folder_without_a_model_is_refused(tmp_path: Path, command: list[str]) -> None:
    done = livecue_model(*command, "--artifact", str(tmp_path), stdin="")

    assert done.exit_code == 2
    assert f"no intent model in {tmp_path}: manifest.json is missing" in done.stderr


@pytest.mark.parametrize("command", ["try", "score", "evaluate"])
def test_help_has_examples(command: str) -> None:
    assert f"livecue model {command} " in livecue_model(command, "--help").stdout.replace("\n", " ")


def test_without_an_artefact_it_is_the_one_that_ships() -> None:
    assert json.loads(livecue_model("try", "I want to cancel my contract", "--json").stdout)["fired"][0] == (
        "cancel_service"
    )


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed here: `make setup-train` was run")
def test_train_without_torch_says_what_to_install(tmp_path: Path) -> None:
    done = livecue_model("train", "--data-dir", str(tmp_path))

    assert done.exit_code == 2
    assert "make setup-train" in done.stderr
