"""`livecue simulate`: the learning, watched in a world in which the truth is known."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from deploy.sim.picture import picture
from deploy.sim.play import BATCH, Learner, play
from deploy.sim.trial import LAST, Trial, run
from deploy.sim.world import World
from schemas.codec import encode

_err = Console(stderr=True)


def simulate(
    decisions: Annotated[int, typer.Option(min=100, help="Customers, and so decisions, in each world.")] = 20_000,
    seeds: Annotated[int, typer.Option(min=1, help="Worlds, each with preferences of its own.")] = 5,
    offers: Annotated[int, typer.Option(min=2, max=30, help="Among which it is decided.")] = 12,
    batch: Annotated[int, typer.Option(min=1, help="Decisions until what they taught is in force.")] = BATCH,
    plot: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the picture there, an SVG.")] = None,
    write: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write the first world's log instead: for `livecue lift --file`."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for scripts.")] = False,
) -> None:
    """How the engine learns: made-up customers, whose preferences it has to find out, against who knows them.

    It decides and learns by the very code that the workers run, without Kafka; some 300 decisions a second.

    [dim]livecue simulate --decisions 2000 --seeds 1[/dim]
    [dim]livecue simulate --plot learning.svg[/dim]
    [dim]livecue simulate --decisions 5000 --write log.ndjson; livecue lift --file log.ndjson[/dim]
    """
    if write is not None:
        typer.echo(f"{write_log(write, World(1, offers), decisions, batch)} records written", err=True)
        return
    with Progress(console=_err, transient=True) as progress:
        task = progress.add_task("deciding", total=seeds * decisions)
        trials = [
            run(seed, decisions, offers=offers, batch=batch, each=lambda: progress.advance(task))
            for seed in range(1, seeds + 1)
        ]
    if plot is not None:
        plot.write_text(picture(trials), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps([as_dict(each) for each in trials], indent=2))
    else:
        Console().print(_table(trials))


def write_log(path: Path, world: World, decisions: int, batch: int = BATCH) -> int:
    """Decisions, lessons and posteriors, as they would be on Kafka; how many records that is."""
    learner = Learner()
    count = 0
    with path.open("wb") as file:
        for step in play(world, decisions, batch=batch, learner=learner):
            file.write(encode(step.decision) + b"\n" + encode(step.lesson) + b"\n")
            count += 2
        for posterior in learner.posteriors.values():
            file.write(encode(posterior) + b"\n")
            count += 1
    return count


def as_dict(trial: Trial) -> dict[str, Any]:
    """For scripts: shares of oracle acceptance over the last decisions, and regret by quarter."""
    regret = trial.regret(trial.learned)
    quarters = [float(regret[min(len(regret) - 1, len(regret) * each // 4)]) for each in range(5)]
    return {
        "seed": trial.seed,
        "decisions": len(trial.learned),
        "in_control": trial.in_control,
        "share_of_oracle": {
            "learned": trial.share(trial.learned),
            "fixed": trial.share(trial.fixed),
            "random": trial.share(trial.random),
        },
        "regret_by_quarter": [after - before for before, after in pairwise(quarters)],
    }


def _table(trials: Sequence[Trial]) -> Table:
    last = min(LAST, *(len(each.learned) for each in trials))
    table = Table(title=f"Share of oracle acceptance, the last {last:,} decisions outside the control group")
    for name in ("world", "learned", "fixed rule", "random", "regret, first quarter", "last quarter"):
        table.add_column(name, justify="right")
    for each in map(as_dict, trials):
        share, regret = each["share_of_oracle"], each["regret_by_quarter"]
        table.add_row(
            str(each["seed"]),
            f"{share['learned']:.3f}",
            f"{share['fixed']:.3f}",
            f"{share['random']:.3f}",
            f"{regret[0]:,.0f}",
            f"{regret[-1]:,.0f}",
        )
    return table
