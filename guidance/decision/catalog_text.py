"""From YAML text to plain values, remembering on which line each stands."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml

Path = tuple[str | int, ...]
MAX_CHARS = 300_000
_MAX_DEPTH = 12
_FAST: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Forty times as fast where PyYAML was built with libyaml; what either reads is the same."""
_PLAIN = frozenset(("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"))
_UNSEEN = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069]|(?<!^)\ufeff")
"""Characters that turn or hide text: what is read would not be what is there."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a catalogue."""

    line: int
    """Counted from 1."""
    what: str
    mend: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what} – {self.mend}"


class CatalogError(ValueError):
    """The catalogue cannot be used; `problems` has all that was found, in order of line."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.what)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Lines:
    """Where everything stands."""

    _by_path: dict[Path, int]

    def of(self, path: Path) -> int:
        """The line of `path`, or of the nearest thing around it."""
        while path and path not in self._by_path:
            path = path[:-1]
        return self._by_path.get(path, 1)

    def moved(self, moved: dict[Path, Path]) -> "Lines":
        """The same where what is found at a key of `moved` stands at its value, with all below it."""
        below = {
            (*to, *path[len(at) :]): line
            for to, at in moved.items()
            for path, line in self._by_path.items()
            if path[: len(at)] == at
        }
        return Lines({**self._by_path, **below})


def read_yaml(text: str) -> tuple[Any, Lines]:
    """The values of a YAML document, and the line of each.

    Raises:
        CatalogError: it is not YAML, names a key twice, or uses anchors (which can make a small text endless).
    """
    if len(text) > MAX_CHARS:
        raise CatalogError([Problem(1, f"the text has {len(text)} characters", f"at most {MAX_CHARS} are read")])
    if (unseen := _UNSEEN.search(text)) is not None:
        what = f"there is a character that cannot be seen, U+{ord(unseen[0]):04X}"
        raise CatalogError([Problem(text.count("\n", 0, unseen.start()) + 1, what, "delete it and type the line anew")])
    try:
        return _read(text, _FAST)
    except (yaml.YAMLError, UnicodeError):
        return _read_slowly(text)


def _read_slowly(text: str) -> tuple[Any, Lines]:
    """Read what the fast loader has refused: PyYAML's own says better what is wrong, and where."""
    try:
        return _read(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = f"this is not YAML: {error.problem or error.context}"
        raise CatalogError([Problem(mark.line + 1 if mark else 1, what, "check indentation and quotes")]) from None
    except yaml.YAMLError as error:
        raise CatalogError([Problem(1, f"this is not YAML: {error}", "save it as plain UTF-8 text")]) from None


def _read(text: str, loader_type: type[yaml.SafeLoader]) -> tuple[Any, Lines]:
    _refuse_what_explodes(text, loader_type)
    loader = loader_type(text)
    node = loader.get_single_node()
    if node is None:
        raise CatalogError([Problem(1, "the text is empty", "start from one of the examples")])
    by_path: dict[Path, int] = {}
    problems: list[Problem] = []
    value = _value(node, (), loader, by_path, problems)
    if problems:
        raise CatalogError(problems)
    return value, Lines(by_path)


def _refuse_what_explodes(text: str, loader_type: type[yaml.SafeLoader]) -> None:
    """Look at the stream of events before anything is built: aliases and depth are how a small text gets large."""
    depth = 0
    for event in yaml.parse(text, loader_type):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            raise CatalogError([Problem(line, "it is nested too deeply", "start from one of the examples")])
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            what = f"anchors and aliases (&{event.anchor}, *{event.anchor}) are not read"
            raise CatalogError([Problem(line, what, "put what actions share under defaults")])


def _value(
    node: yaml.Node, path: Path, loader: yaml.SafeLoader, by_path: dict[Path, int], problems: list[Problem]
) -> Any:
    by_path[path] = node.start_mark.line + 1
    if isinstance(node, yaml.CollectionNode) and node.tag not in _PLAIN:
        problems.append(_tag_problem(node))
    if isinstance(node, yaml.SequenceNode):
        return [_value(each, (*path, index), loader, by_path, problems) for index, each in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
            if key in values:
                what = f"“{key}” is there twice"
                problems.append(Problem(key_node.start_mark.line + 1, what, "remove or rename one of them"))
            values[key] = _value(value_node, (*path, key), loader, by_path, problems)
            by_path[(*path, key)] = key_node.start_mark.line + 1
        return values
    return _scalar(node, loader, problems)


def _scalar(node: yaml.Node, loader: yaml.SafeLoader, problems: list[Problem]) -> str | float | bool | None:
    line = node.start_mark.line + 1
    try:
        value: Any = loader.construct_object(node)
    except yaml.constructor.ConstructorError:
        problems.append(_tag_problem(node))
        return None
    except ValueError:
        problems.append(Problem(line, f"“{_brief(node.value)}” cannot be read as it is", "put it in quotes"))
        return None
    if isinstance(value, date) or (isinstance(value, int) and ":" in node.value):
        problems.append(Problem(line, f"“{node.value}” would be read as a date or a time", "put it in quotes"))
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    problems.append(_tag_problem(node))
    return None


def _tag_problem(node: yaml.Node) -> Problem:
    what = f"the tag {node.tag} is not read"
    return Problem(node.start_mark.line + 1, what, "write plain texts, numbers, true and false, without !")


def _brief(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
