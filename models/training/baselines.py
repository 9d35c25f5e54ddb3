"""What a strong cheap model makes of the same turns: linear ones over word counts, and over the encoder left frozen.

Each is fitted on the same training rows that ours learns from. Needs the training environment (scikit-learn, torch).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.svm import LinearSVC
from tokenizers import Tokenizer

from models.training.measures import Mask, Matrix, Vector, label_scores, macro_f1
from models.training.network import pretrained_encoder, pretrained_folder

Confidences = Callable[[Sequence[str]], Matrix]
"""A fitted classifier: texts to a confidence per class, (n, classes), classes in sorted order."""

_MAX_TOKENS = 128
_BATCH = 64
_STRENGTH = 10.0
"""Inverse of the logistic regression's penalty, in scikit-learn's sense."""


def tfidf_svm(texts: Sequence[str], expected: Sequence[str] | Mask) -> Confidences:
    """TF-IDF of words and word pairs and of 2 to 5 characters within words, under a linear SVM; gives margins.

    ``expected``: a class for each text, or (n, labels) where several may hold.
    """
    counts = FeatureUnion(
        [
            ("words", TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)),
            ("characters", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)),
        ]
    )
    model = make_pipeline(counts, OneVsRestClassifier(LinearSVC()))
    model.fit(texts, expected)
    return lambda asked: np.asarray(model.decision_function(asked))


def frozen_encoder(texts: Sequence[str], expected: Sequence[str] | Mask) -> Confidences:
    """The pretrained encoder's mean over tokens, under a logistic regression; gives probabilities.

    ``expected`` is as for `tfidf_svm`. One class a text is fitted as a softmax, several labels each by itself.
    """
    one_class = not isinstance(expected, np.ndarray)
    model: Any = LogisticRegression(C=_STRENGTH, max_iter=500)
    model = model if one_class else OneVsRestClassifier(model)
    model.fit(mean_pooled(texts), expected)
    return lambda asked: np.asarray(model.predict_proba(mean_pooled(asked)))


def mean_pooled(texts: Sequence[str]) -> Matrix:
    """The pretrained encoder's last layer, averaged over each text's tokens: (n, 384)."""
    tokenizer = Tokenizer.from_file(str(pretrained_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(_MAX_TOKENS)
    ids = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
    encoder = pretrained_encoder(tuple(range(tokenizer.get_vocab_size())))
    encoder.eval()
    pooled = np.empty((len(ids), encoder.config.hidden_size))
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    for start in range(0, len(order), _BATCH):
        rows = order[start : start + _BATCH]
        input_ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(ids[row]) for row in rows], batch_first=True)
        lengths = torch.tensor([len(ids[row]) for row in rows])
        mask = (torch.arange(input_ids.shape[1])[None, :] < lengths[:, None]).long()
        with torch.inference_mode():
            hidden = encoder(input_ids=input_ids, attention_mask=mask).last_hidden_state
        pooled[rows] = ((hidden * mask[:, :, None]).sum(dim=1) / lengths[:, None]).double().numpy()
    return pooled


def multi_label_f1(names: Sequence[str], validation: tuple[Matrix, Mask], test: tuple[Matrix, Mask]) -> float:
    """Macro-F1 on ``test`` with each label's threshold of best F1 on ``validation``; both are confidences and truth.

    Kinder to a baseline than to ours, whose thresholds must also keep a precision.
    """
    thresholds = np.array([_best_threshold(*columns) for columns in zip(*(part.T for part in validation), strict=True)])
    confidences, holds = test
    return macro_f1(label_scores(names, confidences >= thresholds, holds))


def _best_threshold(confidences: Vector, holds: NDArray[np.bool_]) -> float:
    order = np.argsort(-confidences, kind="stable")
    right = np.cumsum(holds[order])
    f1 = 2 * right / (np.arange(1, len(order) + 1) + holds.sum())
    return float(confidences[order][int(f1.argmax())])
