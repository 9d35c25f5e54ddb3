"""One action of a catalogue: what could be done, when, for whom, in which words, and what it is worth."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, StringConstraints, model_validator

from guidance.decision.business_intent import METRIC_OF, Metric
from guidance.decision.expression import Expression, Flaw, compile_expression
from guidance.decision.past import MOST_ISSUES
from guidance.decision.phrases import compile_phrases
from guidance.decision.wording import MAX_WORDS, Template, compile_template
from schemas.conversation import Channel
from schemas.guidance import ActionKind

MAX_WHY_WORDS = 6
MOST_OF_EACH = 30
"""Triggers, conditions of a step, treatments, reasons and weights of one action."""


def _as_tuple(labels: Any) -> Any:
    return (labels,) if isinstance(labels, str) else labels


ActionId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{2,59}$")]
Label = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,59}$")]
Condition = Annotated[Expression, BeforeValidator(compile_expression)]
Words = Annotated[Template, BeforeValidator(compile_template)]
Phrases = Annotated[re.Pattern[str], BeforeValidator(compile_phrases)]
Number = Annotated[float, Strict()]
Whole = Annotated[int, Strict()]
Flag = Annotated[bool, Strict()]
Labels = Annotated[tuple[Label, ...], BeforeValidator(_as_tuple)]


class Entry(BaseModel):
    """A part of a catalogue: strict about what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)


class Trigger(Entry):
    """One reason to think of an action. All that it names must hold."""

    why: str
    """A few words for the agent: "wants to leave"."""
    intent: Label | None = None
    at_least: Annotated[Number, Field(ge=0.0, le=1.0)] | None = None
    """The least probability of `intent`; None: the model's own threshold for that label."""
    within_turns: Whole = Field(default=1, ge=1, le=10)
    """In how many of the latest final turns the intent may have fired: 1 means this very turn."""
    phrases: Phrases | None = None
    """Words in this turn of the customer's; needs no model."""
    absent: Labels = ()
    """Labels of either speaker: none of them has been heard in this conversation so far, this turn included."""
    after_turns: Whole = Field(default=1, ge=1, le=100)
    """From which of the conversation's final turns on absence counts: 6 gives five turns to say it unprompted."""
    when: Condition | None = None
    """A condition over facts."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it listens for."""
        return self.absent if self.intent is None else (self.intent, *self.absent)

    @model_validator(mode="after")
    def _says_something(self) -> "Trigger":
        if self.intent is None and self.phrases is None and self.when is None and not self.absent:
            raise Flaw("the trigger never says when", "give it an intent, phrases, absent, or a condition under when")
        if self.after_turns > 1 and not self.absent:
            raise Flaw("after_turns needs absent", "name the label that has not been heard, or write when: turns >= 6")
        if self.at_least is not None and (self.intent is None or self.within_turns > 1):
            raise Flaw("at_least needs an intent, and within_turns 1", "leave at_least out, or name the intent")
        if len(self.why.split()) > MAX_WHY_WORDS:
            raise Flaw(f"why has more than {MAX_WHY_WORDS} words", "shorten it: the agent reads it at a glance")
        return self


class Weight(Entry):
    """What makes an action worth more or less in a context."""

    when: Condition
    times: Number = Field(gt=0.0, le=10.0)


class Limit(Entry):
    """At most so often within so long."""

    times: Whole = Field(ge=1, le=MOST_ISSUES)
    within_days: Number = Field(gt=0.0, le=366.0)


class Treatment(Entry):
    """How an action is worded."""

    channels: tuple[Channel, ...] = Field(min_length=1)
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = "en"
    words: Words
    steps: tuple[Words, ...] = Field(default=(), max_length=5)
    honours_offer: Flag = False
    """Only for an offer that was made elsewhere and is still open: its words may say so."""

    @model_validator(mode="after")
    def _is_short(self) -> "Treatment":
        count = len(self.words.text.split())
        if count > MAX_WORDS:
            raise Flaw(f"the words are {count}, at most {MAX_WORDS} are read in time", "shorten them")
        return self


