"""What pydantic finds wrong, said for people who write catalogues."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from guidance.decision.catalog_text import Lines, Path, Problem
from guidance.decision.expression import Flaw

_NAME = "small letters, digits and _, beginning with a letter"
_MENDS = {
    "string_type": "write a text; put it in quotes",
    "tuple_type": "write a list: [one, two]",
    "list_type": "write a list: [one, two]",
    "dict_type": "write its entries below it, as name: value",
    "model_type": "write its entries below it, as name: value",
    "bool_type": "write true or false",
    "int_type": "write a whole number, without quotes",
    "int_from_float": "write a whole number",
    "float_type": "write a number, without quotes",
    "finite_number": "write a plain number",
}
_PATTERNS = {"language": "a language tag: en, de, pt-BR", "id": f"{_NAME}: three or more"}


def problems_of(error: ValidationError, lines: Lines, models: Iterable[type[BaseModel]]) -> set[Problem]:
    """Every mistake that `error` lists, with its line; `models` are all that have fields, to guess at misspellings."""
    fields = sorted({field.alias or name for model in models for name, field in model.model_fields.items()})
    errors = error.errors(include_url=False)
    around = {each["loc"][:depth] for each in errors for depth in range(len(each["loc"]))}
    # Something is also called too short for the mistakes inside of it: those are told.
    return {
        _problem(each, lines, fields) for each in errors if each["type"] != "too_short" or each["loc"] not in around
    }


def broken_parts(error: ValidationError) -> Mapping[str, frozenset[str]]:
    """By section (facts, actions): the names of the entries in which something is wrong."""
    broken: dict[str, set[str]] = defaultdict(set)
    for each in error.errors(include_url=False, include_input=False):
        section, *rest = each["loc"] or ("",)
        broken[str(section)] |= {str(name) for name in rest[:1]}
    return {section: frozenset(names) for section, names in broken.items()}


def _problem(each: Any, lines: Lines, fields: list[str]) -> Problem:
    path: Path = tuple(part for part in each["loc"] if part != "[key]")
    name = _named(path)
    flaw = each.get("ctx", {}).get("error")
    kind, told = each["type"], _brief(each["input"])
    if isinstance(flaw, Flaw):
        what, mend = str(flaw), flaw.mend
    elif kind == "missing":
        what, mend = f"“{name}” is missing", f"add {name}:"
    elif kind == "extra_forbidden":
        close = get_close_matches(name, fields, 1)
        what, mend = f"“{name}” is not known here", f"did you mean {close[0]}?" if close else "remove it"
    elif kind == "string_pattern_mismatch":
        what, mend = f"{name} cannot be “{told}”", _PATTERNS.get(name, _NAME)
    elif kind in ("too_short", "string_too_short"):
        what, mend = f"“{name}” is empty", "say at least one" if kind == "too_short" else "write a text"
    else:
        rule = each["msg"].removeprefix("Value error, ").replace("Input should", "it should")
        what, mend = f"{name} cannot be “{told}”", _MENDS.get(kind, rule)
    return Problem(lines.of(path), what, mend)


def _named(path: Path) -> str:
    if not path:
        return "the catalogue"
    if isinstance(path[-1], int) and len(path) > 1:
        return f"{path[-2]}, number {path[-1] + 1},"
    return str(path[-1])


def _brief(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
