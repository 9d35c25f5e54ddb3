"""The road from turns to an artefact, on a few turns. Needs what `make setup-train` adds."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.training.datasets.authored import load_authored
from models.training.turns import LabelledTurn

torch = pytest.importorskip("torch", reason="`make setup-train` adds torch; `make test-train` runs these")

from models.serving import IntentModel, Utterance  # noqa: E402
from models.training.recipe import train  # noqa: E402
from models.training.trained import Recipe, Trained  # noqa: E402
from models.training.tune import Report  # noqa: E402
from models.training.writing import write_artifact  # noqa: E402
from schemas.conversation import Speaker  # noqa: E402

pytestmark = [pytest.mark.training, pytest.mark.timeout(900)]
LABELS = frozenset({"cancel_service", "technical_problem", "gratitude", "discloses_recording"})


def few(split: str, most: int) -> list[LabelledTurn]:
    turns = [turn for turn in load_authored(split) if turn.labels & LABELS or not turn.labels]
    turns = sorted(turns, key=lambda turn: (not turn.labels, turn.text))[:: max(1, len(turns) // most)]
    return [LabelledTurn(t.text, t.speaker, t.labels & LABELS, None, t.sentiment, t.churn_risk) for t in turns[:most]]


def quiet(what: str, done: int, total: int) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Report], Trained]:
    work = tmp_path_factory.mktemp("work")

    def make(report: Report) -> Trained:
        return train(few("train", 240), few("validation", 60), ["is it raining"], work, Recipe(epochs=2), report)

    make(quiet)
    return make


def test_what_is_finished_is_not_made_again(made: Callable[[Report], Trained]) -> None:
    told = set()

    made(lambda what, done, total: told.add(what))

    assert told == {"reading as it serves"}


def test_cut_off_it_goes_on_by_the_epoch(tmp_path: Path) -> None:
    turns, held, recipe = few("train", 120), few("validation", 40), Recipe(epochs=2, first_stage_epochs=1)

    class CutOff(Exception):
        pass

    def cut(what: str, done: int, total: int) -> None:
        if what == "tuning" and done > total / 2:
            raise CutOff

    with pytest.raises(CutOff):
        train(turns, held, [], tmp_path / "cut", recipe, cut)
    resumed = train(turns, held, [], tmp_path / "cut", recipe, quiet)
    whole = train(turns, held, [], tmp_path / "whole", recipe, quiet)

    for name, weights in whole.encoder.state_dict().items():
        assert torch.equal(weights, resumed.encoder.state_dict()[name]), name


def test_onnx_says_what_torch_says(made: Callable[[Report], Trained], tmp_path: Path) -> None:
    trained = made(quiet)
    write_artifact(trained, tmp_path / "exact", int8=False)
    write_artifact(trained, tmp_path / "int8")
    texts = [turn.text for turn in few("validation", 30)]
    tokenizer = trained.vocabulary.tokenizer(128)
    exact = IntentModel.load(tmp_path / "exact").without_cascade()
    int8 = IntentModel.load(tmp_path / "int8").without_cascade()

    with torch.no_grad():
        logits = [trained.encoder(torch.tensor([tokenizer.encode(text).ids]))["intents"][0] for text in texts]
    expected = torch.stack(logits).sigmoid().numpy()
    names = [
        label for label, whose in zip(trained.task.labels, trained.task.speakers, strict=True) if "customer" in whose
    ]
    columns = [trained.task.labels.index(name) for name in names]

    def said(model: IntentModel) -> np.ndarray:  # type: ignore[type-arg]
        scores = model.score([Utterance(Speaker.CUSTOMER, text) for text in texts])
        return np.array([[score.intents[name] for name in names] for score in scores])

    assert np.abs(said(exact) - expected[:, columns]).max() < 1e-3
    assert np.abs(said(int8) - expected[:, columns]).mean() < 0.03


def test_a_label_that_only_validation_has_is_refused_before_anything_is_learned(tmp_path: Path) -> None:
    strange = LabelledTurn("hm", "customer", frozenset({"never_seen"}))

    with pytest.raises(ValueError, match="no turn to learn from has never_seen"):
        train(few("train", 40), [strange], [], tmp_path, Recipe(), quiet)


def test_short_turns_alone_make_a_model(tmp_path: Path) -> None:
    short, held = ([t for t in few(split, 240) if len(t.text.split()) <= 7] for split in ("train", "validation"))
    names = {label for turn in short for label in turn.labels}
    held = [turn for turn in held if turn.labels <= names]

    trained = train(short, held, [], tmp_path, Recipe(epochs=1, first_stage_epochs=1, questions=50), quiet)

    assert trained.scores["validation.partial_fires"] == 0.0


def test_labels_of_ones_own_become_a_model_that_scores(tmp_path: Path) -> None:
    rows = [turn for turn in load_authored("train") if turn.labels & {"cancel_service", "technical_problem"}][:160]
    data = tmp_path / "my.jsonl"
    names = {"cancel_service": "Kündigung", "technical_problem": "Störung"}
    lines = [
        {"text": turn.text, "labels": sorted(names[label] for label in turn.labels if label in names)} for turn in rows
    ]
    data.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    out = tmp_path / "mine"
    livecue = [sys.executable, "-m", "deploy.cli", "model"]

    subprocess.run(
        [*livecue, "train", "--data", str(data), "--out", str(out), "--work", str(tmp_path / "work"), "--epochs", "3"],
        check=True,
    )
    turn = json.dumps({"id": 1, "text": "my internet is down again"})
    scored = subprocess.run(
        [*livecue, "score", "-", "--artifact", str(out)], input=turn, capture_output=True, text=True, check=True
    )

    line = json.loads(scored.stdout)
    assert line["sentiment"] is None
    assert line["churn_risk"] is None
    assert line["probabilities"]["Störung"] > line["probabilities"]["Kündigung"]