class Action(Entry):
    """What could be done."""

    id: ActionId
    kind: ActionKind
    title: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    channels: tuple[Channel, ...] = Field(default=(Channel.VOICE, Channel.CHAT), min_length=1)
    triggers: tuple[Trigger, ...] = Field(min_length=1, max_length=MOST_OF_EACH)
    unless: Phrases | None = None
    """Words in the customer's turn that keep it from being called for, whatever else does."""
    eligible_if: tuple[Condition, ...] = Field(default=(), max_length=MOST_OF_EACH)
    """For this customer at all. All must hold; a fact that is not known makes one fail. So for the next two."""
    applicable_if: tuple[Condition, ...] = Field(default=(), max_length=MOST_OF_EACH)
    """In this situation."""
    suitable_if: tuple[Condition, ...] = Field(default=(), max_length=MOST_OF_EACH)
    """Fitting for this person now."""
    treatments: tuple[Treatment, ...] = Field(min_length=1, max_length=MOST_OF_EACH)
    """In order of preference: the first that fits channel and language, and whose placeholders are all known."""
    reasons: tuple[Words, ...] = Field(default=(), max_length=MOST_OF_EACH)
    """Facts in favour, a few words each, shown beside the triggers' where known: "{tenure_years} yrs a customer"."""
    prior: Number = Field(gt=0.0, lt=1.0)
    """The probability that it is accepted, as long as nothing is learned."""
    value: Number = Field(ge=0.0)
    """What its acceptance is worth, in the catalogue's currency."""
    value_by: dict[Metric, Annotated[Number, Field(ge=0.0)]] = Field(default_factory=dict)
    """How the value divides among the metrics that supervisors weigh; empty: all of it is of the kind's own."""
    cost: Number = Field(default=0.0, ge=0.0)
    lever: Number = Field(default=1.0, gt=0.0, le=10.0)
    """How much the business wants it just now; 1.0 neutral."""
    context: tuple[Weight, ...] = Field(default=(), max_length=MOST_OF_EACH)
    cooldown_minutes: Number = Field(default=0.0, ge=0.0)
    """How long after it was prompted, on any channel, it is not prompted again to the same customer."""
    most_per_conversation: Whole = Field(default=2, ge=1)
    most_per_customer: Limit | None = None
    """How often it is put to one customer within a window, on whatever channels; None: as often as may be."""
    once_only: Flag = False
    """Put to a customer once, on any channel, it never comes again."""
    expires_after_s: Whole = Field(ge=5, le=3600)
    """After the turn that called for it ended."""
    fulfilled_by: tuple[Label, ...] = ()
    """Agents' labels that say it has been said: its prompt ends, and a compliance line is not called for again."""
    retracted_by: dict[Label, str] = Field(default_factory=dict)
    """Customers' labels that make it pointless, with a few words why."""

    @property
    def steps_to_fit(self) -> tuple[tuple[str, str, tuple[Expression, ...]], ...]:
        """The three steps in their order: what each asks in a word, its field, its conditions."""
        return (
            ("eligible", "eligible_if", self.eligible_if),
            ("applicable", "applicable_if", self.applicable_if),
            ("suitable", "suitable_if", self.suitable_if),
        )

    @property
    def net_value(self) -> float:
        """Value less cost, each metric counted once."""
        return self.value - self.cost

    @property
    def value_by_metric(self) -> Mapping[Metric, float]:
        """The value, divided among the metrics."""
        return self.value_by or {METRIC_OF[self.kind]: self.value}

    @model_validator(mode="after")
    def _is_worth_something(self) -> "Action":
        if self.kind is not ActionKind.COMPLIANCE and self.net_value <= 0.0:
            raise Flaw("it costs as much as it is worth, so it would never win", "raise value or lower cost")
        total = sum(self.value_by.values())
        if "cost" in self.value_by:
            raise Flaw("value_by has cost, which is no value", "write the cost under cost")
        if self.value_by and abs(total - self.value) > 0.005:
            raise Flaw(f"value_by adds up to {total:g}, the value is {self.value:g}", "make them agree")
        return self

    @model_validator(mode="after")
    def _compliance_is_not_throttled(self) -> "Action":
        if self.kind is ActionKind.COMPLIANCE and (self.once_only or self.most_per_customer):
            raise Flaw("compliance is never held back by a limit", "leave once_only and most_per_customer out")
        return self
