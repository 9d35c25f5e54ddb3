"""The catalogue: all actions, the facts they may use, and the contact policy. Business people edit it as YAML."""

from collections.abc import Collection, Mapping
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, TypeVar

from pydantic import Field, StringConstraints, ValidationError, model_validator

from guidance.decision.action import Action, Condition, Entry, Limit, Number, Treatment, Trigger, Weight, Whole
from guidance.decision.business_intent import Metric
from guidance.decision.catalog_defaults import with_defaults
from guidance.decision.catalog_flaws import flaws, unknown_levers
from guidance.decision.catalog_problems import broken_parts, problems_of
from guidance.decision.catalog_text import CatalogError, Lines, Problem, read_yaml
from guidance.decision.expression import Flaw
from guidance.decision.facts import JOURNEY_FACTS, FactDeclaration, FactType
from schemas.guidance import ActionKind

E = TypeVar("E", bound=Entry)


class Policy(Entry):
    """How often, and after what, customers and agents are left alone. Compliance is apart from all of it."""

    most_prompts_per_conversation: Whole = Field(default=8, ge=1)
    most_per_customer: Limit | None = None
    """How often anything is put to one customer within a window, on whatever channels; None: as often as may be."""
    supersede_margin: Number = Field(default=0.25, ge=0.0)
    """By how much of its priority a live prompt must be beaten to be taken away for a better one."""
    most_dismissals: Whole = Field(default=2, ge=1)
    """Dismissals of one action, on any channel, after which it rests."""
    dismissals_within_days: Number = Field(default=7.0, gt=0.0)
    refusal_rests_days: Number = Field(default=30.0, gt=0.0)
    """How long an action that the customer refused, on any channel, is not offered again."""
    idle_after_minutes: Number = Field(default=30.0, gt=0.0)
    """Silence after which a conversation counts as over."""
    said_similarity: Number = Field(default=0.7, gt=0.0, le=1.0)
    """From which likeness (cosine of embeddings) on an agent's turn says what a treatment says. The default is measured
    on the model that ships: tests/deploy/test_said_similarity.py."""
    said_rests_turns: Whole = Field(default=12, ge=0)
    """For how many final turns what the agent has said is not prompted. Compliance: for the whole conversation."""
    not_now_rests_minutes: Number = Field(default=3.0, ge=0.0)
    """After which an action may come back, once, that the agent put off with “not now”."""
    mood_rests_turns: Whole = Field(default=6, ge=0)
    """For how many final turns nothing is sold after the agent says that the customer is in no mood for it."""
    churn_flag_at: Number = Field(default=1.4, ge=0.0, le=2.0)
    """The churn risk of a conversation from which on the CRM is told, unless a retention offer was accepted."""
    follow_up_hours: Number = Field(default=24.0, gt=0.0)
    """When a follow-up is due, where nobody promised another time."""
    wrap_up_minutes: Number = Field(default=3.0, ge=0.0)
    """How long after the end the agent's word on what came of it is waited for, before the CRM is told."""
    control_share: Number = Field(default=0.1, ge=0.0, le=0.5)
    """The share of customers for whom chance chooses among what could be said: what guidance is measured against."""
    outcome_wait_minutes: float = Field(default=1440.0, ge=0.0, le=1440.0)
    """How long after a conversation a system of record may still say what came of its prompts, before what is known
    by then is learned from. 0 where none ever does."""


Bounds = tuple[Annotated[Number, Field(gt=0.0, le=10.0)], Annotated[Number, Field(gt=0.0, le=10.0)]]
"""The least and the most that a lever may be set to; 1 is neutral."""


class LeverBounds(Entry):
    """How far supervisors may go, at runtime."""

    any: Bounds = (0.25, 4.0)
    """Of whatever is not named below."""
    by_metric: dict[Metric, Bounds] = Field(default_factory=dict)
    by_kind: dict[ActionKind, Bounds] = Field(default_factory=dict)
    by_action: dict[str, Bounds] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _least_first(self) -> "LeverBounds":
        for least, most in (self.any, *self.by_metric.values(), *self.by_kind.values(), *self.by_action.values()):
            if least > most:
                raise Flaw(f"the least, {least:g}, is more than the most, {most:g}", "write [least, most]")
        return self


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
    levers: LeverBounds = LeverBounds()
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
                *(label for trigger in action.triggers for label in trigger.labels),
                *action.fulfilled_by,
                *action.retracted_by,
            )
        )


def parse_catalog(text: str) -> Catalog:
    """Read a catalogue's YAML text.

    Raises:
        CatalogError: with every problem found, each with its line and how to mend it.
    """
    return read_catalog(text)[0]


def read_catalog(text: str) -> tuple[Catalog, Lines]:
    """The same, and on which line each part of it stands. Raises CatalogError."""
    written, lines = read_yaml(text)
    if not isinstance(written, dict):
        raise CatalogError([Problem(1, "a catalogue is a mapping", "start with id:, name:, facts:, actions:")])
    data, places = with_defaults(written, lines)
    version = f"{written.get('id')}@{sha256(text.encode()).hexdigest()[:8]}"
    found: set[Problem] = set()
    try:
        catalog = Catalog.model_validate({**data, "version": version})
    except ValidationError as error:
        found |= problems_of(error, places, _MODELS)
        broken = broken_parts(error)
        declared = _whole(DeclaredFact, data.get("facts"), broken.get("facts", frozenset()))
        actions = _whole(Action, data.get("actions"), broken.get("actions", frozenset()))
        unsure = frozenset(map(str, broken.get("facts", ())))
    else:
        declared, actions, unsure = catalog.declared, catalog.by_id, frozenset()
    own = {name: FactDeclaration(fact.type, fact.about, fact.computed) for name, fact in declared.items()}
    found |= {Problem(places.of(path), str(flaw), flaw.mend) for path, flaw in unknown_levers(data)}
    found |= {Problem(places.of(path), str(flaw), flaw.mend) for path, flaw in flaws(own, unsure, actions)}
    if found:
        raise CatalogError(list(found))
    return catalog, places


def _whole(model: type[E], entries: Any, broken: Collection[str]) -> dict[str, E]:
    """The entries with nothing wrong in themselves: what they say of others can be checked."""
    if not isinstance(entries, dict):
        return {}
    return {name: model.model_validate(entry) for name, entry in entries.items() if name not in broken}


_MODELS: tuple[type[Entry], ...] = (
    Catalog, Policy, LeverBounds, Limit, DeclaredFact, Action, Treatment, Trigger, Weight,
)  # fmt: skip
