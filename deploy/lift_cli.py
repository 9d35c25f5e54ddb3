"""`livecue lift`: what guidance brings, and what another policy would have brought."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy import lift_reading
from deploy.charts import Interval, Intervals, svg
from deploy.lift_report import MEASURES, POLICIES, Lift, Target, lift
from deploy.options import Kafka
from deploy.settings import cluster
from deploy.since import since as instant
from deploy.workers import load_catalog
from guidance.decision.catalog import Catalog
from guidance.lift.choices import Measure
from guidance.lift.comparison import Comparison, Unit
from guidance.lift.estimate import Estimate

_PLAIN: Mapping[tuple[Measure, Unit], str] = {
    ("acceptance", "prompt"): "accepted, of prompts",
    ("acceptance", "conversation"): "accepted, a conversation",
    ("value", "prompt"): "value of a prompt",
    ("value", "conversation"): "value of a conversation",
}


def lift_command(
    since: Annotated[
        str, typer.Option(help="Lessons of decisions since then: 24h, 30d, 2026-11-01. With --file: all, unless given.")
    ] = "30d",
    kafka: Kafka = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True, dir_okay=False, help="Read lessons, decisions and posteriors from files instead, one a line."
        ),
    ] = None,
    catalog: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Its priors are the fixed rule's. Default: those of the lessons."
        ),
    ] = None,
    clip: Annotated[
        float | None, typer.Option(min=1.0, help="The largest weight. Default: the root of the number of decisions.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the picture there, an SVG.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for scripts.")] = False,
) -> None:
    """What guidance brings: guided customers against the control group; and what other policies would have brought.

    A prompt whose outcome is known counts; conversations that began anonymous are left out. Intervals are 95 %, normal,
    customers taken as independent. Other policies are estimated off-policy, from how likely each choice was.

    [dim]livecue lift[/dim]                                     the last 30 days
    [dim]livecue lift --since 7d --plot lift.svg[/dim]
    [dim]livecue lift --file lessons.ndjson --file decisions.ndjson --json[/dim]
    """
    now = datetime.now(UTC)
    if file:
        start = None if since == "30d" else instant(since, now)
        log = lift_reading.from_files(file, start)
    else:
        log = asyncio.run(lift_reading.from_kafka(cluster(kafka), instant(since, now)))
    found = lift(log, {} if catalog is None else _priors(load_catalog(catalog)), clip)
    if plot is not None:
        plot.write_text(picture(found), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(found.as_dict(), indent=2))
        return
    out = Console()
    for each in shown(found):
        out.print(each)
    if log.unreadable:
        out.print(f"{log.unreadable} records could not be read and were passed over.", style="yellow")


def _priors(catalog: Catalog) -> dict[str, float]:
    return {action.id: action.prior for action in catalog.actions}


def shown(found: Lift) -> Iterator[Table | str]:
    """The figures for people."""
    yield f"{found.lessons} prompts with a known outcome{_left_out(found)}."
    if found.comparisons:
        yield _comparisons(found)
    if found.too_few is not None:
        yield f"[yellow]Too little to tell guided from control:[/yellow] {found.too_few}."
    else:
        yield _verdict(found.comparisons["acceptance", "prompt"])
    yield _targets(found)
    for each in found.targets:
        if each.measure == "acceptance":
            yield from _notes(each)


def _left_out(found: Lift) -> str:
    parts = [f"{found.anonymous} of them began anonymous and are left out"] if found.anonymous else []
    if found.without_decision:
        parts.append(f"the decisions of {found.without_decision} are no longer in the log")
    return "".join(f"; {part}" for part in parts)


def _comparisons(found: Lift) -> Table:
    table = Table("", "guided", "n", "control", "n", "difference", "relative", title="Guided against control")
    for (measure, per), each in found.comparisons.items():
        relative = each.relative
        table.add_row(
            _PLAIN[measure, per],
            _one(each.guided.estimate.value, measure),
            f"{each.guided.count}",
            _one(each.control.estimate.value, measure),
            f"{each.control.count}",
            _with_interval(each.difference, measure, signed=True),
            "too few in control" if relative is None else _with_interval(relative, "acceptance", signed=True),
        )
    return table


def _verdict(each: Comparison) -> str:
    difference = each.difference
    if difference.low > 0.0:
        return "[green]Guided customers accept more often than the control group.[/green]"
    if difference.high < 0.0:
        return "[red]Guided customers accept less often than the control group.[/red]"
    return "No difference is shown yet: its interval reaches from less to more."


def _targets(found: Lift) -> Table:
    table = Table(title="What other policies would have brought")
    for name in ("policy", "doubly robust", "SNIPS", "IPS", "effective n", "largest weight"):
        table.add_column(name, justify="left" if name == "policy" else "right")
    for each in found.targets:
        name = f"{each.policy}, {each.measure}"
        if each.found is None:
            table.add_row(name, "–", "–", "–", "–", "–")
            continue
        told = each.found
        estimates = (told.doubly_robust, told.snips, told.ips)
        table.add_row(
            name,
            *(_with_interval(of, each.measure) for of in estimates),
            f"{told.reach.effective:,.0f} of {told.reach.decisions:,}",
            f"{told.reach.largest:,.1f}" + (f", {told.reach.clipped:.1%} clipped" if told.reach.clipped else ""),
        )
    return table


def _notes(each: Target) -> Iterator[str]:
    what = f"[dim]{each.policy}: {POLICIES[each.policy]}[/dim]"
    if each.why_not is not None:
        yield f"{what}. [yellow]No figure: {each.why_not}.[/yellow]"
    elif each.found is not None and each.found.control_alone:
        yield f"{what}. From the control group alone: the others hardly ever tried what it would choose."
    else:
        yield what


def _one(value: float, measure: Measure) -> str:
    return f"{value:.1%}" if measure == "acceptance" else f"{value:,.2f}"


def _with_interval(of: Estimate, measure: Measure, *, signed: bool = False) -> str:
    sign = "+" if signed else ""
    about = of.high - of.value
    if measure == "acceptance":
        return f"{100 * of.value:{sign}.1f} ± {100 * about:.1f} %"
    return f"{of.value:{sign},.2f} ± {about:,.2f}"


def picture(found: Lift) -> str:
    """The figures and their intervals: one chart a measure."""
    charts = []
    for measure in MEASURES:
        rows = []
        if (compared := found.comparisons.get((measure, "prompt"))) is not None:
            rows += [
                _row("guided", compared.guided.estimate, 0),
                _row("control", compared.control.estimate, 1),
            ]
        rows += [
            _row(each.policy + (" (control)" if each.found.control_alone else ""), each.found.doubly_robust, 2)
            for each in found.targets
            if each.measure == measure and each.found is not None
        ]
        rows = [row for row in rows if isfinite(row.high)]
        if rows:
            title = "Accepted, of prompts" if measure == "acceptance" else "Value of a prompt"
            charts.append(Intervals(title, rows, measure == "acceptance"))
    return svg("What guidance brings: guided, control, and other policies, with 95 % intervals", charts)


def _row(name: str, of: Estimate, colour: int) -> Interval:
    return Interval(name, of.value, of.low, of.high, colour)
