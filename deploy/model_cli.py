"""`livecue model`: try, score and evaluate, which need no torch; the rest is in `deploy/train_cli.py`."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from deploy import report_cli, train_cli
from deploy.turn_lines import NotATurn, read_lines
from models.artifact import ArtifactError, Manifest
from models.artifacts import INTENT
from models.serving import IntentModel, Utterance
from schemas.conversation import Speaker
from schemas.errors import Malformed
from schemas.intent import Scores

model_app = typer.Typer(
    help="The intent model: try it, score turns, measure it, train it anew.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
_STDERR = Console(stderr=True, highlight=False)
_MOST_ROWS = 30

Artifact = Annotated[
    Path, typer.Option("--artifact", help="Folder of the model. Default: the one that ships.", show_default=False)
]
Cascade = Annotated[bool, typer.Option("--cascade/--no-cascade", help="Without: the encoder answers every turn.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")]


@model_app.command("try")
def try_text(
    text: Annotated[str, typer.Argument(help="What was said.")],
    speaker: Annotated[Speaker, typer.Option(help="Who said it.")] = Speaker.CUSTOMER,
    partial: Annotated[bool, typer.Option("--partial", help="The turn goes on: thresholds are higher.")] = False,
    artifact: Artifact = INTENT,
    cascade: Cascade = True,
    as_json: AsJson = False,
) -> None:
    """What the model makes of one turn: labels, probabilities, thresholds, what fired.

    [dim]livecue model try "I'm thinking of leaving, my neighbour pays half"[/dim]
    [dim]livecue model try "this call is recorded" --speaker agent --json[/dim]
    [dim]livecue model try "where is my parcel" --artifact my-model[/dim]
    """
    model = _load(artifact, cascade=cascade)
    scores = model.score([Utterance(speaker, text, not partial)])[0]
    thresholds = _thresholds(model.manifest, scores, partial=partial)
    if as_json:
        print(json.dumps({**scores.model_dump(mode="json"), "thresholds": thresholds}))
    else:
        _show(scores, thresholds)


@model_app.command()
def score(
    turns: Annotated[
        typer.FileBinaryRead, typer.Argument(metavar="IN.jsonl", help="Turns, a JSON object a line; - is stdin.")
    ],
    artifact: Artifact = INTENT,
    cascade: Cascade = True,
) -> None:
    """Score turns, however many; a JSON line out for each, in order.

    Reads {"id", "text", "speaker", "channel", "context"}, the last three
    optional: without a speaker it is a customer's turn, and the model reads
    neither channel nor context.

    Writes {"id", "labels", "probabilities", "sentiment", "churn_risk"}: labels
    are those that fired, churn_risk is 0 to 2, and null is what the model does
    not say. Progress goes to stderr.

    At a line that is no such turn it stops, names it, and exits with 2.

    [dim]livecue model score turns.jsonl > scored.jsonl[/dim]
    [dim]tail -f turns.jsonl | livecue model score - --artifact my-model[/dim]
    """
    model = _load(artifact, cascade=cascade)
    path = Path(getattr(turns, "name", ""))
    columns = (TextColumn("{task.fields[scored]:,} turns scored"), BarColumn(), TimeRemainingColumn())
    # A bar would come between the lines where these go to a terminal; and rich would send them where the bar goes.
    with Progress(*columns, console=_STDERR, transient=True, redirect_stdout=False, disable=sys.stdout.isatty()) as bar:
        task = bar.add_task("", total=path.stat().st_size if path.is_file() else None, scored=0)
        scored, started = 0, time.monotonic()
        try:
            for scored, line in enumerate(read_lines(turns), start=1):
                print(json.dumps(_scored_line(line.id, model.score([line.utterance])[0])), flush=True)
                bar.update(task, completed=line.end, scored=scored)
        except NotATurn as error:
            _fail(str(error), error)
    _STDERR.print(f"{scored:,} turns scored in {time.monotonic() - started:.1f} s")


@model_app.command()
def evaluate(
    data: Annotated[
        Path | None, typer.Option(help="Labelled turns as JSONL. Default: the authored test turns.", exists=True)
    ] = None,
    artifact: Artifact = INTENT,
    cascade: Cascade = True,
    as_json: AsJson = False,
) -> None:
    """Precision, recall and F1 of each label, as the model serves.

    [dim]livecue model evaluate[/dim]                                           the model that ships
    [dim]livecue model evaluate --data my-test.jsonl --artifact my-model[/dim]  yours, on turns that it has not seen
    """
    from models.training.datasets.authored import load_authored
    from models.training.datasets.own import load_own
    from models.training.evaluation import evaluate as measure

    model = _load(artifact, cascade=cascade)
    try:
        found = measure(model, load_own(data) if data else load_authored("test"))
    except Malformed as error:
        _fail(str(error), error)
    if as_json:
        print(json.dumps(found.summary()))
        return
    table = Table("label", "turns", "precision", "recall", "F1", box=None, pad_edge=False)
    for label in found.labels:
        figures = (f"{label.precision:.2f}", f"{label.recall:.2f}", f"{label.f1:.2f}")
        table.add_row(escape(label.name), str(label.support), *figures)
    console = Console()
    console.print(table)
    for name, figure in found.summary().items():
        if not name.startswith("f1."):
            console.print(f"{name}: {figure:g}")


train_cli.add_commands(model_app)
report_cli.add_commands(model_app)


def _load(artifact: Path, *, cascade: bool) -> IntentModel:
    try:
        model = IntentModel.load(artifact)
    except ArtifactError as error:
        _fail(str(error), error)
    return model if cascade else model.without_cascade()


def _fail(why: str, error: Exception) -> NoReturn:
    _STDERR.print(f"[red]{escape(why)}[/red]", soft_wrap=True)
    raise typer.Exit(2) from error


def _thresholds(manifest: Manifest, scores: Scores, *, partial: bool) -> dict[str, float | None]:
    """By label of this turn's speaker; None: it never fires."""
    labels = manifest.intents.labels if manifest.intents else ()
    return {
        label.name: label.partial_threshold if partial else label.threshold
        for label in labels
        if label.name in scores.intents
    }


