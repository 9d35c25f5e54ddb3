"""`livecue feedback`: what agents say of prompts, for those who train the model."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from deploy.feedback import collect, shipped
from deploy.options import Kafka
from deploy.settings import cluster
from deploy.since import since as instant
from guidance.decision.catalog import parse_catalog

feedback_app = typer.Typer(help="What agents say of prompts, for those who train the model.", no_args_is_help=True)
_ERR = Console(stderr=True, highlight=False)


@feedback_app.callback()
def _group() -> None:
    """What agents say of prompts, for those who train the model."""


@feedback_app.command()
def export(
    out: Annotated[Path, typer.Option("--out", help="The file to write, one JSON object a line.")],
    since: Annotated[str, typer.Option(help="7d, 12h, 30m ago; or an instant: 2026-11-23T10:00Z.")] = "7d",
    kafka: Kafka = None,
    catalog: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="A catalogue that workers were started with, unpublished."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as one JSON object.")] = False,
) -> None:
    """Turns of which agents say that a label was misheard, with the labels that fired: candidates for training.

    Text and notes are redacted. Read them before you train on them: an agent may be mistaken, too.

    [dim]livecue feedback export --out candidates.jsonl[/dim]
    [dim]livecue feedback export --out candidates.jsonl --since 12h --json[/dim]
    """
    begin = instant(since, datetime.now(UTC))
    own = [*shipped(), *(parse_catalog(path.read_text(encoding="utf-8")) for path in catalog or ())]
    with Progress(console=_ERR, transient=True) as progress:
        task = progress.add_task("reading", total=None)

        def show(read: int, of: int) -> None:
            progress.update(task, completed=read, total=of)

        feedback = asyncio.run(collect(cluster(kafka), begin, own, show))
    out.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in feedback.candidates), "utf-8")
    if as_json:
        typer.echo(json.dumps({**feedback.as_dict(), "since": begin.isoformat(), "out": str(out)}))
        return
    _ERR.print(f"{feedback.reports} reports since {begin:%d %b %H:%M} UTC; {len(feedback.candidates)} turns in {out}")
    for count, what in (
        (feedback.by_no_label, "were called for by words, facts or an earlier turn: no label of their turn is wrong"),
        (feedback.no_longer_kept, "are on turns that Kafka no longer has: export at least once a week"),
        (feedback.unknown_catalog, "are on a catalogue that is not published: name its file with --catalog"),
    ):
        if count:
            _ERR.print(f"{count} of them {what}")
