"""Artefacts of which every score can be foretold, measured on turns of which every label is known."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.serving import IntentModel, Utterance
from models.training.answers import Stages
from models.training.evaluation import evaluate
from models.training.turns import LabelledTurn
from schemas.conversation import Speaker
from tiny_artifact import write_artifact


def stages(folder: Path, **changes: Any) -> Stages:
    write_artifact(folder, **changes)
    return Stages(IntentModel.load(folder))


SAID = [
    ("customer", "leave"),
    ("customer", "hello leave"),
    ("customer", "hello"),
    ("agent", "sorry hello"),
    ("agent", "leave"),
    ("customer", "maybe leave"),
    ("customer", "…"),
    ("customer", "hello " * 40),
]


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("partial", [False, True])
def test_the_cascade_says_what_serving_says(tmp_path: Path, exclusive: bool, partial: bool) -> None:
    both = {"customer", "agent"}
    labels = [
        {"name": name, "speakers": sorted(both), "threshold": 0.3, "partial_threshold": 0.8}
        for name in ("wants_out", "greets", "apologises")
    ]
    changes = {"intents": {"labels": labels, "exclusive": True}} if exclusive else {}
    measured = stages(tmp_path, **changes)

    served = measured.model.score([Utterance(Speaker(who), text, not partial) for who, text in SAID])
    answers = measured.read(SAID).cascade
    fires = measured.fires(answers.intents, partial=partial)

    for row, scores in enumerate(served):
        fired = {name for name, fired in zip(measured.names, fires[row], strict=True) if fired}
        assert fired == set(scores.fired), SAID[row]
        for name, probability in scores.intents.items():
            assert answers.intents[row, measured.names.index(name)] == pytest.approx(probability, abs=1e-4)
        if scores.churn_risk is not None and answers.churn_risk is not None:
            assert answers.churn_risk[row].sum() == pytest.approx(scores.churn_risk, abs=1e-3)


def test_both_stages_can_be_asked_by_themselves(tmp_path: Path) -> None:
    reading = stages(tmp_path).read(SAID)

    assert reading.first is not None
    assert reading.by_first.tolist() == [False, True, True, True, False, False, False, True]
    assert reading.cascade.intents[1].tolist() == reading.first.intents[1].tolist()
    assert reading.cascade.intents[0].tolist() == reading.encoder.intents[0].tolist()
    assert not np.array_equal(reading.encoder.intents[1], reading.first.intents[1])


def test_without_a_first_stage_the_encoder_is_the_cascade(tmp_path: Path) -> None:
    reading = stages(tmp_path, first_stage=None).read(SAID)

    assert reading.first is None
    assert not reading.by_first.any()
    assert reading.cascade is reading.encoder


def turn(
    text: str, *labels: str, speaker: Any = "customer", feels: Any = None, risk: int | None = None
) -> LabelledTurn:
    return LabelledTurn(text, speaker, frozenset(labels), None, feels, risk)


def test_every_figure_of_a_small_set(tmp_path: Path) -> None:
    write_artifact(tmp_path)
    turns = [
        turn("leave", "wants_out", feels="negative", risk=2),
        turn("maybe leave", "wants_out", feels="positive", risk=1),
        turn("hello", "greets", feels="negative", risk=0),
        turn("hello hello"),
        turn("maybe"),
        turn("sorry", "apologises", speaker="agent"),
    ]

    found = evaluate(IntentModel.load(tmp_path), turns)

    assert [(each.name, each.support, each.fired, each.right) for each in found.labels] == [
        ("wants_out", 2, 2, 2),
        ("greets", 1, 2, 1),
        ("apologises", 1, 1, 1),
    ]
    assert found.macro_f1 == pytest.approx((1 + 2 / 3 + 1) / 3)
    assert (found.idle_turns, found.idle_fired) == (2, 1)
    assert found.sentiment_accuracy == pytest.approx(2 / 3)
    assert found.churn_auc == 1.0
    assert set(found.calibration_errors) == {"intents", "sentiment", "churn_some", "churn_high"}
    assert all(0 <= error <= 1 for error in found.calibration_errors.values())
    assert found.summary()["f1.greets"] == pytest.approx(0.6667)


def test_what_the_model_lacks_has_no_figure(tmp_path: Path) -> None:
    write_artifact(tmp_path, sentiment=None, churn_risk=False)

    found = evaluate(IntentModel.load(tmp_path), [turn("leave", "wants_out", feels="negative", risk=2)])

    assert (found.sentiment_accuracy, found.churn_auc) == (None, None)
    assert set(found.calibration_errors) == {"intents"}
    assert "churn_auc" not in found.summary()


def test_what_the_turns_do_not_say_has_no_figure(tmp_path: Path) -> None:
    write_artifact(tmp_path)

    found = evaluate(IntentModel.load(tmp_path), [turn("leave", "wants_out")])

    assert (found.sentiment_accuracy, found.churn_auc, found.idle_share) == (None, None, None)
    assert set(found.calibration_errors) == {"intents"}


def test_thanks_and_goodbyes_want_nothing_and_call_for_nothing(tmp_path: Path) -> None:
    labels = [
        {"name": name, "speakers": ["customer"], "threshold": 0.5, "partial_threshold": 0.5}
        for name in ("gratitude", "cancel_service")
    ]
    write_artifact(tmp_path, intents={"labels": labels, "exclusive": False}, first_stage=None)
    model = IntentModel.load(tmp_path)
    measured = Stages(model)
    probabilities = np.array([[0.9, 0.1], [0.9, 0.9]])
    assert measured.fires(probabilities).tolist() == [[True, False], [True, True]]

    found = evaluate(model, [turn("hello", "gratitude"), turn("leave", "cancel_service")])

    assert (found.idle_turns, found.idle_fired) == (1, 0)
