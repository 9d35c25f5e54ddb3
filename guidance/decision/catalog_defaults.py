"""What a catalogue says once, for all actions or for a kind, put into each action that leaves it out."""

from typing import Any

from guidance.decision.catalog_text import CatalogError, Lines, Path, Problem
from schemas.guidance import ActionKind

MOST_ACTIONS_OF_A_CATALOG = 300

_FOR_ALL = "all"


def with_defaults(written: dict[str, Any], lines: Lines) -> tuple[dict[str, Any], Lines]:
    """The catalogue with each action whole and given its id, and where everything in it stands: what an action has
    from the defaults stands there.

    Raises:
        CatalogError: `defaults` is not by kind.
    """
    defaults = _checked(written.get("defaults"), lines)
    rest = {key: value for key, value in written.items() if key != "defaults"}
    actions = written.get("actions")
    if not isinstance(actions, dict):
        return rest, lines
    if len(actions) > MOST_ACTIONS_OF_A_CATALOG:
        what = f"these are {len(actions)} actions, at most {MOST_ACTIONS_OF_A_CATALOG} are weighed on a turn"
        raise CatalogError([Problem(lines.of(("actions",)), what, "make several catalogues of it")])
    moved: dict[Path, Path] = {}
    whole: dict[str, Any] = {}
    for action_id, action in actions.items():
        if not isinstance(action, dict):
            whole[action_id] = action
            continue
        whole[action_id] = {"id": action_id}
        for source in (_FOR_ALL, str(action.get("kind"))):
            for field, value in defaults.get(source, {}).items():
                whole[action_id][field] = value
                if field not in action:
                    moved["actions", action_id, field] = ("defaults", source, field)
        whole[action_id] |= action | {"id": action_id}
    return {**rest, "actions": whole}, lines.moved(moved)


def _checked(defaults: Any, lines: Lines) -> dict[str, dict[str, Any]]:
    known = [_FOR_ALL, *ActionKind]
    mend = f"write them by {', '.join(known)}"
    if defaults is None:
        return {}
    if not isinstance(defaults, dict):
        raise CatalogError([Problem(lines.of(("defaults",)), "the defaults cannot be read", mend)])
    wrong = [kind for kind, values in defaults.items() if kind not in known or not isinstance(values, dict)]
    if wrong:
        problems = [
            Problem(lines.of(("defaults", kind)), f"defaults for “{kind}” cannot be read", mend) for kind in wrong
        ]
        raise CatalogError(problems)
    return defaults
