"""`livecue model report`: everything that is told of a model, measured, and the model card made of it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.recording import read, samples
from models.artifact import ArtifactError, load_manifest, write_manifest
from models.artifacts import INTENT
from schemas.conversation import Turn

_STDERR = Console(stderr=True)
_CARD = Path(__file__).parents[1] / "models" / "README.md"
_FOLDER = Path(__file__).parents[1] / "models" / "training" / "report"


def add_commands(app: typer.Typer) -> None:
    """Hang the command into `livecue model`."""
    app.command()(report)


def report(
    artifact: Annotated[
        Path, typer.Option(help="Folder of the model. Default: the one that ships.", show_default=False)
    ] = INTENT,
    banking77: Annotated[
        Path | None, typer.Option(help="A model trained on Banking77's train split.", exists=True)
    ] = None,
    clinc150: Annotated[
        Path | None, typer.Option(help="A model trained on CLINC150's train split.", exists=True)
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the public sets.", exists=True)] = None,
    out: Annotated[Path, typer.Option(help="The card.", show_default=False)] = _CARD,
    measured: Annotated[
        Path,
        typer.Option(
            help="Where the figures are kept; its folder has errors.md and takes coverage.svg.", show_default=False
        ),
    ] = _FOLDER / "report.json",
    only_card: Annotated[bool, typer.Option("--only-card", help="Measure nothing: the figures as they stand.")] = False,
) -> None:
    """Measure a model and write its card. Its scores go into its manifest, which gives it another revision.

    A folder DIR is measured as float32 too where `livecue model export --float32` wrote DIR.float32 beside it.

    [dim]livecue model report --data-dir .livecue/data --banking77 b77 --clinc150 clinc[/dim]    all of it
    [dim]livecue model report --only-card[/dim]                           after editing card.md or errors.md
    """
    from models.training.report import Measured, measure, read_explanations, read_report, render, write_report
    from models.training.report.curve import draw

    try:
        if only_card:
            found = read_report(measured)
        else:
            what = Measured(artifact, banking77, clinc150, data_dir)
            found = measure(what, sample_turns(), lambda what: _STDERR.print(f"measuring: {what}"))
            write_report(measured, found)
            manifest = load_manifest(artifact)
            of_training = {name: score for name, score in manifest.scores.items() if name.startswith("validation.")}
            write_manifest(artifact, manifest.model_copy(update={"scores": of_training | found.scores}))
        explanations = read_explanations(measured.with_name("errors.md"))
        out.write_text(render(load_manifest(artifact), found, explanations), encoding="utf-8")
        measured.with_name("coverage.svg").write_text(
            draw(found.curves, "Coverage against precision"), encoding="utf-8"
        )
    except (ArtifactError, OSError, ValueError) as error:
        _STDERR.print(f"[red]{error}[/red]")
        raise typer.Exit(2) from error
    _STDERR.print(f"{out} and {measured} written")


def sample_turns() -> list[tuple[str, str]]:
    """Speakers and texts of the final turns of the sample conversations, one after the other."""
    events = [line.event for line in read(samples())]
    return [(event.speaker, event.text) for event in events if isinstance(event, Turn) and event.is_final]
