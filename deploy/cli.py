"""`livecue`: the one command. Everything is put together here and in the modules it calls, and nowhere else."""

import asyncio
import json
import os
import sys
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from deploy import catalog_cli, workers
from deploy import demo as demo_run
from deploy import doctor as checks
from deploy import gateway as gateways
from deploy.contracts import asyncapi, json_schema
from deploy.desk_client import TurnedAway
from deploy.explain_cli import explain
from deploy.feedback_cli import feedback_app
from deploy.kafka.commands import kafka_app, topics_app
from deploy.kafka.errors import LocalKafkaError
from deploy.levers_cli import levers_app
from deploy.lift_cli import lift_command
from deploy.local import NotReady
from deploy.model_cli import model_app
from deploy.offline import decide_offline
from deploy.options import Kafka
from deploy.player import play
from deploy.publish_cli import catalog_app
from deploy.recording import read, renamed
from deploy.settings import cluster
from deploy.sim_cli import simulate
from deploy.whatif_cli import whatif
from models.artifact import ArtifactError
from schemas.codec import encode
from schemas.errors import Malformed
from streams.bus.ports import BusUnavailable
from streams.bus.producer import KafkaPublisher
from streams.engine.app import DataDirInUse
from streams.engine.topics import TopicsRefused

app = typer.Typer(
    help="Real-time agent guidance: live turns in over Kafka, the next best action out to agent desktops.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.add_typer(kafka_app, name="kafka")
app.add_typer(topics_app, name="topics")
app.add_typer(model_app, name="model")
catalog_cli.add_commands(catalog_app)
app.add_typer(feedback_app, name="feedback")
app.add_typer(catalog_app, name="catalog")
app.command(name="lift")(lift_command)
app.command()(simulate)
app.add_typer(levers_app, name="levers")
app.command()(explain)
app.command()(whatif)
_STDERR = Console(stderr=True)

HttpPort = Annotated[
    int | None, typer.Option("--http-port", help="Loopback port of /metrics, /healthz and /readyz. Default: none.")
]


class Which(StrEnum):
    """The workers there are."""

    INTENTS = "intents"
    DECISIONS = "decisions"
    LEARNER = "learner"


@app.command()
def demo(
    headless: Annotated[bool, typer.Option("--headless", help="Desks without a browser that act like agents.")] = False,
    seconds: Annotated[float | None, typer.Option(help="Stop by yourself after this long. Default: at Ctrl-C.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object at the end instead of a live table.")
    ] = False,
    speed: Annotated[float, typer.Option(min=0.1, max=50, help="How fast the samples are replayed.")] = 1.0,
    port: Annotated[int, typer.Option(help="Port of the two pages; 0: any that is free.")] = 8780,
) -> None:
    """Everything on this machine: a Kafka, the workers, the gateway, the samples in a loop, two pages.

    [dim]livecue demo[/dim]                                    two URLs to open, a live table, Ctrl-C ends it all
    [dim]livecue demo --headless --seconds 60 --json[/dim]     counts what was lost or doubled; exit 1 if anything was
    """
    raise typer.Exit(demo_run.run(headless=headless, seconds=seconds, as_json=as_json, speed=speed, http_port=port))


@app.command()
def worker(
    which: Which,
    kafka: Kafka = None,
    http_port: HttpPort = None,
    data: Annotated[Path, typer.Option(help="Where its table lives.")] = Path(".livecue/tables"),
    model: Annotated[Path | None, typer.Option(help="Folder of the intent model. Default: the one that ships.")] = None,
    catalog: Annotated[
        Path | None, typer.Option(help="Decide by this file alone. Default: by what is published.")
    ] = None,
) -> None:
    """Run one stream worker until SIGTERM. Start as many as there is work; they share the partitions.

    [dim]livecue worker intents --http-port 9101[/dim]
    [dim]livecue worker decisions --catalog my-actions.yaml[/dim]
    [dim]livecue worker learner[/dim]                          what comes of prompts changes what is prompted
    """
    match which:
        case Which.INTENTS:
            workers.run_intents(cluster(kafka), data, http_port, model)
        case Which.DECISIONS:
            workers.run_decisions(cluster(kafka), data, http_port, catalog)
        case Which.LEARNER:
            workers.run_learner(cluster(kafka), data, http_port)


@app.command()
def gateway(
    kafka: Kafka = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the pages; 0: any that is free.")] = 8780,
    desk_port: Annotated[int, typer.Option(help="Port of the desks' websockets; 0: any that is free.")] = 0,
) -> None:
    """Run a gateway until SIGTERM: desk sessions over websockets, and the two pages."""
    gateways.run(cluster(kafka), host, port, desk_port)


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="NDJSON recordings.")],
    kafka: Kafka = None,
    speed: Annotated[float, typer.Option(min=0.01, help="2: twice as fast as it happened.")] = 1.0,
    keep_ids: Annotated[bool, typer.Option(help="Keep the recording's ids: a second replay is a redelivery.")] = False,
    decisions: Annotated[
        bool, typer.Option("--decisions", help="With --offline: whole decisions as JSON lines, for explain --file.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="No Kafka: the same processors, in this process.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --offline: one JSON line a decision.")] = False,
    model: Annotated[Path | None, typer.Option(help="With --offline: folder of the intent model.")] = None,
    catalog: Annotated[Path | None, typer.Option(help="With --offline: catalogue of actions.")] = None,
) -> None:
    """Replay recorded conversations, onto Kafka or offline.

    [dim]livecue replay deploy/samples/churn.ndjson --speed 4[/dim]
    [dim]livecue replay deploy/samples/churn.ndjson --offline --json[/dim]     the same bytes every time
    """
    lines = read(files)
    if offline:
        for each in decide_offline(lines, model, catalog):
            if decisions:
                typer.echo(encode(each.decision))
            else:
                typer.echo(each.as_json() if as_json else each.as_text())
        return
    run = os.urandom(3).hex()
    told = lines if keep_ids else tuple(renamed(lines, run))

    async def publish() -> None:
        async with KafkaPublisher(cluster(kafka)) as publisher:
            await play(told, publisher, speed=speed)

    asyncio.run(publish())
    _STDERR.print(f"{len(told)} records published" + ("" if keep_ids else f", their ids ending in .{run}"))


@app.command()
def schemas(
    async_api: Annotated[bool, typer.Option("--asyncapi", help="The topic table as an AsyncAPI document.")] = False,
) -> None:
    """Print the contracts: JSON Schema by topic, or AsyncAPI."""
    typer.echo(json.dumps(asyncapi(version("livecue")) if async_api else json_schema(), indent=2))


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False) -> None:
    """Check what this machine has, and say what to mend. Exit 1 if something that Livecue needs is missing."""
    found = checks.examine()
    typer.echo(json.dumps([finding.as_dict() for finding in found], indent=2)) if as_json else checks.show(found)
    raise typer.Exit(0 if all(finding.ok or finding.optional for finding in found) else 1)


_FORESEEN = (
    ArtifactError,
    BusUnavailable,
    DataDirInUse,
    demo_run.DemoRuns,
    LocalKafkaError,
    LookupError,
    Malformed,
    NotReady,
    OSError,
    TopicsRefused,
    TurnedAway,
    ValueError,
)


def main() -> None:
    """The console script: errors that we foresee are told in one paragraph, never as a traceback."""
    try:
        app()
    except _FORESEEN as error:
        _STDERR.print("[red]error:[/red]", escape(str(error)), highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
