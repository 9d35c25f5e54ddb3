"""`livecue model report` on artefacts of which every answer can be foretold."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.model_cli import model_app
from models.artifact import load_manifest
from models.serving import IntentModel
from models.training.answers import Stages
from models.training.report.authored import measure_authored
from models.training.report.public import Classifier, measure_banking77, measure_clinc150
from models.training.turns import LabelledTurn
from tiny_artifact import write_artifact

CLASSES = [
    {"name": name, "speakers": ["customer"], "threshold": 0.5, "partial_threshold": 0.5}
    for name in ("wants_out", "greets")
]


def stages(folder: Path, **changes: Any) -> Stages:
    write_artifact(folder, **changes)
    return Stages(IntentModel.load(folder))


def classifier(folder: Path) -> Classifier:
    one_class = {"intents": {"labels": CLASSES, "exclusive": True}, "sentiment": None, "churn_risk": False}
    return Classifier(stages(folder, **one_class), stages(folder.with_name("exact"), **one_class))


def turn(text: str, *labels: str, speaker: Any = "customer") -> LabelledTurn:
    return LabelledTurn(text, speaker, frozenset(labels))


def test_the_authored_turns_are_measured_whole_stripped_and_begun(tmp_path: Path) -> None:
    model = stages(tmp_path / "model", max_tokens=16)
    goes_on = "one two three four five six leave leave leave"
    test = [
        turn("Hello!", "greets"),
        turn("leave", "wants_out"),
        turn(goes_on, "wants_out"),
        turn("hello", "wants_out"),
    ]
    idle = [turn("maybe"), turn("hello there"), turn("mhm")]

    found = measure_authored(model, stages(tmp_path / "exact", max_tokens=16), test, idle)

    assert found.scores["authored.turns"] == 4
    assert found.scores["authored.int8_loss"] == 0
    assert found.scores["authored.stripped_loss"] == 0
    assert found.scores["cascade.share"] == 0.5
    assert (found.scores["idle.turns"], found.scores["idle.fired"]) == (3, pytest.approx(1 / 3))
    assert found.scores["partial.turns"] == 1
    assert found.scores["partial.fires"] == 0, "one 'leave' of three is not enough for a partial"
    assert [(each.missed, each.fired) for each in found.confusions] == [("wants_out", "greets")]
    assert found.worst[0].text == "hello"
    assert found.curves["as it serves"][-1].coverage == 1.0


def test_banking77_is_the_share_of_right_classes(tmp_path: Path) -> None:
    (tmp_path / "banking77").mkdir()
    (tmp_path / "banking77" / "test.csv").write_text(
        "text,category\nleave,wants_out\nHello,greets\nhello leave,wants_out\nmaybe,greets\n"
    )

    scores = measure_banking77(classifier(tmp_path / "model"), tmp_path)

    assert scores["banking77.accuracy"] == 0.75, "the first stage hears a greeting in 'hello leave'"
    assert scores["banking77.first_stage_share"] == 0.5
    assert scores["banking77.int8_loss"] == 0
    assert scores["banking77.stripped_loss"] == 0


def test_clinc150_turns_away_what_is_out_of_scope(tmp_path: Path) -> None:
    (tmp_path / "clinc150").mkdir()
    scope, outside = [["leave", "wants_out"], ["hello", "greets"]], [["mhm", "oos"], ["so", "oos"]]
    data = {
        "val": scope * 200,
        "oos_val": outside,
        "test": scope,
        "oos_test": [*outside, ["hello", "oos"], ["hm", "oos"]],
    }
    (tmp_path / "clinc150" / "data_full.json").write_text(json.dumps(data))

    scores = measure_clinc150(classifier(tmp_path / "model"), tmp_path)

    assert scores["clinc150.in_scope"] == 1.0
    assert scores["clinc150.oos_recall"] == 0.75
    assert (scores["clinc150.strict.in_scope"], scores["clinc150.strict.oos_recall"]) == (1.0, 0.75)


def test_a_model_of_many_labels_a_turn_is_no_classifier(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one label a turn"):
        Classifier(stages(tmp_path), None)


@pytest.mark.skipif(
    find_spec("torch") is not None, reason="where torch is, linear models and peers are measured: minutes"
)
def test_the_command_measures_writes_the_card_and_records_the_scores(tmp_path: Path) -> None:
    before = write_artifact(tmp_path / "model", scores={"validation.macro_f1": 0.5, "authored.gone": 0.1})
    out, measured = tmp_path / "README.md", tmp_path / "report.json"
    arguments = ["report", "--artifact", str(tmp_path / "model"), "--out", str(out), "--measured", str(measured)]

    done = CliRunner().invoke(model_app, arguments)

    assert done.exit_code == 0, done.output
    scores = json.loads(measured.read_text())["scores"]
    after = load_manifest(tmp_path / "model")
    assert scores["authored.turns"] > 500
    assert scores["latency.encoder.8.p50_ms"] > 0
    assert after.scores == {"validation.macro_f1": 0.5, **scores}
    assert after.revision != before.revision
    assert out.read_text().startswith("<!-- Made by `livecue model report`")
    assert (tmp_path / "coverage.svg").read_text().startswith("<svg")

    (tmp_path / "errors.md").write_text("Read, and explained.")
    again = CliRunner().invoke(model_app, [*arguments, "--only-card"])

    assert again.exit_code == 0, again.output
    assert "Read, and explained." in out.read_text()
    assert load_manifest(tmp_path / "model") == after, "measuring nothing changes nothing"


def test_the_card_of_another_model_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(model_app, ["report", "--only-card", "--measured", str(tmp_path / "none.json")])

    assert done.exit_code == 2
    assert "none.json" in done.output.replace("\n", "")
