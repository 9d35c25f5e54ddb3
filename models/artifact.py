"""The intent model's artefact: what is in its folder, and the refusal of one in which anything does not match.

A folder holds ``manifest.json`` and the files that it names with their sha256: ``tokenizer.json`` and two ONNX graphs,
the encoder ``model.onnx`` and, unless the manifest says that there is none, the cascade's ``first_stage.onnx``. Both
take ``input_ids``, int64 of shape (rows, tokens), [CLS] and [SEP] included and without padding, and give calibrated
float32 logits, one output a head that the manifest has:

- ``intents`` (rows, labels): the sigmoid is each label's probability; where the head is exclusive, the softmax is, with
  a logit of 0 beside the labels' for that it is none of them
- ``sentiment`` (rows, labels): the softmax is
- ``churn_risk`` (rows, 2): the sigmoids are P(at least some) and P(high)

The first stage gives two outputs more: ``sure`` (rows, 2), whose sigmoids are how probable it is that its answer is as
good as the encoder's, were it a customer's turn or an agent's, and ``embedding`` (rows, width), unit vectors whose
products are similarities of meaning.

Labels are whatever strings the manifest says; nothing in Livecue's code knows them. A head that the model lacks is null
in the manifest and null in its scores.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import ConfigDict, Field, ValidationError, model_validator

from schemas.base import Contract, Probability
from schemas.conversation import Speaker

MANIFEST = "manifest.json"
FileName = Literal["model.onnx", "first_stage.onnx", "tokenizer.json"]

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(min_length=1)]

_MEND = "restore the folder from version control, or make it anew with `livecue model train`"


class ArtifactError(Exception):
    """The artefact cannot be used. ``str(error)`` says what is wrong, where, and how to mend it."""


class _Part(Contract):
    """Unlike contracts between processes, a manifest may say nothing that its reader does not know."""

    model_config = ConfigDict(extra="forbid")


class FileRecord(_Part):
    sha256: Digest
    size_bytes: Annotated[int, Field(ge=1)]


class Label(_Part):
    """One intent, in the order of the model's logits."""

    name: Name
    speakers: Annotated[tuple[Speaker, ...], Field(min_length=1)]
    """Whose turns can carry it; on others' turns it is neither scored nor fired."""
    threshold: Probability
    """On a final turn the label fires at this probability or over."""
    partial_threshold: Probability | None
    """The same on a partial turn, of which the end is still to come. None: it never fires on one."""


class IntentsHead(_Part):
    labels: Annotated[tuple[Label, ...], Field(min_length=1)]
    exclusive: bool
    """True: the probabilities and that of none share out 1, and at most the likeliest label fires. False: each label is
    asked by itself."""

    @model_validator(mode="after")
    def _labels_are_distinct(self) -> "IntentsHead":
        _refuse_twins(label.name for label in self.labels)
        if self.exclusive and len(self.labels) < 2:
            raise ValueError("an exclusive head chooses between two labels or more")
        return self


class SentimentHead(_Part):
    labels: Annotated[tuple[Literal["negative", "neutral", "positive"], ...], Field(min_length=2)]
    """In the order of the model's logits. Desktops know these three and no others."""

    @model_validator(mode="after")
    def _labels_are_distinct(self) -> "SentimentHead":
        _refuse_twins(self.labels)
        return self


class FirstStage(_Part):
    """The cascade: a cheap model answers what it is sure of, the encoder the rest."""

    sure_at: Probability
    """The first stage answers where its ``sure`` for the turn's speaker is this probability or over."""
    embedding_width: Annotated[int, Field(ge=1, le=1024)]


