"""`livecue catalog publish`, `rollback` and `list`: which catalogue running workers decide by."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy import publishing
from deploy.options import Kafka
from deploy.settings import cluster
from deploy.workers import load_model
from schemas.published import PublishedCatalog

catalog_app = typer.Typer(help="Catalogues of actions.", no_args_is_help=True)
_out, _err = Console(), Console(stderr=True)

_By = Annotated[str | None, typer.Option("--by", help="Who publishes. Default: the name you are logged in by.")]
_Note = Annotated[str | None, typer.Option("--note", help="Why, in a line: it is kept with the version.")]
_Json = Annotated[bool, typer.Option("--json", help="For scripts.")]


@catalog_app.command(epilog="Example: livecue catalog publish my-actions.yaml --note 'summer prices'")
def publish(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The catalogue, YAML.")],
    kafka: Kafka = None,
    by: _By = None,
    note: _Note = None,
    model: Annotated[
        Path | None, typer.Option(help="Folder of the intent model that the workers run. Default: the one that ships.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Check a catalogue and put it in force in all running workers, within seconds and without a restart."""
    text = file.read_text(encoding="utf-8")
    published = asyncio.run(publishing.publish(cluster(kafka), text, load_model(model), by=by, note=note))
    without = "" if published.embeddings else ", without similarity: the model has no first stage"
    _tell(published, as_json, f"published by {published.published_by}{without}")


@catalog_app.command(epilog="Example: livecue catalog rollback telecom@1f2e3d4c")
def rollback(
    version: Annotated[
        str | None, typer.Argument(help="As `list` shows it. Default: the one before the one in force.")
    ] = None,
    kafka: Kafka = None,
    by: _By = None,
    note: _Note = None,
    as_json: _Json = False,
) -> None:
    """Put an older catalogue in force again."""
    _tell(asyncio.run(publishing.roll_back(cluster(kafka), version, by=by, note=note)), as_json, "published again")


@catalog_app.command(name="list")
def list_(kafka: Kafka = None, as_json: _Json = False) -> None:
    """All catalogues that were ever published, the one in force first."""
    known = asyncio.run(publishing.versions(cluster(kafka)))
    if as_json:
        typer.echo(json.dumps([{**_as_dict(each.published), "in_force": each.in_force} for each in known], indent=2))
        return
    if not known:
        _out.print(
            "None is published: workers decide by the telecom example. Publish one: livecue catalog publish FILE"
        )
        return
    table = Table("", "version", "published", "by", "note")
    for each in known:
        told = each.published
        mark = "in force" if each.in_force else ""
        table.add_row(mark, told.version, f"{told.published_at:%Y-%m-%d %H:%M:%S}", told.published_by, told.note or "")
    _out.print(table)


def _tell(published: PublishedCatalog, as_json: bool, what: str) -> None:
    if as_json:
        typer.echo(json.dumps(_as_dict(published)))
    else:
        _out.print(f"[bold]{escape(published.version)}[/bold] is in force: {what}")


def _as_dict(published: PublishedCatalog) -> dict[str, object]:
    return published.model_dump(mode="json", exclude={"text", "embeddings"})
