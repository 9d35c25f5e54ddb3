"""What has changed between two catalogues, in words, action by action."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from guidance.decision.catalog import parse_catalog
from guidance.decision.catalog_defaults import with_defaults
from guidance.decision.catalog_text import read_yaml

_MISSING = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that is not as it was."""

    part: Literal["catalogue", "policy", "fact", "action"]
    name: str
    """Of the fact or action; for the catalogue itself and its policy, what is meant."""
    change: Literal["added", "removed", "changed"]
    what: tuple[str, ...] = ()
    """A clause for each thing that has changed; for what was added or removed, its title."""


def differences(old: str, new: str) -> tuple[Difference, ...]:
    """From the text of one catalogue to that of another; comments and order are no difference, nor is what an action
    now says for itself that it had from the defaults.

    Raises:
        CatalogError: one of them has mistakes.
    """
    parse_catalog(old), parse_catalog(new)
    before, after = _plain(old), _plain(new)
    found: list[Difference] = []
    for name in ("id", "name", "currency"):
        found += _compared("catalogue", name, before.get(name, _MISSING), after.get(name, _MISSING))
    found += _compared("policy", "policy", before.get("policy") or {}, after.get("policy") or {})
    found += _entries("fact", before.get("facts") or {}, after.get("facts") or {})
    found += _entries("action", before["actions"], after["actions"])
    return tuple(found)


def _plain(text: str) -> dict[str, Any]:
    data, lines = read_yaml(text)
    return with_defaults(data, lines)[0]


def _entries(
    part: Literal["fact", "action"], before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Difference]:
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield Difference(part, name, "added", (_title(after[name]),))
        elif name not in after:
            yield Difference(part, name, "removed", (_title(before[name]),))
        else:
            yield from _compared(part, name, before[name], after[name])


def _compared(
    part: Literal["catalogue", "policy", "fact", "action"], name: str, before: Any, after: Any
) -> Iterator[Difference]:
    what = tuple(_changes("", before, after))
    if what:
        yield Difference(part, name, "changed", what)


def _changes(where: str, before: Any, after: Any) -> Iterator[str]:
    """A clause for each difference; `where` names the part: “treatments 2, words”."""
    at = f"{where}: " if where else ""
    if before == after and isinstance(before, bool) == isinstance(after, bool):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in (*before, *(key for key in after if key not in before)):
            yield from _changes(_inside(where, key), before.get(key, _MISSING), after.get(key, _MISSING))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _list_changes(where, before, after)
    elif before is _MISSING:
        yield f"{at}now {_said(after)}"
    elif after is _MISSING:
        yield f"{at}no longer {_said(before)}"
    else:
        yield f"{at}{_said(before)} → {_said(after)}"


def _list_changes(where: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[str]:
    gone = [each for each in before if each not in after]
    come = [each for each in after if each not in before]
    if len(gone) == len(come) == 1 and len(before) == len(after) and isinstance(gone[0], dict):
        place = f"{where} {before.index(gone[0]) + 1}" if len(before) > 1 else where
        yield from _changes(place, gone[0], come[0])
        return
    yield from (f"{where}: without {_said(each)}" for each in gone)
    yield from (f"{where}: with {_said(each)}" for each in come)
    if not gone and not come:
        yield f"{where}: in another order"


def _inside(where: str, key: str) -> str:
    return f"{where}, {key}" if where else key


def _title(entry: Any) -> str:
    return str(entry.get("title") or entry.get("about") or "") if isinstance(entry, dict) else ""


def _said(value: Any) -> str:
    match value:
        case bool():
            text = "true" if value else "false"
        case dict():
            text = "{" + ", ".join(f"{key}: {_said(each)}" for key, each in value.items()) + "}"
        case list():
            text = "[" + ", ".join(map(_said, value)) + "]"
        case str():
            text = f"“{value}”"
        case _:
            text = str(value)
    return text if len(text) <= 160 else f"{text[:159]}…"
