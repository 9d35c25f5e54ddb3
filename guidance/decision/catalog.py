"""The catalogue: all actions, the facts they may use, and the contact policy. Business people edit it as YAML."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError

from guidance.decision.action import Action, Condition, Entry, Treatment, Trigger, Weight
from guidance.decision.catalog_text import CatalogError, Lines, Path, Problem, read_yaml
from guidance.decision.expression import Expression, Flaw
from guidance.decision.facts import JOURNEY_FACTS, FactDeclaration, FactType, samples
from guidance.decision.wording import Template
from schemas.guidance import ActionKind


class Policy(Entry):
    """How often, and after what, customers and agents are left alone. Compliance is apart from all of it."""

    most_prompts_per_conversation: int = Field(default=8, ge=1)
    supersede_margin: float = Field(default=0.25, ge=0.0)
    """By how much of its priority a live prompt must be beaten to be taken away for a better one."""
    most_dismissals: int = Field(default=2, ge=1)
    """Dismissals of one action, on any channel, after which it rests."""
    dismissals_within_days: float = Field(default=7.0, gt=0.0)
    refusal_rests_days: float = Field(default=30.0, gt=0.0)
    """How long an action that the customer refused, on any channel, is not offered again."""
    idle_after_minutes: float = Field(default=30.0, gt=0.0)
    """Silence after which a conversation counts as over."""
    control_share: float = Field(default=0.1, ge=0.0, le=0.5)
    """The share of customers for whom chance chooses among what could be said: what guidance is measured against."""
    outcome_wait_minutes: float = Field(default=1440.0, ge=0.0, le=1440.0)
    """How long after a conversation a system of record may still say what came of its prompts, before what is known
    by then is learned from. 0 where none ever does."""


class DeclaredFact(Entry):
    """A fact as the catalogue declares it."""

    type: FactType
    about: str
    computed: Condition | None = Field(default=None, alias="is")


class Catalog(Entry):
    """A catalogue that has been checked whole. Make one with `parse_catalog`."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{1,39}$")]
    name: str
    currency: str = Field(default="$", max_length=4)
    policy: Policy = Policy()
    declared: dict[str, DeclaredFact] = Field(default_factory=dict, alias="facts")
    by_id: dict[str, Action] = Field(alias="actions", min_length=1)
    version: str
    """id@revision, where the revision comes from the text: the same text is the same version everywhere."""

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """All actions by id."""
        return tuple(self.by_id[action_id] for action_id in sorted(self.by_id))

    @cached_property
    def facts(self) -> Mapping[str, FactDeclaration]:
        """All facts that expressions and words may use: the declared ones and the journey's."""
        own = {name: FactDeclaration(fact.type, fact.about, fact.computed) for name, fact in self.declared.items()}
        return {**JOURNEY_FACTS, **own}

    @cached_property
    def labels(self) -> frozenset[str]:
        """All intent labels it mentions, to be compared with the model's."""
        return frozenset(
            label
            for action in self.actions
            for label in (
                *(trigger.intent for trigger in action.triggers if trigger.intent),
                *action.fulfilled_by,
                *action.retracted_by,
            )
        )


def parse_catalog(text: str) -> Catalog:
    """Read a catalogue's YAML text.

    Raises:
        CatalogError: with every problem found, each with its line and how to mend it.
    """
    data, lines = read_yaml(text)
    if not isinstance(data, dict):
        raise CatalogError([Problem(1, "a catalogue is a mapping", "start with id:, name:, facts:, actions:")])
    _check_defaults(data.get("defaults"), lines)
    try:
        catalog = Catalog.model_validate(
            {**_with_defaults(data), "version": f"{data.get('id')}@{sha256(text.encode()).hexdigest()[:8]}"}
        )
    except ValidationError as error:
        raise CatalogError(_problems(error, lines)) from None
    problems = [Problem(lines.of(path), flaw.args[0], flaw.mend) for path, flaw in _flaws(catalog)]
    if problems:
        raise CatalogError(problems)
    return catalog


def _check_defaults(defaults: Any, lines: Lines) -> None:
    known = ["all", *ActionKind]
    if defaults is None:
        return
    if not isinstance(defaults, dict):
        raise CatalogError([Problem(lines.of(("defaults",)), "defaults is a mapping", f"by {', '.join(known)}")])
    for kind, values in defaults.items():
        if kind not in known or not isinstance(values, dict):
            what = f"defaults for “{kind}” cannot be read"
            raise CatalogError([Problem(lines.of(("defaults", kind)), what, f"write them by {', '.join(known)}")])


