"""The intent model's artefact: what is in its folder, and the refusal of one in which anything does not match.

A folder holds ``manifest.json`` and the files that it names with their sha256. Labels are whatever strings the manifest
says; nothing in Livecue's code knows them. A head that the model lacks is null in the manifest and null in its scores.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from schemas.base import Contract, Probability
from schemas.conversation import Speaker

MANIFEST = "manifest.json"

Temperature = Annotated[float, Field(gt=0.0)]
"""What logits are divided by before they become probabilities; 1 leaves them as they are."""
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ArtifactError(Exception):
    """The artefact cannot be used. ``str(error)`` says what is wrong, where, and how to mend it."""


class FileRecord(Contract):
    sha256: Digest
    size_bytes: Annotated[int, Field(ge=1)]


class Label(Contract):
    """One intent, in the order of the model's logits."""

    name: Annotated[str, Field(min_length=1)]
    speakers: Annotated[tuple[Speaker, ...], Field(min_length=1)]
    """Whose turns can carry it; on others' turns it is neither scored nor fired."""
    threshold: Probability
    """The label fires at this calibrated probability or over."""


class IntentsHead(Contract):
    labels: Annotated[tuple[Label, ...], Field(min_length=1)]
    temperature: Temperature

    @model_validator(mode="after")
    def _labels_are_distinct(self) -> "IntentsHead":
        names = [label.name for label in self.labels]
        if len(names) != len(set(names)):
            raise ValueError("a label is listed twice")
        return self


class SentimentHead(Contract):
    labels: Annotated[tuple[str, ...], Field(min_length=2)]
    temperature: Temperature


class ChurnRiskHead(Contract):
    """Ordinal: one logit for "at least some" and one for "high"; their probabilities add up to the expected 0–2."""

    temperature: Temperature


class Manifest(Contract):
    """All that is known of a model without running it."""

    format: Literal[1]
    revision: str
    """Hash of everything else here, the files' digests included: two models never share one."""
    files: dict[Literal["model.onnx", "tokenizer.json"], FileRecord]
    opset: Annotated[int, Field(ge=13)]
    max_tokens: Annotated[int, Field(ge=8, le=512)]
    """Longer turns are cut to this many tokens, [CLS] and [SEP] included."""
    intents: IntentsHead | None
    sentiment: SentimentHead | None
    churn_risk: ChurnRiskHead | None
    """Scored for customers' turns only."""
    encoder: str
    data_revision: str
    """Hash of the turns it was trained on."""
    scores: dict[str, float]
    """What it scored when it was made, by measure; see the model card for what each is."""

    @model_validator(mode="after")
    def _has_a_head_and_both_files(self) -> "Manifest":
        if self.intents is None and self.sentiment is None and self.churn_risk is None:
            raise ValueError("it has no head")
        if missing := {"model.onnx", "tokenizer.json"} - set(self.files):
            raise ValueError(f"files lacks {', '.join(sorted(missing))}")
        return self


def load_manifest(folder: Path) -> Manifest:
    """Read an artefact's manifest and check every file against it.

    Raises:
        ArtifactError: the folder, the manifest or a file is missing, truncated, corrupt, or not the one the manifest
            was written for.
    """
    path = folder / MANIFEST
    mend = "restore the folder from version control, or make it anew with `livecue model train`"
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ArtifactError(f"no intent model in {folder}: {MANIFEST} is missing; {mend}") from None
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read ({error.strerror}); {mend}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ArtifactError(f"{path} is not a model manifest: {where}: {first['msg']}; {mend}") from error
    for name, record in manifest.files.items():
        _check_file(folder / name, record, mend)
    if manifest.revision != revision_of(manifest):
        raise ArtifactError(f"{path} was changed after it was written (its revision does not match); {mend}")
    return manifest


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


def _check_file(path: Path, expected: FileRecord, mend: str) -> None:
    try:
        actual = record_file(path) if path.stat().st_size else None
    except FileNotFoundError:
        raise ArtifactError(f"{path} is missing; {mend}") from None
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read ({error.strerror}); {mend}") from error
    if actual is None or actual.size_bytes != expected.size_bytes:
        size = actual.size_bytes if actual else 0
        raise ArtifactError(f"{path} has {size:,} bytes, the manifest says {expected.size_bytes:,}; {mend}")
    if actual.sha256 != expected.sha256:
        raise ArtifactError(f"{path} is corrupt or of another model: its sha256 is not the manifest's; {mend}")