class Manifest(_Part):
    """All that is known of a model without running it."""

    format: Literal[3]
    revision: str
    """Hash of everything else here, the files' digests included: two models never share one."""
    files: dict[FileName, FileRecord]
    opset: Annotated[int, Field(ge=13)]
    max_tokens: Annotated[int, Field(ge=8, le=512)]
    """Longer turns are cut to this many tokens, [CLS] and [SEP] included."""
    intents: IntentsHead | None
    sentiment: SentimentHead | None
    churn_risk: bool
    """Whether the model rates churn risk; it is asked on customers' turns only."""
    first_stage: FirstStage | None
    """None: the encoder answers every turn, and turns have no embedding."""
    encoder: str
    data: dict[str, str]
    """What it was trained on: the revision of each source, by the source's name."""
    seed: int
    scores: dict[str, float]
    """What it scored when it was made, by measure; see the model card for what each is."""

    @model_validator(mode="after")
    def _heads_and_files_go_together(self) -> "Manifest":
        if self.intents is None and self.sentiment is None and not self.churn_risk:
            raise ValueError("it has no head")
        needed = {"model.onnx", "tokenizer.json"} | ({"first_stage.onnx"} if self.first_stage else set())
        if missing := needed - set(self.files):
            raise ValueError(f"files lacks {', '.join(sorted(missing))}")
        if set(self.files) - needed:
            raise ValueError("files has first_stage.onnx, but first_stage is null")
        return self


class Artifact(NamedTuple):
    """A manifest, and the very bytes that were checked against it: what runs is what was checked."""

    manifest: Manifest
    content: Mapping[FileName, bytes]


def read_artifact(folder: Path) -> Artifact:
    """Read the artefact in ``folder``, each of its files checked against the manifest.

    Raises:
        ArtifactError: the folder, the manifest or a file is missing, truncated, corrupt, of another format, or not the
            one the manifest was written for.
    """
    manifest = _read_manifest(folder)
    content = {name: _read_checked(folder / name, record) for name, record in manifest.files.items()}
    return Artifact(manifest, content)


def load_manifest(folder: Path) -> Manifest:
    """The manifest of the artefact in ``folder``, checked as `read_artifact` does, which says what it raises."""
    return read_artifact(folder).manifest


def revision_of(manifest: Manifest) -> str:
    """Hash of the manifest's content, 16 hexadecimal digits; its ``revision`` field does not count."""
    content = json.dumps(manifest.model_dump(mode="json", exclude={"revision"}), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Write ``manifest`` under its own revision into ``folder`` and return it as written."""
    stamped = manifest.model_copy(update={"revision": revision_of(manifest)})
    (folder / MANIFEST).write_text(stamped.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return stamped


def record_file(path: Path) -> FileRecord:
    """The manifest's record of the file at ``path``."""
    content = path.read_bytes()
    return FileRecord(sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    if not path.exists():
        raise ArtifactError(f"no intent model in {folder}: {MANIFEST} is missing; {_MEND}")
    text = _read(path)
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["loc"] == ("format",):
            raise ArtifactError(
                f"{path} is of another format than 3, which this Livecue reads; take the model that ships with it, or "
                "make yours anew with `livecue model train`"
            ) from error
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ArtifactError(f"{path} is not a model manifest: {where}: {first['msg']}; {_MEND}") from error
    if manifest.revision != revision_of(manifest):
        raise ArtifactError(f"{path} was changed after it was written (its revision does not match); {_MEND}")
    return manifest


def _read_checked(path: Path, expected: FileRecord) -> bytes:
    content = _read(path)
    if len(content) != expected.size_bytes:
        raise ArtifactError(f"{path} has {len(content):,} bytes, the manifest says {expected.size_bytes:,}; {_MEND}")
    if hashlib.sha256(content).hexdigest() != expected.sha256:
        raise ArtifactError(f"{path} is corrupt or of another model: its sha256 is not the manifest's; {_MEND}")
    return content


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ArtifactError(f"{path} is missing; {_MEND}") from None
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read ({error.strerror}); {_MEND}") from error


def _refuse_twins(names: Iterable[str]) -> None:
    listed = list(names)
    if len(listed) != len(set(listed)):
        raise ValueError("a label is listed twice")
