"""Serving on artefacts of which every score can be foretold: the cascade, thresholds, and texts of every kind."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.artifact import ArtifactError
from models.serving import IntentModel, Utterance
from schemas.conversation import Speaker
from schemas.intent import Scores
from tiny_artifact import FIRST_OUTPUTS, LABELS, MAX_TOKENS, graph, put, write_artifact

CUSTOMER, AGENT = Speaker.CUSTOMER, Speaker.AGENT


def sigmoid(logit: float) -> float:
    return round(1 / (1 + float(np.exp(-logit))), 4)


def softmax(*logits: float) -> list[float]:
    shares = np.exp(np.array(logits))
    return [round(float(share), 4) for share in shares / shares.sum()]


def load(folder: Path, **changes: Any) -> IntentModel:
    write_artifact(folder, **changes)
    return IntentModel.load(folder)


def score(model: IntentModel, text: str, speaker: Speaker = CUSTOMER, **fields: Any) -> Scores:
    return model.score([Utterance(speaker, text, **fields)])[0]


@pytest.fixture
def model(tmp_path: Path) -> IntentModel:
    return load(tmp_path)


# --- The cascade ---


def test_the_encoder_answers_what_the_first_stage_is_not_sure_of(model: IntentModel) -> None:
    scores = score(model, "Leave!")

    assert scores.stage == "encoder"
    assert scores.intents == {"wants_out": sigmoid(-3 + 5), "greets": sigmoid(-3)}
    assert scores.fired == ("wants_out",)
    assert scores.sentiment == dict(zip(("negative", "neutral", "positive"), softmax(2, 0, 0), strict=True))
    assert scores.churn_risk == pytest.approx(sigmoid(-3 + 6) + sigmoid(-3 + 4), abs=1e-4)
    assert scores.model_revision == model.manifest.revision


def test_the_first_stage_answers_with_every_head_what_it_is_sure_of(model: IntentModel) -> None:
    scores = score(model, "hello leave")

    assert scores.stage == "first_stage"
    assert scores.intents == {"wants_out": sigmoid(-3 + 4), "greets": sigmoid(-3 + 6)}
    assert scores.fired == ("greets", "wants_out")
    assert scores.sentiment == dict(zip(("negative", "neutral", "positive"), softmax(1, 0, 0), strict=True))
    assert scores.churn_risk == pytest.approx(sigmoid(-3 + 5) + sigmoid(-3 + 3), abs=1e-4)


def test_just_sure_enough_is_sure(tmp_path: Path) -> None:
    write_artifact(tmp_path, first_stage={"sure_at": 0.5, "embedding_width": 2})
    put(tmp_path, "first_stage.onnx", graph({"hello": {"sure": 3.0}}, FIRST_OUTPUTS))

    assert score(IntentModel.load(tmp_path), "hello").stage == "first_stage"


def test_the_first_stage_is_sure_by_who_speaks(model: IntentModel) -> None:
    assert [score(model, "maybe", who).stage for who in (CUSTOMER, AGENT)] == ["encoder", "first_stage"]


@pytest.mark.parametrize("text", ["hello", "leave"])
def test_without_its_cascade_the_encoder_answers_everything(tmp_path: Path, text: str) -> None:
    write_artifact(tmp_path)
    alone = IntentModel.load(tmp_path).without_cascade()

    assert score(alone, text) == score(load(tmp_path / "other", first_stage=None), text).model_copy(
        update={"model_revision": alone.manifest.revision}
    )
    assert (score(alone, text).stage, score(alone, text).embedding) == ("encoder", None)
    with pytest.raises(ArtifactError, match="runs without a first stage"):
        alone.embed([text])


def test_the_embedding_is_the_first_stage_s_whichever_answers(model: IntentModel) -> None:
    turns = {"leave": [3 / 5, -4 / 5], "hello": [1.0, 0.0]}

    embedded = model.embed(list(turns))

    assert [np.frombuffer(each, np.int8).tolist() for each in embedded] == [[76, -102], [127, 0]]
    assert [base64.b64decode(score(model, text).embedding or "") for text in turns] == embedded


def test_what_says_nothing_is_like_nothing(model: IntentModel) -> None:
    assert model.embed(["…", "hello", ""]) == [bytes(2), bytes([127, 0]), bytes(2)]


# --- Heads and thresholds ---


def test_a_partial_turn_fires_at_its_own_thresholds(model: IntentModel) -> None:
    whole, begun = score(model, "leave"), score(model, "leave", is_final=False)

    assert (whole.fired, begun.fired) == (("wants_out",), ())  # 0.88: over 0.5, under 0.9
    assert begun.intents == whole.intents
    assert score(model, "hello hello", is_final=False).fired == ("greets",)  # 0.95


def test_what_has_no_threshold_on_partial_turns_never_fires_there(tmp_path: Path) -> None:
    never = [{**label, "partial_threshold": None} for label in LABELS]
    model = load(tmp_path, intents={"labels": never, "exclusive": False})

    certain = "hello hello hello hello hello hello"  # 30: a probability of 1
    assert score(model, certain).intents["greets"] == 1.0
    assert (score(model, certain).fired, score(model, certain, is_final=False).fired) == (("greets",), ())


def test_a_turn_is_scored_for_its_speaker_alone(model: IntentModel) -> None:
    said = "sorry, leave"

    assert score(model, said).fired == ("wants_out",)
    assert score(model, said, AGENT).fired == ("apologises",)
    assert set(score(model, said, AGENT).intents) == {"greets", "apologises"}
    assert score(model, said, AGENT).churn_risk is None


def test_of_an_exclusive_head_none_but_the_likeliest_fires(tmp_path: Path) -> None:
    labels = [{**label, "speakers": ["customer"], "threshold": 0.3} for label in LABELS]
    model = load(tmp_path, intents={"labels": labels, "exclusive": True}, first_stage=None)

    torn, lost = score(model, "hello maybe sorry leave"), score(model, "what now")

    none = 0
    assert list(torn.intents.values()) == softmax(1, 2, 2, none)[:-1]
    assert torn.fired == ("apologises",)  # both are over 0.3, and equal: by name
    assert list(lost.intents.values()) == softmax(-3, -3, -3, none)[:-1]
    assert lost.fired == ()
    assert score(model, "hello hello", is_final=False).fired == ("greets",)
    assert score(model, "hello sorry", is_final=False).fired == ()


@pytest.mark.parametrize("head", ["intents", "sentiment"])
def test_a_head_that_the_artefact_lacks_is_null(tmp_path: Path, head: str) -> None:
    model = load(tmp_path, **{head: None})

    for text in ("leave", "hello", "…"):
        scores = score(model, text)
        assert (scores.intents, scores.fired) == ({}, ()) if head == "intents" else scores.intents
        assert scores.sentiment is None or head == "intents"
    assert score(model, "leave").churn_risk is not None


def test_an_artefact_without_churn_risk_rates_none(tmp_path: Path) -> None:
    scores = score(load(tmp_path, churn_risk=False), "leave")

    assert (scores.churn_risk, scores.fired) == (None, ("wants_out",))


# --- Texts of every kind ---


SILENCES = [
    "",
    "   ",
    "\n\t",
    "...",
    "?!",
    "👍",
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "\u200b",
    "\u200d",
    "\x00",
    "\ud800",
    "\u202e",
    "…" * 10_000_000,
]
BESIDE_ODDITIES = [
    "\ud800 leave",
    "leave \x00",
    "👍 leave 👩‍👩‍👧",
    "\u202e leave \u202c",
    "leave 我想 ؟",
    "leave " + "a" * 3_000,
]


def ascii_id(text: str) -> str:
    return ascii(text[:12])


@pytest.mark.parametrize("text", SILENCES, ids=ascii_id)
def test_a_text_without_letter_or_digit_says_nothing(model: IntentModel, text: str) -> None:
    nothing = Scores(model_revision=model.manifest.revision, intents={"wants_out": 0.0, "greets": 0.0}, fired=())

    assert score(model, text) == nothing


@pytest.mark.parametrize("text", BESIDE_ODDITIES, ids=ascii_id)
def test_odd_characters_leave_the_words_beside_them_as_they_are(model: IntentModel, text: str) -> None:
    assert score(model, text).fired == ("wants_out",)


def test_a_huge_text_is_scored_by_its_beginning(model: IntentModel) -> None:
    beginning = "leave " * (MAX_TOKENS - 2)

    assert score(model, beginning + "hello " * 2_000_000) == score(model, beginning)
    assert score(model, "." * 10_000_000 + " leave").fired == ()


def test_scores_depend_neither_on_the_batch_nor_on_the_thread(model: IntentModel) -> None:
    turns = [Utterance(who, text) for text in ("leave", "hello", "", "maybe leave " * 5, "leave") for who in Speaker]
    alone = [model.score([turn])[0] for turn in turns]

    assert model.score(turns) == alone
    assert model.score(turns[::-1]) == alone[::-1]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(model.score, [turns] * 16)) == [alone] * 16
    assert model.score([]) == []
