"""The model card: a hand-written page, `card.md`, into which the manifest and a report's figures are set. Pure."""

from importlib.resources import files
from string import Template

from models.artifact import Manifest
from models.training.report import sections
from models.training.report.bars import BARS
from models.training.report.record import Report
from models.training.report.telling import Figures, table
from models.training.variants import PREFIX_WORDS

_SOURCES = ("authored", "banking77", "clinc150", "dstc11", "goemotions", "nlupp")


def render(manifest: Manifest, report: Report, explanations: str) -> str:
    """The whole card as Markdown.

    Args:
        explanations: what somebody wrote who read the ten worst errors, as Markdown; may be empty.

    Raises:
        ValueError: the report is of another model than the manifest.
    """
    if not report.is_of(manifest):
        raise ValueError("the report is of another model: measure this one with `livecue model report`")
    figures = Figures(report.scores)
    page = Template(files(__package__).joinpath("card.md").read_text(encoding="utf-8"))
    return page.substitute(
        _about(manifest),
        bars=table(("", "asked", "measured", "met"), [bar.row(report.scores) for bar in BARS]),
        device=report.device,
        authored=sections.authored(figures),
        labels=sections.labels(manifest, report),
        confusions=sections.confusions(report),
        worst=sections.worst(report),
        explanations=explanations.strip(),
        banking77=sections.banking77(figures),
        clinc150=sections.clinc150(figures),
        cascade=sections.cascade(figures),
        partial=sections.partial(figures),
        speed=sections.speed(figures),
        latency=sections.latency(figures),
        roof=sections.roof(figures),
        **{f"turns_{source}": figures.count(f"turns.{source}") for source in _SOURCES},
    )


def _about(manifest: Manifest) -> dict[str, str]:
    sizes = {name: record.size_bytes / 1e6 for name, record in manifest.files.items()}
    first = manifest.first_stage
    return {
        "label_count": str(len(manifest.intents.labels)) if manifest.intents else "no",
        "sure_at": f"from a probability of {first.sure_at:.3f} on" if first else "this artefact has none",
        "encoder": manifest.encoder,
        "size": f"{sum(sizes.values()):.1f}",
        "files": ", ".join(f"`{name}` {size:.1f}" for name, size in sorted(sizes.items())),
        "opset": str(manifest.opset),
        "max_tokens": str(manifest.max_tokens),
        "seed": str(manifest.seed),
        "data": ", ".join(f"{source} `{revision}`" for source, revision in sorted(manifest.data.items())),
        "prefix_words": str(PREFIX_WORDS),
    }
