"""What `livecue catalog` shows people: mistakes by line, test cases as a table, differences in words."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from guidance.decision.case_run import Played
from guidance.decision.catalog_diff import Difference

_STDOUT = Console(highlight=False, soft_wrap=True)


def show_checked(checked: Mapping[str, object]) -> None:
    file = escape(str(checked["file"]))
    for colour, name, problems in (
        ("red", "error", checked["errors"]),
        ("yellow", "warning", checked["warnings"]),
    ):
        for each in problems if isinstance(problems, list) else ():
            place = f"{file}:{each['line']}"
            _STDOUT.print(f"{place}: [{colour}]{name}[/{colour}]: {escape(each['what'])} – {escape(each['mend'])}")
    if checked["version"] is not None:
        told = f"{checked['actions']} actions, {checked['facts']} facts of its own, no mistakes"
        _STDOUT.print(f"{file}: {checked['version']}: [green]{told}[/green]")


def show_played(file: Path, played: Sequence[Played]) -> None:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("", "line", "case", "wins", "pinned"):
        table.add_column(column, overflow="fold")
    for each in played:
        mark = "[red]✗[/red]" if each.mismatches else "[green]✓[/green]"
        table.add_row(mark, str(each.line), escape(each.case), each.winner or "none", ", ".join(each.pinned) or "none")
    Console(highlight=False).print(table)
    for mismatch in (mismatch for each in played for mismatch in each.mismatches):
        _STDOUT.print(f"{escape(str(file))}:{mismatch.line}: [red]{escape(mismatch.what)}[/red]")
    wrong = sum(1 for each in played if each.mismatches)
    counted = f"{len(played)} case{'' if len(played) == 1 else 's'}"
    _STDOUT.print(f"{counted}, " + (f"[red]{wrong} not as expected[/red]" if wrong else "all as expected"))


def show_difference(difference: Difference) -> None:
    colour = {"added": "green", "removed": "red", "changed": "yellow"}[difference.change]
    named = difference.name if difference.part in ("catalogue", "policy") else f"{difference.part} {difference.name}"
    title = f": {escape(difference.what[0])}" if difference.change != "changed" and difference.what[0] else ""
    _STDOUT.print(f"[{colour}]{difference.change}[/{colour}] {escape(named)}{title}")
    for clause in difference.what if difference.change == "changed" else ():
        _STDOUT.print(f"    {escape(clause)}")
