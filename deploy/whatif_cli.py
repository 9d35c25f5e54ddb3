"""`livecue whatif`: what recorded turns would have shown under another catalogue, or with other levers."""

import asyncio
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from deploy.offline import echoes_of, run_offline
from deploy.options import Kafka
from deploy.recording import read
from deploy.replaying import INPUTS, fed, records_since
from deploy.settings import cluster
from deploy.since import since as instant
from deploy.whatif import Otherwise, Report, Row, read_catalog, read_levers
from deploy.workers import load_catalog, load_model
from guidance.decision.catalog import Catalog
from guidance.decision.replay import Replay
from guidance.decision.rules import Rules
from models.serving import IntentModel
from schemas.topics import DECISIONS
from streams.bus.connection import KafkaSettings
from streams.decisions.rulebook import Rulebook

_STDERR = Console(stderr=True)
_LEAD = timedelta(hours=1)
"""So much before `--since` is read as well, for conversations that were going on then."""


def whatif(
    catalog: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The catalogue to be tried. Default: as it was.")
    ] = None,
    levers: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Levers to be tried, YAML: by_action, by_kind, by_metric."),
    ] = None,
    since: Annotated[str, typer.Option(help="How far back: 90m, 24h, 7d, or an instant, 2026-11-26T09:00.")] = "24h",
    file: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="Recorded conversations instead of Kafka; may be repeated."),
    ] = None,
    old_catalog: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Catalogues that decisions were made by and that were never published: workers' --catalog files. "
            "With --file: the one to compare with. Default: the telecom example.",
        ),
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Folder of the intent model. Default: the one that ships.")] = None,
    kafka: Kafka = None,
    examples: Annotated[int, typer.Option(min=0, help="How many changes to show.")] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, with every change.")] = False,
) -> None:
    """What would have been shown: recorded turns decided again, as they were and by other rules.

    Each turn is put on the past as it really was (open loop): what other prompts earlier would have led to is not
    imagined, so the changes are exactly those turns on which the two sets of rules disagree. Nothing is written, and
    nobody's desktop is touched.

    [dim]livecue whatif --catalog my-actions.yaml --since 24h[/dim]
    [dim]livecue whatif --levers push-retention.yaml --since 7d --json[/dim]
    [dim]livecue whatif --catalog my-actions.yaml --file deploy/samples/churn.ndjson[/dim]    without any Kafka
    """
    if catalog is None and levers is None:
        raise ValueError("name what is to be tried: --catalog FILE, --levers FILE, or both")
    tried = None if catalog is None else read_catalog(catalog)
    old = [read_catalog(path) for path in old_catalog or ()]
    known = tried or (old[0] if old else load_catalog(None) if file else None)
    intents = load_model(model) if tried is not None or file else None
    echoes = None if tried is None or intents is None else echoes_of(tried, intents)
    otherwise = Otherwise(tried, None if levers is None else read_levers(levers, known), echoes)
    if file and intents is not None:
        report = _from_files(file, old[0] if old else load_catalog(None), intents, otherwise)
    else:
        report = asyncio.run(_from_kafka(cluster(kafka), instant(since, datetime.now(UTC)), old, otherwise))
    if as_json:
        typer.echo(json.dumps(report.as_dict(), ensure_ascii=False))
    else:
        Console().print(shown(report, otherwise, examples))


def _from_files(files: Iterable[Path], old: Catalog, model: IntentModel, otherwise: Otherwise) -> Report:
    with _STDERR.status("deciding as it was …"):
        echoes = echoes_of(old, model)
        bus = run_offline(read(files), model, Rules(old, echoes=echoes))
    records = [record for topic in (*INPUTS, DECISIONS.name) for record in bus.records(topic)]
    replay, report = Replay(Rulebook([(old, echoes)]), otherwise), Report(since=None)
    report.take(fed(replay, sorted(records, key=lambda record: record.timestamp_ms)))
    report.take(replay.finish())
    return report


