"""The linear models beside ours, on turns that a linear model tells apart."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="`make setup-train` adds torch; `make test-train` runs these")
pytest.importorskip("sklearn", reason="`make setup-train` adds scikit-learn; `make test-train` runs these")

from models.training.baselines import frozen_encoder, mean_pooled, multi_label_f1, tfidf_svm

pytestmark = pytest.mark.training
TEXTS = ["my internet is down", "the internet keeps dropping", "cancel my contract", "i want to cancel it all"] * 3
CLASSES = ["fault", "fault", "leave", "leave"] * 3
LABELS = np.array([[True, False], [True, False], [False, True], [False, True]] * 3)
ASKED = ["is the internet down again", "please cancel my plan"]


@pytest.mark.parametrize("fit", [tfidf_svm, frozen_encoder])
@pytest.mark.parametrize("expected", [["fault", "leave", "other"] * 4, LABELS], ids=["one class", "labels"])
def test_confidences_have_a_column_a_class(fit, expected) -> None:
    columns = 3 if isinstance(expected, list) else 2

    assert fit(TEXTS, expected)(ASKED).shape == (2, columns)


@pytest.mark.parametrize("fit", [tfidf_svm, frozen_encoder])
def test_what_is_like_the_training_turns_is_told_apart(fit) -> None:
    of_labels = fit(TEXTS, LABELS)(ASKED)

    assert of_labels.argmax(axis=1).tolist() == [0, 1]


def test_pooling_heeds_no_padding() -> None:
    together = mean_pooled(["down", "the internet has been down since the storm on sunday night"])

    np.testing.assert_allclose(together[0], mean_pooled(["down"])[0], atol=1e-5)


def test_each_label_gets_its_best_threshold() -> None:
    confidences = np.array([[0.9, -0.1], [0.7, -0.2], [0.6, -0.9], [0.1, -0.8]])
    holds = np.array([[True, True], [True, True], [False, False], [False, False]])

    assert multi_label_f1(["a", "b"], (confidences, holds), (confidences, holds)) == 1.0
    assert multi_label_f1(["a", "b"], (confidences, holds), (confidences - 0.15, holds)) < 1.0