def _show(scores: Scores, thresholds: dict[str, float | None]) -> None:
    console = Console(highlight=False)
    table = Table("label", "probability", "threshold", "", box=None, pad_edge=False)
    ranked = sorted(scores.intents, key=lambda name: -scores.intents[name])
    shown = [name for place, name in enumerate(ranked) if place < _MOST_ROWS or name in scores.fired]
    for name in shown:
        fires = "[bold green]fires[/]" if name in scores.fired else ""
        at = thresholds[name]
        table.add_row(escape(name), f"{scores.intents[name]:.3f}", "never" if at is None else f"{at:.2f}", fires)
    if ranked:
        console.print(table)
    if left_out := len(ranked) - len(shown):
        console.print(f"[dim]{left_out} more, all less probable; --json has them[/dim]")
    if scores.sentiment is not None:
        shares = ", ".join(f"{name} {share:.2f}" for name, share in scores.sentiment.items())
        console.print(f"\nsentiment: {shares}")
    if scores.churn_risk is not None:
        console.print(f"churn risk: {scores.churn_risk:.2f} of 2")
    answer = "not asked: no letter or digit" if scores.stage is None else f"by its {scores.stage.replace('_', ' ')}"
    console.print(f"[dim]model {scores.model_revision}, {answer}[/dim]")


def _scored_line(turn_id: str | int, scores: Scores) -> dict[str, Any]:
    return {
        "id": turn_id,
        "labels": scores.fired,
        "probabilities": scores.intents,
        "sentiment": scores.sentiment,
        "churn_risk": scores.churn_risk,
    }
