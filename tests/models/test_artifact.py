"""An artefact in which anything does not match is refused, saying what, where and how to mend it."""

import json
from pathlib import Path

import pytest

from models.artifact import ArtifactError, Manifest, load_manifest, record_file, write_manifest
from schemas.conversation import Speaker


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole artefact but for the sense of its files, which only the runtime reads."""
    (tmp_path / "model.onnx").write_bytes(b"weights" * 100)
    (tmp_path / "tokenizer.json").write_bytes(b"words" * 100)
    write_manifest(
        tmp_path,
        Manifest.model_validate(
            {
                "format": 1,
                "revision": "",
                "files": {name: record_file(tmp_path / name) for name in ("model.onnx", "tokenizer.json")},
                "opset": 18,
                "max_tokens": 128,
                "intents": {
                    "labels": [
                        {"name": "wants_tea", "speakers": ["customer"], "threshold": 0.5},
                        {"name": "serves_tea", "speakers": ["agent", "customer"], "threshold": 0.7},
                    ],
                    "temperature": 1.5,
                },
                "sentiment": None,
                "churn_risk": None,
                "encoder": "any",
                "data_revision": "any",
                "scores": {"macro_f1": 0.9},
            }
        ),
    )
    return tmp_path


def test_a_whole_artefact_loads_with_whatever_labels_it_has(folder: Path) -> None:
    manifest = load_manifest(folder)

    assert manifest.intents is not None
    assert [label.name for label in manifest.intents.labels] == ["wants_tea", "serves_tea"]
    assert manifest.intents.labels[1].speakers == (Speaker.AGENT, Speaker.CUSTOMER)
    assert manifest.sentiment is None


def test_its_revision_is_its_content(folder: Path) -> None:
    before = load_manifest(folder)

    same = write_manifest(folder, before)
    other = write_manifest(folder, before.model_copy(update={"data_revision": "another"}))

    assert before.revision == same.revision != other.revision


@pytest.mark.parametrize("name", ["manifest.json", "model.onnx", "tokenizer.json"])
def test_a_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()

    with pytest.raises(ArtifactError, match=rf"{name} is missing; .*livecue model train"):
        load_manifest(folder)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no intent model in .*nowhere"):
        load_manifest(tmp_path / "nowhere")


@pytest.mark.parametrize("size", [0, 350])
def test_a_truncated_file(folder: Path, size: int) -> None:
    whole = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(whole[:size])

    with pytest.raises(ArtifactError, match=rf"model\.onnx has {size} bytes, the manifest says 700; restore"):
        load_manifest(folder)


def test_a_corrupt_file_of_the_right_size(folder: Path) -> None:
    path = folder / "tokenizer.json"
    path.write_bytes(b"W" + path.read_bytes()[1:])

    with pytest.raises(ArtifactError, match=r"tokenizer\.json is corrupt or of another model.*restore"):
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


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("intents", lambda content: content["intents"]["labels"].append(content["intents"]["labels"][0])),
        ("it has no head", lambda content: content.update(intents=None)),
        ("files lacks tokenizer.json", lambda content: content["files"].pop("tokenizer.json")),
        ("intents.labels.0.threshold", lambda content: content["intents"]["labels"][0].update(threshold=1.5)),
        ("intents.temperature", lambda content: content["intents"].update(temperature=0)),
        ("format", lambda content: content.update(format=2)),
        ("files.model.onnx.sha256", lambda content: content["files"]["model.onnx"].update(sha256="../../etc")),
    ],
)
def test_a_manifest_that_makes_no_sense_names_the_place(folder: Path, where: str, change) -> None:
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))

    with pytest.raises(ArtifactError, match=where):
        load_manifest(folder)
