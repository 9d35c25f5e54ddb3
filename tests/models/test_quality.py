"""The shipped model on the authored test turns, with floors a little under what it scored when it was made."""

import pytest

from models.artifacts import INTENT
from models.serving import IntentModel
from models.training.datasets.authored import load_authored
from models.training.evaluation import Evaluation, evaluate


@pytest.fixture(scope="module")
def found() -> Evaluation:
    return evaluate(IntentModel.load(INTENT), load_authored("test"))


def test_it_finds_what_turns_want(found: Evaluation) -> None:
    assert found.macro_f1 >= 0.915


def test_it_leaves_alone_what_wants_nothing() -> None:
    idle = evaluate(IntentModel.load(INTENT), load_authored("idle"))

    assert idle.idle_turns >= 1500
    assert idle.idle_fired / idle.idle_turns <= 0.03


def test_its_probabilities_mean_what_they_say(found: Evaluation) -> None:
    assert found.calibration_errors["intents"] <= 0.01
    assert max(found.calibration_errors.values()) <= 0.05


def test_it_tells_who_leans_to_leaving(found: Evaluation) -> None:
    assert found.churn_auc is not None
    assert found.churn_auc >= 0.95


def test_the_manifest_states_what_is_measured_here(found: Evaluation) -> None:
    stated = IntentModel.load(INTENT).manifest.scores

    # Other processors round int8 sums a little otherwise; a turn near a threshold may then flip.
    assert stated["authored.macro_f1"] == pytest.approx(found.macro_f1, abs=0.02)
    assert stated["authored.turns"] == found.turns