def _with_defaults(data: dict[str, Any]) -> dict[str, Any]:
    """The catalogue with each action given its id and what `defaults` says for all actions and for its kind."""
    rest = {key: value for key, value in data.items() if key != "defaults"}
    defaults, actions = data.get("defaults") or {}, data.get("actions")
    if isinstance(actions, dict):
        rest["actions"] = {
            action_id: _with(defaults, action, action_id) if isinstance(action, dict) else action
            for action_id, action in actions.items()
        }
    return rest


def _with(defaults: dict[str, dict[str, Any]], action: dict[str, Any], action_id: str) -> dict[str, Any]:
    return {**defaults.get("all", {}), **defaults.get(str(action.get("kind")), {}), **action, "id": action_id}


def _problems(error: ValidationError, lines: Lines) -> list[Problem]:
    problems = []
    for each in error.errors(include_url=False):
        path: Path = tuple(each["loc"])
        name = str(path[-1]) if path else "the catalogue"
        flaw = each.get("ctx", {}).get("error")
        if isinstance(flaw, Flaw):
            what, mend = str(flaw), flaw.mend
        elif each["type"] == "missing":
            what, mend = f"“{name}” is missing", f"add {name}:"
        elif each["type"] == "extra_forbidden":
            close = get_close_matches(name, _FIELD_NAMES, 1)
            what, mend = f"“{name}” is not known here", f"did you mean {close[0]}?" if close else "remove it"
        else:
            what, mend = f"{name}: {each['msg']}", f"“{each['input']}” will not do"[:120]
        problems.append(Problem(lines.of(path), what, mend))
    return problems


def _flaws(catalog: Catalog) -> Iterator[tuple[Path, Flaw]]:
    """What only shows when the parts are seen together: facts that nobody declares, types that do not fit."""
    plain = {name: fact for name, fact in catalog.facts.items() if fact.computed is None}
    for name, declared in catalog.declared.items():
        path: Path = ("facts", name)
        if name in JOURNEY_FACTS and name != "vulnerable":
            yield path, Flaw(f"“{name}” is known of every journey already", "remove the declaration, or rename it")
        if declared.computed is not None:
            yield from _expression_flaws((*path, "is"), declared.computed, plain, condition=False)
    for action in catalog.actions:
        path = ("actions", action.id)
        for where, condition in _conditions(action):
            yield from _expression_flaws((*path, *where), condition, catalog.facts, condition=True)
        for where, template in _templates(action):
            for name in template.facts:
                if name not in catalog.facts:
                    yield (*path, *where), _undeclared(name, catalog.facts)


def _conditions(action: Action) -> Iterator[tuple[Path, Expression]]:
    for index, trigger in enumerate(action.triggers):
        if trigger.when is not None:
            yield ("triggers", index, "when"), trigger.when
    yield from ((("eligible_if", index), condition) for index, condition in enumerate(action.eligible_if))
    yield from ((("context", index, "when"), weight.when) for index, weight in enumerate(action.context))


def _templates(action: Action) -> Iterator[tuple[Path, Template]]:
    for index, treatment in enumerate(action.treatments):
        yield ("treatments", index, "words"), treatment.words
        yield from ((("treatments", index, "steps", step), each) for step, each in enumerate(treatment.steps))
    yield from ((("reasons", index), reason) for index, reason in enumerate(action.reasons))


def _expression_flaws(
    path: Path, expression: Expression, known: Mapping[str, FactDeclaration], *, condition: bool
) -> Iterator[tuple[Path, Flaw]]:
    undeclared = [name for name in expression.facts if name not in known]
    yield from ((path, _undeclared(name, known)) for name in undeclared)
    if undeclared:
        return
    value = expression.evaluate(samples(known, expression.facts))
    if value is None:
        types = ", ".join(f"{name} is a {known[name].type}" for name in expression.facts)
        yield path, Flaw(f"“{expression.text}” does not fit its facts: {types}", "compare like with like")
    elif condition and not isinstance(value, bool):
        yield path, Flaw(f"“{expression.text}” is neither true nor false", "compare it with something")


def _undeclared(name: str, known: Iterable[str]) -> Flaw:
    close = get_close_matches(name, list(known), 1)
    return Flaw(f"no fact is called “{name}”", f"did you mean {close[0]}?" if close else "declare it under facts:")


_MODELS: tuple[type[Entry], ...] = (Catalog, Policy, DeclaredFact, Action, Treatment, Trigger, Weight)
_FIELD_NAMES = sorted({field.alias or name for model in _MODELS for name, field in model.model_fields.items()})
