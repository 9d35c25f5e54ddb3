"""`livecue kafka` and `livecue topics`: the local Kafka and the topic table, for people and (--json) for scripts."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.kafka import node, topics
from deploy.kafka.jars import Progress as Report
from deploy.settings import cluster
from schemas.topics import DEFAULT_PARTITIONS, TOPICS, Topic

NOT_RUNNING = 3
"""What `livecue kafka status` exits with where no node runs, as service managers do."""

kafka_app = typer.Typer(
    help="A real Apache Kafka on this machine, without Docker: one node, on the loopback, that outlives this command.",
    no_args_is_help=True,
)
topics_app = typer.Typer(
    help="The topics that Livecue needs: create them, and check that a Kafka has them as they must be.",
    no_args_is_help=True,
)

_DataDir = Annotated[Path, typer.Option("--data", metavar="DIR", help="Where the node keeps all it has.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of words.")]
_Servers = Annotated[
    str | None,
    typer.Option(
        "--kafka",
        metavar="HOST:PORT",
        envvar="LIVECUE_KAFKA",
        help="host:port of the cluster. Default: the local one. TLS and SASL come from LIVECUE_KAFKA_... variables.",
    ),
]

_out = Console()
_err = Console(stderr=True)


@kafka_app.command(epilog="Example: livecue kafka start --data /srv/kafka --port 9092")
def start(
    data: _DataDir = node.DEFAULT_DATA_DIR,
    port: Annotated[
        int | None, typer.Option(min=1024, max=65535, help="By default the port it had last, else a free one.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Start the node, and wait until it answers. One that runs already is left as it is.

    The first start on a machine downloads Kafka (44 MB), once a user.
    """
    with shown() as report:
        started = node.start(data, port=port, progress=report)
    _tell(started, as_json)


@kafka_app.command(epilog="Example: livecue kafka stop")
def stop(data: _DataDir = node.DEFAULT_DATA_DIR, as_json: _Json = False) -> None:
    """Stop the node and wait for its end. Its data and its port are kept for the next start."""
    was_running = node.stop(data)
    if as_json:
        _print_json({"stopped": was_running})
    else:
        _out.print("Kafka has stopped." if was_running else f"No Kafka runs in {data}.")


@kafka_app.command(epilog="Example: LIVECUE_KAFKA=$(livecue kafka status --json | jq -r .bootstrap)")
def status(data: _DataDir = node.DEFAULT_DATA_DIR, as_json: _Json = False) -> None:
    """Say where the node listens; exit with 3 where none runs."""
    running = node.status(data)
    _tell(running, as_json)
    if running is None:
        raise typer.Exit(NOT_RUNNING)


@topics_app.command(epilog="Example: livecue topics create --kafka kafka-1:9092 --partitions 24 --replication 3")
def create(
    servers: _Servers = None,
    partitions: Annotated[int, typer.Option(min=1, help="Of every topic.")] = DEFAULT_PARTITIONS,
    replication: Annotated[
        int | None, typer.Option(min=1, help="Copies of every record; by default as the cluster does.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Create the topics that are missing. Changes nothing where one that is there is not as it must be."""
    created = topics.create(cluster(servers), partitions=partitions, replication=replication)
    if as_json:
        _print_json({"created": created, "partitions": partitions})
        return
    _print_table(partitions, {topic.name: "created" if topic.name in created else "was there" for topic in TOPICS})


@topics_app.command(epilog="Example: livecue topics check --partitions 12 && livecue worker intents")
def check(
    servers: _Servers = None,
    partitions: Annotated[
        int | None, typer.Option(min=1, help="What every topic must have; by default the same as the others.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Check that every topic is there as it must be; say what is not, and how to mend it, and exit with 1."""
    try:
        found = topics.check(cluster(servers), partitions=partitions)
    except topics.TopicsMismatch as wrong:
        if not as_json:
            raise
        _print_json({"ok": False, "mismatches": [asdict(each) for each in wrong.mismatches]})
        raise typer.Exit(1) from None
    if as_json:
        _print_json({"ok": True, "partitions": found})
    else:
        _print_table(found, {topic.name: "as it must be" for topic in TOPICS})


@contextmanager
def shown() -> Iterator[Report]:
    """What `node.start` reports its progress to: one line on stderr, with a bar where the end is known."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=_err, transient=True) as progress:
        steps: dict[str, Any] = {}

        def report(step: str, done: float | None) -> None:
            if step not in steps:
                for earlier in steps.values():
                    progress.update(earlier, visible=False)
                steps[step] = progress.add_task(step, total=None if done is None else 1.0)
            if done is not None:
                progress.update(steps[step], completed=done)

        yield report


def _tell(running: node.Node | None, as_json: bool) -> None:
    if as_json:
        _print_json({"running": running is not None, **(asdict(running) if running else {})})
    elif running is None:
        _out.print("No Kafka runs here. Start one with: livecue kafka start")
    else:
        _out.print(
            f"Kafka answers at {running.bootstrap} (process {running.pid}); its log is {running.log_path}",
            soft_wrap=True,
        )


def _print_table(partitions: int, states: dict[str, str]) -> None:
    table = Table(
        "topic", "kept", "state", title=f"{len(states)} topics of {partitions} partitions", title_justify="left"
    )
    for topic in TOPICS:
        table.add_row(topic.name, _kept(topic), states[topic.name])
    _out.print(table)


def _kept(topic: Topic) -> str:
    if topic.compacted:
        return "the last of each key"
    if topic.retention is None:
        return "for ever"
    hours = topic.retention // timedelta(hours=1)
    return f"{hours // 24} d" if hours % 24 == 0 else f"{hours} h"


def _print_json(facts: dict[str, Any]) -> None:
    typer.echo(json.dumps(facts, default=str))
