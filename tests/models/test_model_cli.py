"""`livecue model`, as typed, on the shipped model and without torch."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.model_cli import model_app


def livecue_model(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(model_app, list(arguments), input=stdin)


def test_try_shows_what_fired() -> None:
    shown = livecue_model("try", "I want to cancel my contract")

    assert shown.exit_code == 0
    first = shown.stdout.splitlines()[1].split()
    assert (first[0], first[-1]) == ("cancel_service", "fires")
    assert "churn risk" in shown.stdout


def test_try_as_json_for_an_agent() -> None:
    shown = livecue_model("try", "this call is recorded", "--speaker", "agent", "--json")

    assert json.loads(shown.stdout)["fired"] == ["discloses_recording"]


def test_score_writes_a_line_a_turn_in_order() -> None:
    turns = [
        {"id": "a", "text": "I want to cancel my contract", "channel": "chat"},
        {"id": 2, "speaker": "agent", "text": "this call is recorded", "context": "hello"},
        {"id": "c", "text": ""},
    ]

    done = livecue_model("score", "-", stdin="\n".join(json.dumps(turn) for turn in turns))
    lines = [json.loads(line) for line in done.stdout.splitlines()]

    assert [line["id"] for line in lines] == ["a", 2, "c"]
    assert lines[0]["labels"][0] == "cancel_service"
    assert lines[0]["churn_risk"] > 1.5
    assert lines[1]["labels"] == ["discloses_recording"]
    assert lines[1]["churn_risk"] is None
    assert lines[2]["labels"] == []
    assert set(lines[0]) == {"id", "labels", "probabilities", "sentiment", "churn_risk"}


@pytest.mark.parametrize("line", ["not json", '{"id": 1}', '{"id": 1, "text": "x", "speaker": "robot"}', "[]"])
def test_score_names_the_line_that_is_no_turn(line: str) -> None:
    done = livecue_model("score", "-", stdin='{"id": 1, "text": "hello"}\n' + line)

    assert done.exit_code == 2
    assert "line 2 is not a turn" in done.stderr


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    done = livecue_model("try", "hello", "--artifact", str(tmp_path))

    assert done.exit_code == 2
    assert "manifest.json is missing" in " ".join(done.stderr.split())


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed here: `make setup-train` was run")
def test_train_without_torch_says_what_to_install(tmp_path: Path) -> None:
    done = livecue_model("train", "--data-dir", str(tmp_path))

    assert done.exit_code == 2
    assert "make setup-train" in done.stderr
