"""The rows beside ours: what linear models make of the same training and test rows."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from models.training.answers import Stages
from models.training.baselines import Confidences, frozen_encoder, multi_label_f1, tfidf_svm
from models.training.benchmarks import Answered, answered
from models.training.datasets.sampling import Row
from models.training.datasets.splits import ClincSplit, banking77_split, clinc150_split
from models.training.evaluation import holds_in, said_in
from models.training.measures import Matrix
from models.training.report.curve import Point, curve_of
from models.training.report.public import in_and_out
from models.training.turns import LabelledTurn

_CALLED = {"tfidf_svm": "TF-IDF, linear SVM", "frozen_encoder": "frozen encoder, logistic regression"}
_FITTED: dict[str, Callable[..., Confidences]] = {"tfidf_svm": tfidf_svm, "frozen_encoder": frozen_encoder}


def banking77_beside(data: Path) -> dict[str, float]:
    """Accuracy of each on Banking77's test rows, fitted on all of its train rows."""
    train, test = banking77_split(data, "train"), banking77_split(data, "test")
    return {f"banking77.{name}": _answers(fit(*_columns(train)), train, test).accuracy for name, fit in _FITTED.items()}


def clinc150_beside(data: Path) -> dict[str, float]:
    """In-scope accuracy and out-of-scope recall of each, its thresholds chosen on validation as ours are."""
    train = clinc150_split(data, "train")
    scores: dict[str, float] = {}
    for name, fit in _FITTED.items():
        model = fit(*_columns(train))

        def both(scope: ClincSplit, outside: ClincSplit, model: Confidences = model) -> tuple[Answered, Answered]:
            return (
                _answers(model, train, clinc150_split(data, scope)),
                _answers(model, train, clinc150_split(data, outside)),
            )

        test = both("test", "oos_test")
        scores[f"clinc150.{name}.accuracy"] = test[0].accuracy
        scores |= in_and_out(f"clinc150.{name}", both("val", "oos_val"), test)
    return scores


def authored_beside(
    stages: Stages,
    train: Sequence[LabelledTurn],
    validation: Sequence[LabelledTurn],
    test: Sequence[LabelledTurn],
) -> tuple[dict[str, float], dict[str, tuple[Point, ...]]]:
    """Macro-F1 and the coverage-precision curve of each on the authored test turns, fitted on the training turns.

    Like ours they are told who speaks: a label that the speaker cannot carry is never their answer.
    """
    names = stages.names
    scores, curves = {}, {}
    for name, fit in _FITTED.items():
        model = fit([turn.text for turn in train], holds_in(train, names))

        def ask(turns: Sequence[LabelledTurn], model: Confidences = model) -> Matrix:
            confidences = model([turn.text for turn in turns])
            return np.where(stages.can_carry(said_in(turns)), confidences, confidences.min() - 1.0)

        chosen_on, measured_on = ((ask(turns), holds_in(turns, names)) for turns in (validation, test))
        scores[f"authored.{name}.macro_f1"] = multi_label_f1(names, chosen_on, measured_on)
        curves[_CALLED[name]] = curve_of(*measured_on)
    return scores, curves


def _columns(rows: Sequence[Row]) -> tuple[list[str], list[str]]:
    return [text for text, _ in rows], [name for _, name in rows]


def _answers(model: Confidences, train: Sequence[Row], asked: Sequence[Row]) -> Answered:
    classes = sorted({name for _, name in train})
    texts, expected = _columns(asked)
    return answered(model(texts), classes, expected)
