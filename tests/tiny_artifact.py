"""Whole artefacts of a few kilobytes, made on the spot, of which every score can be foretold.

A word of the vocabulary adds its numbers to the logits of the turn, each of which begins at `BASE`. The two stages have
different numbers, so that a score tells which of them it is from.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from models.artifact import Manifest, record_file, write_manifest

OPSET = 18
BASE = -3.0
SURE_AT = 0.9
MAX_TOKENS = 8

LABELS = [
    {"name": "wants_out", "speakers": ["customer"], "threshold": 0.5, "partial_threshold": 0.9},
    {"name": "greets", "speakers": ["customer", "agent"], "threshold": 0.5, "partial_threshold": 0.9},
    {"name": "apologises", "speakers": ["agent"], "threshold": 0.5, "partial_threshold": 0.9},
]
HEADS: dict[str, Any] = {
    "intents": {"labels": LABELS, "exclusive": False},
    "sentiment": {"labels": ["negative", "neutral", "positive"]},
    "churn_risk": True,
    "first_stage": {"sure_at": SURE_AT, "embedding_width": 2},
}
Weights = Mapping[str, Mapping[str, float]]
"""By word, what it adds to each logit, by the logit's name."""
ENCODER: Weights = {
    "leave": {"wants_out": 5.0, "negative": 2.0, "some": 6.0, "high": 4.0},
    "maybe": {"wants_out": -1.0},
    "hello": {"greets": 5.0, "positive": 2.0},
    "sorry": {"apologises": 5.0},
}
FIRST_STAGE: Weights = {
    "leave": {"wants_out": 4.0, "negative": 1.0, "some": 5.0, "high": 3.0, "x": 3.0, "y": -4.0},
    "hello": {"greets": 6.0, "sure": 8.0, "sure of agent": 8.0, "x": 1.0},
    "maybe": {"sure of agent": 8.0},
}
FIRST_STAGE_S_OWN = {"sure": ["sure", "sure of agent"], "embedding": ["x", "y"]}
_WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *ENCODER]


def outputs_of(manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """The outputs of the heads that `manifest` has, each with the names of its logits."""
    outputs = {}
    if manifest["intents"]:
        outputs["intents"] = [label["name"] for label in manifest["intents"]["labels"]]
    if manifest["sentiment"]:
        outputs["sentiment"] = list(manifest["sentiment"]["labels"])
    if manifest["churn_risk"]:
        outputs["churn_risk"] = ["some", "high"]
    return outputs


OUTPUTS = outputs_of(HEADS)
"""The encoder's, where it has all heads."""
FIRST_OUTPUTS = {**OUTPUTS, **FIRST_STAGE_S_OWN}


def write_artifact(folder: Path, **changes: Any) -> Manifest:
    """Write a whole artefact into `folder`: all heads and both stages, but for what of the manifest `changes` sets."""
    content = {
        "format": 3, "revision": "", "opset": OPSET, "max_tokens": MAX_TOKENS, "encoder": "tiny",
        "data": {"words": "1"}, "seed": 7, "scores": {"macro_f1": 0.9}, **HEADS, **changes,
    }  # fmt: skip
    folder.mkdir(exist_ok=True)
    tiny_tokenizer().save(str(folder / "tokenizer.json"))
    outputs = outputs_of(content)
    (folder / "model.onnx").write_bytes(graph(ENCODER, outputs))
    if content["first_stage"]:
        (folder / "first_stage.onnx").write_bytes(graph(FIRST_STAGE, {**outputs, **FIRST_STAGE_S_OWN}))
    names = [path.name for path in folder.iterdir() if path.name != "manifest.json"]
    content = {"files": {name: record_file(folder / name) for name in names}, **content}
    return write_manifest(folder, Manifest.model_validate(content))


def put(folder: Path, name: str, content: bytes) -> None:
    """Replace a file of the artefact, and its record in the manifest: the digests match, whatever `content` is."""
    (folder / name).write_bytes(content)
    manifest = Manifest.model_validate_json((folder / "manifest.json").read_bytes())
    write_manifest(folder, manifest.model_copy(update={"files": {**manifest.files, name: record_file(folder / name)}}))


def graph(
    weights: Weights,
    outputs: Mapping[str, list[str]],
    *,
    words: int = len(_WORDS),
    tokens: str | int = "tokens",
    ids: int = TensorProto.INT64,
    base: float = BASE,
) -> bytes:
    """An ONNX file with `outputs`; `words` and `tokens` limit the ids and the number of them that it runs on."""
    logits = [logit for columns in outputs.values() for logit in columns]
    table = np.zeros((words, len(logits)), np.float32)
    for word, adds in weights.items():
        for logit in set(adds) & set(logits):
            table[_WORDS.index(word), logits.index(logit)] = adds[logit]
    starts = np.array([0.0 if logit in ("x", "y") else base for logit in logits], np.float32)
    sizes = np.array([len(columns) for columns in outputs.values()], np.int64)
    constants = {"table": table, "starts": starts, "sizes": sizes, "over_tokens": np.array([1], np.int64)}
    raw = {name: f"{name}_raw" if name == "embedding" else name for name in outputs}
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["found"]),
        helper.make_node("ReduceSum", ["found", "over_tokens"], ["summed"], keepdims=0),
        helper.make_node("Add", ["summed", "starts"], ["logits"]),
        helper.make_node("Split", ["logits", "sizes"], list(raw.values()), axis=1),
    ]
    if "embedding" in outputs:
        nodes.append(helper.make_node("LpNormalization", ["embedding_raw"], ["embedding"], axis=1, p=2))
    made = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input_ids", ids, ["rows", tokens])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["rows", len(c)]) for n, c in outputs.items()],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    opset = helper.make_opsetid("", OPSET)
    written: bytes = helper.make_model(made, opset_imports=[opset], ir_version=10).SerializeToString()
    return written


def tiny_tokenizer() -> Tokenizer:
    """Lower-cases, takes punctuation for space, and knows the words of `ENCODER`."""
    vocabulary = {word: place for place, word in enumerate(_WORDS)}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = Lowercase()
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")]
    )
    return tokenizer
