"""`livecue catalog`: check, test and compare catalogues of actions. None of it needs Kafka."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from deploy.catalog_report import show_checked, show_difference, show_played
from guidance.decision.case_run import play
from guidance.decision.case_story import Score
from guidance.decision.cases import Cases, read_cases
from guidance.decision.catalog import Catalog, read_catalog
from guidance.decision.catalog_advice import advise
from guidance.decision.catalog_diff import differences
from guidance.decision.catalog_text import CatalogError, Lines, Problem
from models.artifact import load_manifest
from models.artifacts import INTENT
from models.serving import IntentModel, Utterance
from schemas.conversation import Speaker

_STDOUT = Console(highlight=False, soft_wrap=True)
_STDERR = Console(stderr=True, highlight=False, soft_wrap=True)
_TESTS = ".tests.yaml"

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A catalogue, YAML.", show_default=False)]
Model = Annotated[
    Path, typer.Option("--model", help="Folder of the intent model. Default: the one that ships.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document, for scripts.")]


def add_commands(app: typer.Typer) -> None:
    """Hang the commands into `livecue catalog`."""
    app.command(epilog="Example: livecue catalog check guidance/catalogs/telecom.yaml --json")(check)
    app.command(name="test", epilog="Example: livecue catalog test mine.yaml --cases telecom.tests.yaml")(run_tests)
    app.command(epilog="Example: livecue catalog diff guidance/catalogs/telecom.yaml mine.yaml")(diff)


def check(
    catalogs: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="Catalogues, YAML.", show_default=False)
    ],
    model: Model = INTENT,
    as_json: AsJson = False,
) -> None:
    """Say everything that is wrong with catalogues, where, and how to mend it. Exit 1 if anything is.

    What is allowed and yet hardly meant, as a label that the model does not
    know, is a warning, and no reason to exit 1.
    """
    labels = _labels(model)
    found = [_checked(path, labels) for path in catalogs if not path.name.endswith(_TESTS)]
    if as_json:
        _STDOUT.out(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for each in found:
            show_checked(each)
    raise typer.Exit(1 if any(each["errors"] for each in found) else 0)


def run_tests(
    catalog: File,
    cases: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="The test cases. Default: beside it, NAME.tests.yaml.", show_default=False
        ),
    ] = None,
    model: Model = INTENT,
    as_json: AsJson = False,
) -> None:
    """Play a catalogue's test cases and show what wins in each. Exit 1 if anything is not as expected.

    A case tells a customer's story and what must come of it. Turns that do not
    say what is heard are put to the intent model.
    """
    catalog, beside = _with_tests(catalog)
    source = cases or beside
    parsed, _ = _read(catalog)
    found = _read_cases(source, parsed)
    played = list(play(found, parsed, _scorer(found, model)))
    if as_json:
        _STDOUT.out(json.dumps({"file": str(source), "cases": [asdict(each) for each in played]}, indent=2))
    else:
        show_played(source, played)
    raise typer.Exit(1 if any(each.mismatches for each in played) else 0)


def diff(old: File, new: File, as_json: AsJson = False) -> None:
    """Say in words what a catalogue changes against another, action by action."""
    _read(old), _read(new)
    found = differences(_text(old), _text(new))
    if as_json:
        _STDOUT.out(json.dumps([asdict(each) for each in found], indent=2, ensure_ascii=False))
    elif not found:
        _STDOUT.print("No action, fact or policy differs.")
    else:
        for each in found:
            show_difference(each)


def _checked(path: Path, labels: Mapping[str, frozenset[Speaker]]) -> dict[str, object]:
    try:
        catalog, lines = read_catalog(_text(path))
    except CatalogError as error:
        return {"file": str(path), "version": None, "errors": _as_dicts(error.problems), "warnings": []}
    warnings = _as_dicts(advise(catalog, lines, labels))
    counted = {"actions": len(catalog.actions), "facts": len(catalog.declared)}
    return {"file": str(path), "version": catalog.version, **counted, "errors": [], "warnings": warnings}


def _with_tests(path: Path) -> tuple[Path, Path]:
    """The catalogue and its test cases, whichever of the two `path` is."""
    if path.name.endswith(_TESTS):
        return path.with_name(path.name.removesuffix(_TESTS) + ".yaml"), path
    return path, path.with_name(path.stem + _TESTS)


def _read(path: Path) -> tuple[Catalog, Lines]:
    try:
        return read_catalog(_text(path))
    except CatalogError as error:
        raise _refused(path, error.problems) from None


def _read_cases(path: Path, catalog: Catalog) -> Cases:
    if not path.is_file():
        _STDERR.print(f"[red]error:[/red] there are no test cases in {escape(str(path))}; write some, or name --cases")
        raise typer.Exit(1)
    try:
        return read_cases(_text(path), catalog)
    except CatalogError as error:
        raise _refused(path, error.problems) from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes().count(b"\n", 0, error.start) + 1
        raise CatalogError([Problem(line, "this is not UTF-8", "save it as UTF-8 text")]) from None


def _refused(path: Path, problems: tuple[Problem, ...]) -> typer.Exit:
    for each in problems:
        place = f"{escape(str(path))}:{each.line}"
        _STDERR.print(f"{place}: [red]error[/red]: {escape(each.what)} – {escape(each.mend)}")
    return typer.Exit(1)


def _as_dicts(problems: tuple[Problem, ...]) -> list[dict[str, object]]:
    return [asdict(problem) for problem in problems]


def _labels(model: Path) -> Mapping[str, frozenset[Speaker]]:
    head = load_manifest(model).intents
    return {} if head is None else {label.name: frozenset(label.speakers) for label in head.labels}


def _scorer(cases: Cases, model: Path) -> Score | None:
    """The intent model, where a case needs it: loading it takes a second."""
    if all(step.hears is not None for case in cases.cases for step in case.story if step.is_turn):
        return None
    loaded = IntentModel.load(model)
    return lambda speaker, text: loaded.score([Utterance(speaker, text)])[0]
