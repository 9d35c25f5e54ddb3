"""Files that are whole but are not the model that their manifest describes: none gets as far as a turn."""

import json
from pathlib import Path

import pytest
from onnx import TensorProto

from models.artifact import ArtifactError
from models.serving import IntentModel
from tiny_artifact import ENCODER, FIRST_OUTPUTS, FIRST_STAGE, OUTPUTS, graph, put, write_artifact


@pytest.mark.parametrize("name", ["model.onnx", "first_stage.onnx", "tokenizer.json"])
@pytest.mark.parametrize("content", [b"\x00", json.dumps({"not": "a model"}).encode()])
def test_a_file_that_the_runtime_cannot_read(tmp_path: Path, name: str, content: bytes) -> None:
    write_artifact(tmp_path)
    put(tmp_path, name, content)

    with pytest.raises(ArtifactError, match=rf"{name} does not load: .*livecue doctor"):
        IntentModel.load(tmp_path)


WITHOUT_SENTIMENT = {name: columns for name, columns in OUTPUTS.items() if name != "sentiment"}
A_LABEL_LESS = {**OUTPUTS, "intents": ["wants_out", "greets"]}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (graph(ENCODER, WITHOUT_SENTIMENT), "gives no sentiment where the manifest has 3"),
        (graph(ENCODER, A_LABEL_LESS), r"gives intents of shape \('rows', 2\) where the manifest has 3"),
        (graph(ENCODER, {**OUTPUTS, "mood": ["mood"]}), "gives mood, of which the manifest knows nothing"),
        (graph(FIRST_STAGE, FIRST_OUTPUTS), "gives embedding, sure, of which the manifest knows nothing"),
        (graph(ENCODER, OUTPUTS, ids=TensorProto.INT32), r"takes .*int32.* where one input, input_ids of int64"),
        (graph({}, OUTPUTS, words=7), "does not run on 8 tokens with ids up to 7,"),
        (graph(ENCODER, OUTPUTS, tokens=2), "does not run on 8 tokens"),
        (graph(ENCODER, OUTPUTS, base=float("nan")), "gives what is no number"),
    ],
    ids=["a head less", "a label less", "a head more", "the other stage", "ids", "vocabulary", "length", "numbers"],
)  # fmt: skip
def test_an_encoder_of_another_training(tmp_path: Path, content: bytes, why: str) -> None:
    write_artifact(tmp_path)
    put(tmp_path, "model.onnx", content)

    with pytest.raises(ArtifactError, match=rf"model\.onnx {why}.*anew with `livecue model train`"):
        IntentModel.load(tmp_path)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (graph(ENCODER, OUTPUTS), "gives no sure"),
        (graph(FIRST_STAGE, {**FIRST_OUTPUTS, "embedding": ["x"]}), r"gives embedding of shape \('rows', 1\)"),
        (graph({}, FIRST_OUTPUTS, words=7), "does not run on 8 tokens"),
    ],
    ids=["the other stage", "width", "vocabulary"],
)
def test_a_first_stage_of_another_training(tmp_path: Path, content: bytes, why: str) -> None:
    write_artifact(tmp_path)
    put(tmp_path, "first_stage.onnx", content)

    with pytest.raises(ArtifactError, match=rf"first_stage\.onnx {why}.*anew with `livecue model train`"):
        IntentModel.load(tmp_path)
