"""What a trained encoder says of many texts: as it serves, or quickly."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from models.serving.graph import Graph
from models.training.export import write_encoder
from models.training.network import IntentNetwork, Logits, TunedNetwork
from models.training.thresholds import Arrays
from models.training.tune import Report, embed, predict
from models.training.vocabulary import Vocabulary

MAX_TOKENS = 128
_AT_ONCE = 8_000


def read(encoder: IntentNetwork, vocabulary: Vocabulary, texts: Sequence[str], report: Report) -> Arrays:
    """As it serves: int8, each text by itself. What is calibrated and chosen on this holds for what ships."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.onnx"
        write_encoder(encoder, MAX_TOKENS, path, int8=True)
        graph = Graph(path.read_bytes(), {name: head.out_features for name, head in encoder.heads.items()})
    said = []
    for done, ids in enumerate(token_ids(vocabulary.tokenizer(MAX_TOKENS), texts), start=1):
        said.append(graph.run(ids))
        report("reading as it serves", done, len(texts))
    return {
        name: np.array([each[name] for each in said], dtype=np.float64).reshape(len(texts), head.out_features)
        for name, head in encoder.heads.items()
    }


def logits_of(network: TunedNetwork, tokenizer: Tokenizer, texts: Sequence[str], what: str, report: Report) -> Logits:
    """In torch, many times as fast; (n, columns) a head. Hidden states are large: those of some texts are held at once.

    ``what``: as ``report`` is to be told of it.
    """
    parts = []
    for start in range(0, len(texts), _AT_ONCE):
        some = texts[start : start + _AT_ONCE]
        parts.append(predict(network, embed(network, tokenizer, some, _silent, rounded=False), _silent))
        report(what, start + len(some), len(texts))
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def token_ids(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    return [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]


def arrays(logits: Logits) -> Arrays:
    return {name: values.double().numpy() for name, values in logits.items()}


def _silent(what: str, done: int, total: int) -> None:
    pass
