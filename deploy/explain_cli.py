"""`livecue explain`: why a decision came out as it did, candidate by candidate."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deploy.explaining import DecisionId, Found, find, find_in
from deploy.options import Kafka
from deploy.settings import cluster
from schemas.guidance import Candidate, Decision, Fate
from schemas.requests import DecisionRequest

_FATES = {
    Fate.WON: ("won", "bold green"),
    Fate.PINNED: ("pinned", "green"),
    Fate.LOST: ("lost", "yellow"),
    Fate.SUPPRESSED: ("suppressed", "magenta"),
    Fate.INELIGIBLE: ("ineligible", "red"),
    Fate.NOT_TRIGGERED: ("not triggered", "dim"),
}
_GROUPS = {
    "guided": "guided",
    "control": "control: a random one of the eligible is chosen",
    None: "none: it began anonymous, and is left out of lift",
}


def explain(
    decision_id: Annotated[str, typer.Argument(help="A decision's id, or a prompt's: it begins with its decision's.")],
    kafka: Kafka = None,
    file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Look in this file of decisions instead, one a line."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The decision and what it was made on as one JSON object.")
    ] = False,
) -> None:
    """Why: every action of the catalogue in one decision, what became of it, and the numbers.

    P × C × V × L is propensity (how likely it is accepted), context weight, value less cost, and lever.

    [dim]livecue explain 003-1764150000000-0123456789ab[/dim]
    [dim]livecue replay talk.ndjson --offline --decisions > decisions.ndjson[/dim]
    [dim]livecue explain 003-1764150000000-0123456789ab --file decisions.ndjson --json[/dim]
    """
    wanted = DecisionId.parse(decision_id)
    found = asyncio.run(find(cluster(kafka), wanted)) if file is None else find_in(file, wanted)
    if as_json:
        made_on = None if found.made_on is None else found.made_on.model_dump(mode="json")
        told = {"decision": found.decision.model_dump(mode="json"), "made_on": made_on}
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        Console().print(shown(found))


def shown(found: Found) -> Group:
    """The decision for people."""
    decision = found.decision
    return Group(
        Panel(_head(found), title=decision.decision_id, title_align="left"), _candidates(decision), *_made(decision)
    )


def _head(found: Found) -> Table:
    decision, made_on = found.decision, found.made_on
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column()
    if isinstance(made_on, DecisionRequest):
        rows.add_row("asked by", Text(f"{made_on.channel.value}, {made_on.request_id}"))
        rows.add_row("wants", Text(_probabilities(made_on.intents) or "nothing that it knows of"))
    elif made_on is not None:
        rows.add_row("turn", Text(f"{made_on.turn.speaker.value}: “{made_on.turn.text}”"))
        if made_on.scores is not None:
            fired = {label: made_on.scores.intents.get(label, 1.0) for label in made_on.scores.fired}
            rows.add_row("heard", Text(_probabilities(fired) or "nothing that counts"))
    else:
        rows.add_row(decision.occasion, "not at hand any more")
    rows.add_row("when", f"{decision.now:%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC")
    rows.add_row("conversation", Text(f"{decision.conversation_id} · turn {decision.turn_id}"))
    rows.add_row("customer", Text(f"{decision.customer_id or 'anonymous'} · agent {decision.agent_id or 'nobody'}"))
    rows.add_row("group", _GROUPS[decision.group])
    for prompt in decision.prompts:
        rows.add_row("prompted", Text(f"{prompt.words}  ({', '.join(prompt.why)})"))
    for ending in decision.endings:
        rows.add_row("ended", Text(f"{ending.action_id}: {ending.state.value}, {ending.reason}"))
    if not decision.prompts:
        rows.add_row("prompted", "nothing")
    return rows


def _probabilities(labels: Mapping[str, float]) -> str:
    return ", ".join(f"{label} {probability:.2f}" for label, probability in labels.items())


def _candidates(decision: Decision) -> Table:
    table = Table(header_style="dim", expand=True)
    for name in ("action", "kind", "fate"):
        table.add_column(name, no_wrap=name != "action")
    for name in ("P", "C", "V", "L", "priority", "chance"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("why", ratio=1)
    ranks = {fate: rank for rank, fate in enumerate(_FATES)}
    for each in sorted(decision.candidates, key=lambda candidate: ranks[candidate.fate]):
        words, style = _FATES[each.fate]
        why = each.reason if each.posterior is None else f"{each.reason} · learned: {each.posterior}"
        table.add_row(each.action_id, each.kind.value, words, *_numbers(each), Text(why), style=style)
    return table


def _numbers(candidate: Candidate) -> Iterator[str]:
    for value, digits in (
        (candidate.propensity, 3),
        (candidate.context_weight, 2),
        (candidate.value, 2),
        (candidate.lever, 2),
        (candidate.priority, 2),
        (candidate.selection_probability, 3),
    ):
        yield "" if value is None else f"{value:.{digits}f}"


def _made(decision: Decision) -> Iterator[Text]:
    versions = decision.versions
    yield Text(
        f"made by catalogue {versions.catalog} · levers {versions.levers or 'none'} · propensities "
        f"{versions.propensities or 'the catalogue’s priors'} · model {versions.model or 'none'} · "
        f"{decision.service_level.value.replace('_', ' ')}",
        style="dim",
    )
    yield Text(
        f"input {decision.input_id}, number {decision.sequence} of its customer · seed {decision.seed}", style="dim"
    )
