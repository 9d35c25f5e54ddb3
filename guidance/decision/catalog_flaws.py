"""What is wrong with a catalogue only when its parts are seen together: names that nobody declares, types that do not
fit, words that are missing."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from guidance.decision.action import Action
from guidance.decision.catalog_text import Path
from guidance.decision.expression import Expression, Flaw, compile_expression
from guidance.decision.facts import JOURNEY_FACTS, FactDeclaration, FactType, samples
from guidance.decision.wording import Template

_MAY_BE_DECLARED = frozenset(("vulnerable",))
"""Facts of every journey that a catalogue may declare for itself too: the CRM tells this one."""


def flaws(
    declared: Mapping[str, FactDeclaration], unsure: Collection[str], actions: Mapping[str, Action]
) -> Iterator[tuple[Path, Flaw]]:
    """All flaws of facts and actions that are whole in themselves, and where each is.

    `unsure` are facts whose own declaration is broken: they exist, and nothing is known of their type.
    """
    plain = {**JOURNEY_FACTS, **{name: fact for name, fact in declared.items() if fact.computed is None}}
    known = {**JOURNEY_FACTS, **declared}
    for name, fact in declared.items():
        path: Path = ("facts", name)
        if (flaw := _name_flaw(name)) is not None:
            yield path, flaw
        if fact.computed is not None:
            yield from _expression_flaws((*path, "is"), fact.computed, plain, unsure, condition=False)
    for action_id, action in actions.items():
        path = ("actions", action_id)
        for where, condition in _conditions(action):
            yield from _expression_flaws((*path, *where), condition, known, unsure, condition=True)
        for where, template in _templates(action):
            for name in template.facts:
                if name not in known and name not in unsure:
                    yield (*path, *where), _undeclared(name, known)


def unknown_levers(written: Mapping[str, Any]) -> Iterator[tuple[Path, Flaw]]:
    """Bounds of levers, as they are written, for actions that the catalogue does not have."""
    levers, actions = written.get("levers"), written.get("actions")
    bounds = levers.get("by_action") if isinstance(levers, dict) else None
    if not isinstance(bounds, dict) or not isinstance(actions, dict):
        return
    for name in bounds.keys() - actions.keys():
        close = get_close_matches(str(name), list(actions), 1)
        mend = f"did you mean {close[0]}?" if close else "remove it"
        yield ("levers", "by_action", name), Flaw(f"no action is called “{name}”", mend)


def _name_flaw(name: str) -> Flaw | None:
    if name in JOURNEY_FACTS and name not in _MAY_BE_DECLARED:
        return Flaw(f"“{name}” is known of every journey already", "remove the declaration, or rename it")
    try:
        if compile_expression(name).evaluate({name: 1}) == 1:
            return None
    except (Flaw, KeyError):
        pass
    return Flaw(f"no expression could use a fact called “{name}”", "small letters, digits and _: tenure_months")


def _conditions(action: Action) -> Iterator[tuple[Path, Expression]]:
    for index, trigger in enumerate(action.triggers):
        if trigger.when is not None:
            yield ("triggers", index, "when"), trigger.when
    for _, field, conditions in action.steps_to_fit:
        yield from (((field, index), condition) for index, condition in enumerate(conditions))
    yield from ((("context", index, "when"), weight.when) for index, weight in enumerate(action.context))


def _templates(action: Action) -> Iterator[tuple[Path, Template]]:
    for index, treatment in enumerate(action.treatments):
        yield ("treatments", index, "words"), treatment.words
        yield from ((("treatments", index, "steps", step), each) for step, each in enumerate(treatment.steps))
    yield from ((("reasons", index), reason) for index, reason in enumerate(action.reasons))


def _expression_flaws(
    path: Path,
    expression: Expression,
    known: Mapping[str, FactDeclaration],
    unsure: Collection[str],
    *,
    condition: bool,
) -> Iterator[tuple[Path, Flaw]]:
    undeclared = [name for name in expression.facts if name not in known]
    yield from ((path, _undeclared(name, known)) for name in undeclared if name not in unsure)
    if undeclared:
        return
    if condition and not expression.facts:
        yield path, Flaw(f"“{expression.text}” says the same of everybody", "name a fact")
        return
    for name, constant in expression.compared:
        if (flaw := _comparison_flaw(name, known[name].type, constant)) is not None:
            yield path, flaw
            return
    value = expression.evaluate(samples(known, expression.facts))
    if value is None and not _may_be_null(expression):
        types = ", ".join(f"{name} is a {known[name].type}" for name in expression.facts)
        yield path, Flaw(f"“{expression.text}” does not fit its facts: {types}", "compare like with like")
    elif condition and not isinstance(value, bool):
        yield path, Flaw(f"“{expression.text}” is neither true nor false", "compare it with something")


def _comparison_flaw(name: str, of: FactType, constant: str) -> Flaw | None:
    """zen-engine calls a number and a text simply different: such a condition would never say so."""
    match of, constant:
        case ("number" | "money", "number") | ("text", "text"):
            return None
        case ("list", _):
            return Flaw(f"“{name}” is a list, never equal to one {constant}", f'write contains({name}, "…")')
        case ("flag", _):
            return Flaw(f"“{name}” is true or false, never a {constant}", f"write {name}, or not {name}")
    return Flaw(f"“{name}” is a {of}, never equal to a {constant}", "compare like with like")


def _may_be_null(expression: Expression) -> bool:
    """Whether it says itself when its value is not known."""
    return "null" in expression.text.replace("(", " ").replace(")", " ").split()


def _undeclared(name: str, known: Iterable[str]) -> Flaw:
    close = get_close_matches(name, list(known), 1)
    return Flaw(f"no fact is called “{name}”", f"did you mean {close[0]}?" if close else "declare it under facts:")
