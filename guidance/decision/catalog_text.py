"""From YAML text to plain values, remembering on which line each stands."""

from dataclasses import dataclass
from typing import Any

import yaml

Path = tuple[str | int, ...]
MAX_CHARS = 1_000_000
_MAX_DEPTH = 12


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


def read_yaml(text: str) -> tuple[Any, Lines]:
    """The values of a YAML document, and the line of each.

    Raises:
        CatalogError: it is not YAML, names a key twice, or uses anchors (which can make a small text endless).
    """
    if len(text) > MAX_CHARS:
        raise CatalogError([Problem(1, f"the catalogue has {len(text)} characters", f"at most {MAX_CHARS} are read")])
    try:
        _refuse_what_explodes(text)
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise CatalogError([Problem(1, "the catalogue is empty", "start from one of the examples")])
        by_path: dict[Path, int] = {}
        problems: list[Problem] = []
        value = _value(node, (), loader, by_path, problems)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = f"this is not YAML: {error.problem or error.context}"
        raise CatalogError([Problem(mark.line + 1 if mark else 1, what, "check indentation and quotes")]) from None
    except yaml.YAMLError as error:
        raise CatalogError([Problem(1, f"this is not YAML: {error}", "save it as plain UTF-8 text")]) from None
    if problems:
        raise CatalogError(problems)
    return value, Lines(by_path)


def _refuse_what_explodes(text: str) -> None:
    """Look at the stream of events before anything is built: aliases and depth are how a small text gets large."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
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
    return loader.construct_object(node)
