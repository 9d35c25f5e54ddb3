"""What was measured of an artefact, as it is kept beside the model card."""

from pathlib import Path

from models.artifact import Manifest
from models.training.measures import LabelScore
from models.training.mistakes import Confusion, Mistake
from models.training.report.curve import Point
from schemas.base import Contract


class Report(Contract):
    """The card is made of this and the manifest alone."""

    files: dict[str, str]
    """Sha256 of each file of the artefact that was measured."""
    scores: dict[str, float]
    """By name, 4 decimals. Shares and their differences are in [-1, 1], times in ms, ratios plain."""
    labels: tuple[LabelScore, ...]
    """Of the authored test turns, in the order of the logits."""
    confusions: tuple[Confusion, ...]
    """Commonest first."""
    worst: tuple[Mistake, ...]
    """Surest first."""
    curves: dict[str, tuple[Point, ...]]
    """Coverage against precision, by whose answers they are."""
    device: str
    """What the speeds were measured on."""

    def is_of(self, manifest: Manifest) -> bool:
        """Whether it is the manifest's very files that were measured."""
        return self.files == digests_of(manifest)


def digests_of(manifest: Manifest) -> dict[str, str]:
    """Sha256 by file name."""
    return {name: record.sha256 for name, record in sorted(manifest.files.items())}


def write_report(path: Path, report: Report) -> None:
    path.write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")


def read_report(path: Path) -> Report:
    """The report in ``path``.

    Raises:
        FileNotFoundError: there is none: `livecue model report` writes it.
        pydantic.ValidationError: it is not a report.
    """
    return Report.model_validate_json(path.read_bytes())


def read_explanations(path: Path) -> str:
    """What somebody wrote who read the ten worst errors, as Markdown; empty where nobody has."""
    return path.read_text(encoding="utf-8") if path.exists() else ""
