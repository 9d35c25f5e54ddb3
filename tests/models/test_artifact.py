"""An artefact in which anything does not match is refused, saying what, where and how to mend it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.artifact import ArtifactError, load_manifest, read_artifact, write_manifest
from schemas.conversation import Speaker
from tiny_artifact import LABELS, write_artifact

FILES = ["model.onnx", "first_stage.onnx", "tokenizer.json"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_artifact(tmp_path)
    return tmp_path


def test_a_whole_artefact_is_read_with_whatever_labels_it_has(folder: Path) -> None:
    manifest, content = read_artifact(folder)

    assert manifest.intents is not None
    assert [label.name for label in manifest.intents.labels] == ["wants_out", "greets", "apologises"]
    assert manifest.intents.labels[1].speakers == (Speaker.CUSTOMER, Speaker.AGENT)
    assert dict(content) == {name: (folder / name).read_bytes() for name in FILES}


def test_one_without_a_first_stage_has_two_files(tmp_path: Path) -> None:
    write_artifact(tmp_path, first_stage=None)

    assert set(read_artifact(tmp_path).content) == {"model.onnx", "tokenizer.json"}


def test_its_revision_is_its_content(folder: Path) -> None:
    before = load_manifest(folder)

    same = write_manifest(folder, before)
    other = write_manifest(folder, before.model_copy(update={"data": {"words": "2"}}))

    assert before.revision == same.revision != other.revision


@pytest.mark.parametrize("name", ["manifest.json", *FILES])
def test_a_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()

    with pytest.raises(ArtifactError, match=rf"{name} is missing; .*livecue model train"):
        load_manifest(folder)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no intent model in .*nowhere"):
        load_manifest(tmp_path / "nowhere")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kept", [0, 0.5])
def test_a_truncated_file(folder: Path, name: str, kept: float) -> None:
    whole = (folder / name).read_bytes()
    size = int(len(whole) * kept)
    (folder / name).write_bytes(whole[:size])

    with pytest.raises(ArtifactError, match=rf"{name} has {size:,} bytes, the manifest says {len(whole):,}; restore"):
        load_manifest(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_corrupt_file_of_the_right_size(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)

    with pytest.raises(ArtifactError, match=rf"{name} is corrupt or of another model.*restore"):
        load_manifest(folder)


def test_a_file_that_cannot_be_read(folder: Path) -> None:
    (folder / "model.onnx").unlink()
    (folder / "model.onnx").mkdir()

    with pytest.raises(ArtifactError, match=r"model\.onnx cannot be read \(Is a directory\); restore"):
        load_manifest(folder)


def test_a_truncated_manifest(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text()[:-40])

    with pytest.raises(ArtifactError, match=r"manifest\.json is not a model manifest.*restore"):
        load_manifest(folder)


def test_a_manifest_changed_by_hand(folder: Path) -> None:
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    content["intents"]["labels"][0]["threshold"] = 0.1
    path.write_text(json.dumps(content))

    with pytest.raises(ArtifactError, match="was changed after it was written"):
        load_manifest(folder)


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("intents: .*a label is listed twice", lambda m: m["intents"]["labels"].append(LABELS[0])),
        ("intents: .*chooses between two", lambda m: m.update(intents={"labels": LABELS[:1], "exclusive": True})),
        ("intents.labels.0.threshold", lambda m: m["intents"]["labels"][0].update(threshold=1.5)),
        ("intents.labels.0.partial_threshold", lambda m: m["intents"]["labels"][0].pop("partial_threshold")),
        ("intents.labels.0.speakers.0", lambda m: m["intents"]["labels"][0].update(speakers=["robot"])),
        ("intents.temperature: Extra inputs", lambda m: m["intents"].update(temperature=1.0)),
        ("sentiment.labels.0", lambda m: m["sentiment"].update(labels=["angry", "positive"])),
        ("sentiment: .*a label is listed twice", lambda m: m["sentiment"].update(labels=["positive", "positive"])),
        ("churn_risk", lambda m: m.update(churn_risk={"temperature": 1.0})),
        ("first_stage.sure_at", lambda m: m["first_stage"].update(sure_at=2)),
        ("first_stage.embedding_width", lambda m: m["first_stage"].update(embedding_width=0)),
        ("it has no head", lambda m: m.update(intents=None, sentiment=None, churn_risk=False)),
        ("files lacks tokenizer.json", lambda m: m["files"].pop("tokenizer.json")),
        ("files lacks first_stage.onnx", lambda m: m["files"].pop("first_stage.onnx")),
        ("files has first_stage.onnx, but", lambda m: m.update(first_stage=None)),
        ("files.weights.bin", lambda m: m["files"].update({"weights.bin": m["files"]["model.onnx"]})),
        ("files.model.onnx.sha256", lambda m: m["files"]["model.onnx"].update(sha256="../../etc")),
        ("vocabulary: Extra inputs", lambda m: m.update(vocabulary=12_000)),
    ],
)  # fmt: skip
def test_a_manifest_that_makes_no_sense_names_the_place(folder: Path, where: str, change: Change) -> None:
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))

    with pytest.raises(ArtifactError, match=rf"manifest\.json is not a model manifest: .*{where}.*restore"):
        load_manifest(folder)


@pytest.mark.parametrize("change", [lambda m: m.update(format=2), lambda m: m.pop("format")])
def test_an_artefact_of_another_format_is_told_as_such(folder: Path, change: Change) -> None:
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))

    with pytest.raises(ArtifactError, match=r"is of another format than 3.*livecue model train"):
        load_manifest(folder)
