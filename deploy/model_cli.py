"""`livecue model`: try, score, train, evaluate. Only `train` needs torch."""

import json
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from models.artifact import ArtifactError, Manifest
from models.artifacts import INTENT
from models.serving import IntentModel
from schemas.conversation import Speaker
from schemas.intent import Scores

model_app = typer.Typer(help="The intent model: try it, score turns, measure it, train it anew.", no_args_is_help=True)
_STDERR = Console(stderr=True)
_SCORED_AT_ONCE = 256

Artifact = Annotated[Path, typer.Option("--artifact", help="Folder of the model. Default: the one that ships.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")]


@model_app.command("try")
def try_text(
    text: Annotated[str, typer.Argument(help="What was said.")],
    speaker: Annotated[Speaker, typer.Option(help="Who said it.")] = Speaker.CUSTOMER,
    artifact: Artifact = INTENT,
    as_json: AsJson = False,
) -> None:
    """What the model makes of one turn: labels, probabilities, thresholds, what fired.

    [dim]livecue model try "I'm thinking of leaving, my neighbour pays half"[/dim]
    """
    model = _load(artifact)
    scores = model.score([(speaker, text)])[0]
    if as_json:
        print(scores.model_dump_json())
    else:
        _show(model.manifest, scores)


@model_app.command()
def score(
    turns: Annotated[
        typer.FileText, typer.Argument(metavar="IN.jsonl", encoding="utf-8", help="Turns, one JSON a line; - is stdin.")
    ],
    artifact: Artifact = INTENT,
) -> None:
    """Score turns of any number; one JSON line out for each, in order.

    Reads {"id", "text", "speaker"}, the speaker being a customer where none is given; writes {"id", "labels",
    "probabilities", "sentiment", "churn_risk"}. Stops at the first line that is no such turn.
    """
    model = _load(artifact)
    with Progress(console=_STDERR, transient=True) as progress:
        done = progress.add_task("turns scored", total=None)
        lines = _turns(turns)
        while batch := list(islice(lines, _SCORED_AT_ONCE)):
            for (turn_id, _, _), scores in zip(batch, model.score([turn[1:] for turn in batch]), strict=True):
                print(json.dumps(_scored_line(turn_id, scores), ensure_ascii=False))
            progress.advance(done, len(batch))


@model_app.command()
def evaluate(
    data: Annotated[
        Path | None, typer.Option(help="Labelled turns as JSONL. Default: the authored test turns.", exists=True)
    ] = None,
    artifact: Artifact = INTENT,
    as_json: AsJson = False,
) -> None:
    """Precision, recall and F1 of each label, as the model serves."""
    from models.training.datasets.authored import load_authored, read_turns
    from models.training.evaluation import evaluate as measure

    found = measure(_load(artifact), read_turns(data) if data else load_authored("test"))
    if as_json:
        print(json.dumps(found.summary()))
        return
    table = Table("label", "turns", "precision", "recall", "F1", box=None, pad_edge=False)
    for label in found.labels:
        figures = (f"{label.precision:.2f}", f"{label.recall:.2f}", f"{label.f1:.2f}")
        table.add_row(label.name, str(label.support), *figures)
    console = Console()
    console.print(table)
    for name, figure in found.summary().items():
        if not name.startswith("f1."):
            console.print(f"{name}: {figure:g}")


@model_app.command()
def train(
    data_dir: Annotated[
        Path, typer.Option(help="Folder of the public data sets, one folder a set.", exists=True, file_okay=False)
    ],
    out: Annotated[Path, typer.Option(help="Folder the model is written to.")] = INTENT,
    seed: Annotated[int, typer.Option(help="The same seed and data give the same model on one machine.")] = 7,
) -> None:
    """Train, calibrate, export and measure a model: some 16 minutes on two cores."""
    if find_spec("torch") is None or find_spec("transformers") is None:
        _STDERR.print("[red]Training needs torch, which what ships does without:[/red] run `make setup-train`.")
        raise typer.Exit(2)
    from models.training.datasets import load_authored, load_public
    from models.training.network import EncoderMissing
    from models.training.recipe import Recipe
    from models.training.recipe import train as follow

    try:
        manifest = follow(
            load_authored("train"), load_public(data_dir), load_authored("test"), out, Recipe(seed=seed), _STDERR.print
        )
    except (EncoderMissing, FileNotFoundError) as error:
        _STDERR.print(f"[red]{error}[/red]")
        raise typer.Exit(2) from error
    _STDERR.print(f"{out}: model {manifest.revision}, macro-F1 {manifest.scores['macro_f1']:.3f} on the test turns")


def _load(artifact: Path) -> IntentModel:
    try:
        return IntentModel.load(artifact)
    except ArtifactError as error:
        _STDERR.print(f"[red]{error}[/red]")
        raise typer.Exit(2) from error


def _show(manifest: Manifest, scores: Scores) -> None:
    table = Table("label", "probability", "threshold", "", box=None, pad_edge=False)
    thresholds = {label.name: label.threshold for label in manifest.intents.labels} if manifest.intents else {}
    for name, probability in sorted(scores.intents.items(), key=lambda item: -item[1]):
        fires = "[bold green]fires[/]" if name in scores.fired else ""
        table.add_row(name, f"{probability:.3f}", f"{thresholds[name]:.2f}", fires)
    console = Console()
    console.print(table)
    if scores.sentiment is not None:
        shares = ", ".join(f"{name} {share:.2f}" for name, share in scores.sentiment.items())
        console.print(f"\nsentiment: {shares}")
    if scores.churn_risk is not None:
        console.print(f"churn risk: {scores.churn_risk:.2f} of 2")
    console.print(f"[dim]model {scores.model_revision}[/dim]")


def _turns(lines: TextIO) -> Iterator[tuple[Any, Speaker, str]]:
    """Ids, speakers and texts; an unreadable line ends the command, naming it."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield row["id"], Speaker(row.get("speaker") or Speaker.CUSTOMER), str(row["text"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            sys.stdout.flush()
            _STDERR.print(f'[red]line {number} is not a turn:[/red] it must be {{"id", "text", "speaker"}} ({error!r})')
            raise typer.Exit(2) from error


def _scored_line(turn_id: Any, scores: Scores) -> dict[str, Any]:
    return {
        "id": turn_id,
        "labels": scores.fired,
        "probabilities": scores.intents,
        "sentiment": scores.sentiment,
        "churn_risk": scores.churn_risk,
    }
