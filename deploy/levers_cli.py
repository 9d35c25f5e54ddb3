"""`livecue levers`: what the business wants more or less of just now, set while workers run, and who set it."""

import asyncio
import getpass
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy import publishing
from deploy.options import Kafka
from deploy.settings import cluster
from deploy.workers import load_catalog
from guidance.decision.catalog import Catalog
from guidance.decision.lever_settings import Settings, mistakes, settings_of
from schemas.codec import decode, encode
from schemas.published import LEVERS, PublishedLevers
from schemas.topics import LEVERS_TOPIC
from streams.bus.connection import KafkaSettings
from streams.bus.ports import Message
from streams.bus.producer import KafkaPublisher
from streams.bus.readers import KafkaReaders
from streams.decisions.live_rules import age

levers_app = typer.Typer(help="What the business wants more or less of, just now.", no_args_is_help=True)
_out = Console()

_By = Annotated[str | None, typer.Option("--by", help="Who sets them. Default: the name you are logged in by.")]
_Note = Annotated[str | None, typer.Option("--note", help="Why, in a line: it is kept with the setting.")]
_Json = Annotated[bool, typer.Option("--json", help="For scripts.")]
_Pairs = Sequence[str] | None


@levers_app.command(epilog="Example: livecue levers set --kind retention=1.5 --metric revenue=0.8 --note 'quiet week'")
def set(  # noqa: A001 the command's name
    action: Annotated[list[str] | None, typer.Option("--action", metavar="ID=X")] = None,
    kind: Annotated[list[str] | None, typer.Option("--kind", metavar="KIND=X", help="retention, upsell …")] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="METRIC=X", help="retention, revenue, cost, satisfaction, compliance."),
    ] = None,
    kafka: Kafka = None,
    by: _By = None,
    note: _Note = None,
    as_json: _Json = False,
) -> None:
    """Set some, on top of what is set; 1 is neutral. In force in all running workers within seconds."""
    wanted = Settings(by_action=_read(action), by_kind=_read(kind), by_metric=_read(metric))
    if wanted == Settings():
        raise typer.BadParameter("nothing to set: give --action, --kind or --metric, each NAME=NUMBER")
    _tell(asyncio.run(_set(cluster(kafka), wanted, by, note)), as_json)


@levers_app.command(epilog="Example: livecue levers reset --note 'campaign over'")
def reset(kafka: Kafka = None, by: _By = None, note: _Note = None, as_json: _Json = False) -> None:
    """Make all neutral again."""
    _tell(asyncio.run(_set(cluster(kafka), None, by, note)), as_json)


@levers_app.command()
def show(kafka: Kafka = None, as_json: _Json = False) -> None:
    """What is set now, and every setting before it: who, when, why."""
    history = asyncio.run(_history(cluster(kafka)))
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in history], indent=2))
        return
    if not history:
        _out.print("None was ever set: all are neutral.")
        return
    table = Table("", "set", "by", "levers", "note")
    for index, each in enumerate(history):
        settings = settings_of(each)
        told = {**settings.by_metric, **settings.by_kind, **settings.by_action}
        words = ", ".join(f"{name} × {value:g}" for name, value in told.items()) or "all neutral"
        table.add_row(
            "in force" if index == 0 else "", f"{each.set_at:%Y-%m-%d %H:%M:%S}", each.set_by, words, each.note or ""
        )
    _out.print(table)


async def _set(
    kafka: KafkaSettings,
    wanted: Settings | None,
    by: str | None,
    note: str | None,
) -> PublishedLevers:
    """Publish the present settings with `wanted` on top; None: neutral ones.

    Raises:
        ValueError: out of the bounds of the catalogue in force, or of something that it does not have.
    """
    history = await _history(kafka)
    settings = Settings() if wanted is None else settings_of(history[0] if history else None).changed(wanted)
    if wrong := mistakes(settings, await _catalog_in_force(kafka)):
        raise ValueError("; ".join(wrong))
    now = datetime.now(UTC)
    values = settings.model_dump()
    version = f"levers@{round(now.timestamp() * 1000)}"  # a moment: all settings are kept, one that comes again too
    published = PublishedLevers(version=version, set_at=now, set_by=by or getpass.getuser(), note=note, **values)
    async with KafkaPublisher(kafka) as publisher:
        await publisher.publish([Message(LEVERS_TOPIC.name, published.version, encode(published))])
    return published


async def _history(kafka: KafkaSettings) -> list[PublishedLevers]:
    """Every setting, the one in force first."""
    kept = await KafkaReaders(kafka).read_compacted(LEVERS_TOPIC.name)
    return [decode(LEVERS, record.value) for record in sorted(kept.latest.values(), key=age, reverse=True)]


async def _catalog_in_force(kafka: KafkaSettings) -> Catalog:
    published = await publishing.versions(kafka)
    return published[0].catalog if published else load_catalog(None)


def _read(pairs: _Pairs) -> dict[str, float]:
    found = {}
    for pair in pairs or ():
        name, _, number = pair.partition("=")
        try:
            found[name.strip()] = float(number)
        except ValueError:
            raise typer.BadParameter(f"“{pair}” is not NAME=NUMBER, as retention=1.5") from None
    return found


def _tell(published: PublishedLevers, as_json: bool) -> None:
    if as_json:
        typer.echo(published.model_dump_json())
    else:
        _out.print(f"[bold]{published.version}[/bold] is in force, set by {published.set_by}")