async def _from_kafka(kafka: KafkaSettings, since: datetime, old: list[Catalog], otherwise: Otherwise) -> Report:
    rulebook = await Rulebook.published(kafka, [load_catalog(None), *old])
    replay, report = Replay(rulebook, otherwise), Report(since)
    with _progress() as progress:
        task = progress.add_task("", total=None, told="")
        read_on: Callable[[int], None] = lambda total: progress.update(task, total=total)  # noqa: E731
        async for batch in records_since(kafka, since - _LEAD, read_on):
            report.take(fed(replay, batch))
            told = f"{report.effect.decisions} decisions, {report.effect.changed} otherwise, {report.rate:.0f}/s"
            progress.update(task, advance=len(batch), told=told)
    report.take(replay.finish())
    return report


def _progress() -> Progress:
    columns = (BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TextColumn("{task.fields[told]}"))
    return Progress(*columns, TimeRemainingColumn(), console=_STDERR, transient=True)


def shown(report: Report, otherwise: Otherwise, examples: int) -> Group:
    """The report for people."""
    parts: list[RenderableType] = [_headline(report, otherwise)]
    if report.effect.changed:
        parts += [_by_action(report), _by_kind(report)]
        parts += [_example(row) for row in report.rows[:examples]]
        if len(report.rows) > examples:
            parts.append(Text(f"… and {len(report.rows) - examples} more: all of them with --json", style="dim"))
    parts += _caveats(report)
    return Group(*parts)


def _headline(report: Report, otherwise: Otherwise) -> Text:
    effect = report.effect
    tried = [each.version for each in (otherwise.catalog, otherwise.levers) if each is not None]
    was = ", ".join(report.catalogs) or "no catalogue"
    silent = effect.weighed_otherwise - effect.changed
    unseen = f"; {silent} more are weighed otherwise and show the same" if silent > 0 else ""
    return Text.assemble(
        (f"{effect.changed} of {effect.decisions} decisions would have shown something else", "bold"),
        f"{unseen}\n{was} → {' with '.join(tried)}, {report.rate:.0f} decisions/s\n",
    )


def _by_action(report: Report) -> Table:
    table = Table(title="prompts by action", title_justify="left", header_style="dim")
    table.add_column("action")
    for name in ("before", "after", "gained", "lost"):
        table.add_column(name, justify="right")
    for name, counts in sorted(
        report.effect.by_action.items(), key=lambda item: (-item[1].gained - item[1].lost, item[0])
    ):
        style = "" if counts.gained or counts.lost else "dim"
        gained, lost = f"+{counts.gained}" if counts.gained else "", f"−{counts.lost}" if counts.lost else ""
        table.add_row(name, str(counts.before), str(counts.after), gained, lost, style=style)
    return table


def _by_kind(report: Report) -> Text:
    told = ", ".join(f"{count} {kind.value}" for kind, count in report.effect.by_kind.items() if count)
    return Text(f"{told}\n")


def _example(row: Row) -> Text:
    before, after = (", ".join(actions) or "nothing" for actions in (row.before, row.after))
    outcome = f"{before} → {after}" if before != after else before
    return Text.assemble(
        (f"{row.kind}  ", "bold"), (f"{row.at:%d %b %H:%M:%S} {row.conversation_id}  {row.decision_id}\n", "dim"),
        f"  {row.speaker}: “{row.text}”\n", (f"  {outcome}\n", "cyan"), *(f"  {why}\n" for why in row.why),
    )  # fmt: skip


def _caveats(report: Report) -> list[RenderableType]:
    told: list[RenderableType] = []
    if report.differing:
        told.append(
            Text(f"{report.differing} decisions are not the recorded ones even by their own rules:", style="red")
        )
        told += [Text(f"  {each}", style="red") for each in report.differ_by]
    elif report.effect.decisions:
        told.append(Text("By its own rules each decision came out as recorded, byte for byte.", style="green"))
    for why, count in report.left_out.most_common():
        told.append(Text(f"{count} decisions were left out: {why}", style="yellow"))
    return told
