"""`livecue model train`, `export`, `data`: from labelled turns to an artefact. All but `data` need torch."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from models.artifacts import INTENT
from schemas.errors import Malformed

_STDERR = Console(stderr=True)
_WORK = Path(".livecue/training")
_DATA = Path(".livecue/data")

Work = Annotated[Path, typer.Option(help="Where half-done work is kept: the same command goes on from there.")]
Out = Annotated[Path, typer.Option(help="Folder that the model is written to.")]


def add_commands(app: typer.Typer) -> None:
    """Hang the commands into `livecue model`."""
    app.command()(train)
    app.command()(export)
    app.command()(data)


def train(
    data: Annotated[
        Path | None,
        typer.Option(help='Your own turns, JSONL of {"text", "labels"}. Default: ours.', exists=True, dir_okay=False),
    ] = None,
    validation: Annotated[
        Path | None, typer.Option(help="With --data: turns to calibrate on. Default: a share of the data.", exists=True)
    ] = None,
    data_dir: Annotated[Path, typer.Option(help="Without --data: folder of the public sets.")] = _DATA,
    out: Out = INTENT,
    work: Work = _WORK,
    epochs: Annotated[
        int | None, typer.Option(min=1, max=100, help="Default: by the number of turns, 3 to 20.")
    ] = None,
    teacher: Annotated[
        bool | None,
        typer.Option(help="Tune a larger encoder first, to teach ours: slower. Default: for our turns only."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed and data give the same model on one machine.")] = 7,
    threads: Annotated[int, typer.Option(min=1, help="Processor threads; on a busy machine 1 is the fastest.")] = 2,
) -> None:
    """Train, calibrate and export a model. Cut off, the same command goes on where it was.

    [dim]livecue model data --fetch && livecue model train[/dim]              the model that ships
    [dim]livecue model train --data my.jsonl --out my-model[/dim]             your labels, a few hundred turns or more
    """
    _require_torch()
    from models.training.datasets import load_authored, load_public, load_unlabelled
    from models.training.datasets.own import load_own, split_own
    from models.training.network import EncoderMissing
    from models.training.recipe import train as follow
    from models.training.trained import Recipe
    from models.training.writing import write_artifact

    unlabelled: list[str] = []
    try:
        if data is not None and validation is not None:
            turns, held = load_own(data), load_own(validation)
        elif data is not None:
            turns, held = split_own(load_own(data))
        else:
            turns = [*load_authored("train"), *load_public(data_dir)]
            held, unlabelled = load_authored("validation"), load_unlabelled(data_dir)
        _STDERR.print(f"{len(turns):,} turns to learn from, {len(held):,} to calibrate on")
        with _Bars() as bars:
            taught = data is None if teacher is None else teacher
            recipe = Recipe(epochs=epochs, teacher=taught, seed=seed, threads=threads)
            trained = follow(turns, held, unlabelled, work, recipe, bars.report)
        manifest = write_artifact(trained, out)
    except FileNotFoundError as error:
        _STDERR.print(
            f"[red]{error.filename} is missing:[/red] fetch the public sets with `livecue model data --fetch`"
        )
        raise typer.Exit(2) from error
    except (EncoderMissing, Malformed, ValueError) as error:
        _STDERR.print(f"[red]{error}[/red]")
        raise typer.Exit(2) from error
    size = sum(record.size_bytes for record in manifest.files.values()) / 1e6
    _STDERR.print(
        f"{out}: model {manifest.revision}, {size:.1f} MB. Measure it: livecue model evaluate --artifact {out}"
    )


def export(
    trained: Annotated[Path, typer.Argument(help="trained.pickle of a work folder, of your own making.", exists=True)],
    out: Out,
    float32: Annotated[bool, typer.Option("--float32", help="Four times the size, to hold int8 against.")] = False,
) -> None:
    """Write a trained model as an artefact again.

    [dim]livecue model export .livecue/training/0123456789abcdef/trained.pickle --out exact --float32[/dim]
    """
    _require_torch()
    from models.training.trained import load
    from models.training.writing import write_artifact

    manifest = write_artifact(load(trained), out, int8=not float32)
    _STDERR.print(f"{out}: model {manifest.revision}")


def data(
    folder: Annotated[Path, typer.Option(help="Where the public sets lie or go.")] = _DATA,
    fetch: Annotated[bool, typer.Option("--fetch", help="Get what is missing from its public home.")] = False,
) -> None:
    """Say which files of the public sets are missing, or fetch them. Exit 1 if some still are."""
    from models.training.datasets.fetching import FetchError, missing
    from models.training.datasets.fetching import fetch as get

    lacking = list(missing(folder))
    if fetch and lacking:
        try:
            get(folder, lambda path: _STDERR.print(f"fetching {path}"), lacking)
        except FetchError as error:
            _STDERR.print(f"[red]{error}[/red]")
            raise typer.Exit(1) from error
        lacking = []
    for file in lacking:
        typer.echo(f"{folder / file.path} is missing or another; its home: {file.url}")
    if not lacking:
        typer.echo(f"{folder}: all public sets are there")
    raise typer.Exit(1 if lacking else 0)


def _require_torch() -> None:
    if find_spec("torch") is None or find_spec("transformers") is None:
        _STDERR.print("[red]Training needs torch, which what ships does without:[/red] run `make setup-train`.")
        raise typer.Exit(2)


class _Bars:
    """A progress bar for each thing that is reported."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=_STDERR)
        self._current: tuple[str, TaskID] | None = None

    def __enter__(self) -> "_Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def report(self, what: str, done: int, total: int) -> None:
        """See `models.training.tune.Report`. A thing that begins anew gets a bar of its own."""
        if self._current is None or self._current[0] != what:
            self._current = (what, self._progress.add_task(what, total=total))
        self._progress.update(self._current[1], completed=done, total=total)
        if done >= total:
            self._current = None
