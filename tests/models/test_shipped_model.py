"""The model that ships, loaded as the workers load it."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from models.artifacts import INTENT
from models.serving import IntentModel, Utterance
from schemas.conversation import Speaker
from schemas.intent import Scores


@pytest.fixture(scope="module")
def model() -> IntentModel:
    return IntentModel.load(INTENT)


def customer(model: IntentModel, text: str) -> Scores:
    return model.score([Utterance(Speaker.CUSTOMER, text)])[0]


@pytest.mark.parametrize(
    ("text", "must_fire"),
    [
        ("I'm thinking of leaving, my neighbour pays half", {"cancel_service", "price_complaint"}),
        ("i'm thinking of leaving my neighbour pays half", {"cancel_service", "price_complaint"}),
        ("this is the third time I'm calling about this", {"repeat_contact"}),
        ("no thanks, not interested", {"declines_offer"}),
        ("okay, let's do that", {"accepts_offer"}),
        ("my husband passed last week", {"vulnerability"}),
        ("we need more data with the kids home", {"upgrade_interest"}),
        ("could I get a second line for my wife?", {"add_product"}),
        ("what is this forty dollar fee?", {"billing_dispute"}),
        ("where's my technician?", {"order_status"}),
        ("it won't let me log in", {"account_access"}),
        ("let me talk to your manager", {"escalation"}),
        ("thank you so much, bye", {"gratitude", "closing"}),
    ],
)
def test_what_a_customer_wants_fires(model: IntentModel, text: str, must_fire: set[str]) -> None:
    assert must_fire <= set(customer(model, text).fired)


@pytest.mark.parametrize(
    ("text", "fires"),
    [
        ("just so you know this call is recorded", "discloses_recording"),
        ("can you confirm your date of birth and postcode", "verifies_identity"),
        ("I can offer you twenty percent off for twelve months", "makes_offer"),
        ("I do apologise for the wait", "apologises"),
    ],
)
def test_what_an_agent_does_fires(model: IntentModel, text: str, fires: str) -> None:
    assert model.score([Utterance(Speaker.AGENT, text)])[0].fired == (fires,)


@pytest.mark.parametrize(
    "text",
    [
        "mhm",
        "okay",
        "can you hold on a second",
        "it's l s eleven four q r",
        "yes my date of birth is the fourth of may",
        "let me just find my glasses",
        "lovely weather we're having",
        "yes speaking",
    ],
)
def test_talk_that_wants_nothing_fires_nothing(model: IntentModel, text: str) -> None:
    assert customer(model, text).fired == ()


def test_churn_risk_rises_with_the_will_to_leave(model: IntentModel) -> None:
    staying, comparing, leaving = (
        customer(model, text).churn_risk
        for text in ("yes that's my address", "when does my contract run out?", "I want to cancel, I'm leaving you")
    )

    assert staying is not None
    assert comparing is not None
    assert leaving is not None
    assert 0 <= staying < 0.4 < comparing < 1.6 < leaving <= 2


def test_a_turn_is_scored_for_its_speaker_alone(model: IntentModel) -> None:
    said = "I'm sorry, I want to cancel"
    by_customer, by_agent = model.score([Utterance(speaker, said) for speaker in Speaker])

    assert "cancel_service" in by_customer.intents
    assert "apologises" not in by_customer.intents
    assert "apologises" in by_agent.intents
    assert "cancel_service" not in by_agent.intents
    assert by_agent.churn_risk is None


def test_what_fired_is_over_its_threshold_and_most_probable_first(model: IntentModel) -> None:
    assert model.manifest.intents is not None
    thresholds = {label.name: label.threshold for label in model.manifest.intents.labels}
    scores = customer(model, "this is the third time I'm calling, let me talk to your manager, I want to cancel")

    assert scores.fired == tuple(sorted(scores.fired, key=lambda name: -scores.intents[name]))
    assert set(scores.fired) == {name for name, p in scores.intents.items() if p >= thresholds[name]}
    assert len(scores.fired) >= 2
    assert scores.model_revision == model.manifest.revision


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "...", "?!", "👍", "\u200b", "\x00"])
def test_a_text_that_says_nothing_fires_nothing(model: IntentModel, text: str) -> None:
    scores = customer(model, text)

    assert scores.fired == ()
    assert set(scores.intents.values()) == {0.0}


@pytest.mark.parametrize(
    "text",
    [
        "\ud800 lone surrogate",
        "ｉ ｗａｎｔ ｔｏ ｃａｎｃｅｌ",
        "e\u0301" * 3000,
        "我想取消",
        "‮live‬ \u202e",
        "a" * 20_000,
        "🏳️‍🌈 ok 🏳️‍🌈",
    ],
    ids=["surrogate", "full width", "combining", "chinese", "right to left", "one long word", "emoji"],
)
def test_odd_unicode_is_scored(model: IntentModel, text: str) -> None:
    scores = customer(model, text)

    assert sum(scores.sentiment.values()) == pytest.approx(1, abs=1e-3) if scores.sentiment else True
    assert len(scores.intents) > 0


def test_a_huge_text_is_scored_by_its_beginning(model: IntentModel) -> None:
    beginning = "I want to cancel my contract. " * 60  # beyond max_tokens

    assert customer(model, beginning + "hello there " * 200_000) == customer(model, beginning)


def test_scores_depend_neither_on_the_batch_nor_on_the_run(model: IntentModel) -> None:
    turns = [
        Utterance(Speaker.CUSTOMER, "my bill keeps going up every year"),
        Utterance(Speaker.AGENT, "let me see what I can do for you"),
        Utterance(Speaker.CUSTOMER, "okay"),
        Utterance(Speaker.CUSTOMER, "I was charged twice for the same thing and I have rung three times about it " * 4),
    ]
    together = model.score(turns)

    assert together == [model.score([turn])[0] for turn in turns]
    assert together == list(reversed(IntentModel.load(INTENT).score(list(reversed(turns)))))


def test_what_means_the_same_is_nearer_than_what_does_not(model: IntentModel) -> None:
    said, meant, other = (
        list(memoryview(embedding).cast("b"))
        for embedding in model.embed(
            [
                "I can take five pounds a month off your bill",
                "let me bring your monthly bill down by five pounds",
                "have you tried turning the router off and on again",
            ]
        )
    )

    def likeness(one: list[int], two: list[int]) -> float:
        return sum(a * b for a, b in zip(one, two, strict=True)) / 127**2

    assert likeness(said, said) == pytest.approx(1, abs=0.05)
    assert likeness(said, meant) > likeness(said, other) + 0.2


def test_both_stages_answer_and_every_turn_has_its_embedding(model: IntentModel) -> None:
    texts = ["thank you", "I want to cancel my contract", "I'm not being funny but the other lot would never do this"]
    scores = [customer(model, text) for text in texts]

    assert {score.stage for score in scores} == {"first_stage", "encoder"}
    assert [base64.b64decode(score.embedding or "") for score in scores] == model.embed(texts)


def test_what_ships_fits_in_25_megabytes() -> None:
    assert sum(path.stat().st_size for path in INTENT.iterdir()) <= 25_000_000


def test_serving_brings_neither_torch_nor_transformers() -> None:
    code = (
        "import sys; from models.serving import IntentModel; from models.artifacts import INTENT;"
        "IntentModel.load(INTENT); print([m for m in ('torch', 'transformers', 'sklearn') if m in sys.modules])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)

    assert done.stdout.strip() == "[]"
