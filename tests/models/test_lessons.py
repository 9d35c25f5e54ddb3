"""What a teacher alone is asked about. Needs what `make setup-train` adds."""

import random

import pytest

torch = pytest.importorskip("torch", reason="`make setup-train` adds torch; `make test-train` runs these")

from models.training.lessons import first_stage_lessons, only_heard  # noqa: E402
from models.training.network import IntentNetwork  # noqa: E402
from models.training.task import Task  # noqa: E402
from models.training.turns import LabelledTurn  # noqa: E402
from models.training.vocabulary import vocabulary_for  # noqa: E402

pytestmark = pytest.mark.training
TURNS = [
    LabelledTurn("where is my parcel please", "customer", frozenset({"order"}), source="own"),
    LabelledTurn("I want my money back now", "customer", frozenset({"refund"}), source="own"),
    LabelledTurn("is that all right for you", "customer", frozenset(), source="own"),
    LabelledTurn("is that all right for you", "agent", frozenset({"asks"}), source="own"),
]
OTHERS = ["it is raining", "where is my parcel please"]


def test_of_what_is_only_heard_nothing_is_known_and_nothing_is_ones_own() -> None:
    heard = only_heard(TURNS, OTHERS, random.Random(7))

    assert "it is raining" in {turn.text for turn in heard}
    assert not {turn.text for turn in heard} & {turn.text for turn in TURNS}
    assert len({turn.text for turn in heard}) == len(heard)
    assert all(turn.known == frozenset() and not turn.labels and turn.churn_risk is None for turn in heard)


def test_the_first_stage_is_told_labels_of_what_both_speakers_say() -> None:
    task = Task.of(TURNS)
    vocabulary = vocabulary_for([turn.text for turn in TURNS], 2_000)
    encoder = IntentNetwork(task, vocabulary.rows).eval()

    lessons = first_stage_lessons(
        encoder, vocabulary, TURNS, TURNS, OTHERS, random.Random(7), 10, lambda what, done, total: None
    )

    said = vocabulary.tokenizer(128).encode("is that all right for you").ids
    at = lessons.ids.index(said)
    assert lessons.known[at].tolist() == [1.0, 1.0, 1.0]
    assert lessons.holds[at].tolist() == [float(label == "asks") for label in task.labels]
    assert len(lessons) == len(lessons.logits["intents"]) == len(lessons.embeddings)
    assert vocabulary.tokenizer(128).encode("it is raining").ids in lessons.ids
