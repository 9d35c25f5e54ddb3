"""What is known when an action is weighed: facts of the customer, of the journey so far, and those computed of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from guidance.decision import labels
from guidance.decision.business_intent import collections_flexibility, retention_effort
from guidance.decision.expression import Expression
from guidance.decision.journey_facts import journey_facts
from guidance.decision.state import CustomerState, LiveConversation
from schemas.customer import Fact

FactType = Literal["number", "money", "text", "flag", "list"]


@dataclass(frozen=True, slots=True)
class FactDeclaration:
    """One fact that a catalogue's expressions and words may use."""

    type: FactType
    about: str
    computed: Expression | None = None
    """How it comes from other facts; None: it is told by customer events, or by the journey."""


JOURNEY_FACTS: Mapping[str, FactDeclaration] = {
    "channel": FactDeclaration("text", "the conversation's channel: voice, chat …"),
    "turns": FactDeclaration("number", "final turns so far in the conversation, this one included"),
    "anonymous": FactDeclaration("flag", "whether nobody knows yet who the customer is"),
    "churn_risk": FactDeclaration("number", "0 none to 2 high, over this conversation; unknown without a model"),
    "sentiment": FactDeclaration("text", "of the customer's last turn: negative, neutral, positive"),
    "vulnerable": FactDeclaration("flag", "told by the CRM, or heard in a conversation lately"),
    "retention_effort": FactDeclaration("number", "0 to 1, how hard to retain: value_band times churn_risk"),
    "collections_flexibility": FactDeclaration("number", "0 to 1, how far to bend on a debt, once heard of"),
    "recent_contacts": FactDeclaration("number", "earlier contacts within 14 days that solved nothing, any channel"),
    "repeat_contact": FactDeclaration(
        "flag", "whether an earlier unsolved contact was about a problem heard in this conversation, or it is said so"
    ),
    "tried_channels": FactDeclaration(
        "list", "channels of the earlier unsolved contacts, the latest first; may be empty"
    ),
    "failed_self_service": FactDeclaration(
        "flag", "whether one of the earlier unsolved contacts was on the web, self-service or IVR"
    ),
    "journey_churn_risk": FactDeclaration(
        "number", "0 none to 2 high, all turns and channels together, fading by half in 14 days; see churn.py"
    ),
    "open_offers": FactDeclaration("list", "actions offered elsewhere that still stand: by mail, web …; may be empty"),
    "refused_offers": FactDeclaration("list", "actions that the customer refused within 90 days; may be empty"),
    "best_channel": FactDeclaration(
        "text", "where this customer's contacts were solved most, for the problem at hand if any; unknown if none was"
    ),
}
"""Facts that every catalogue has without declaring them. Value, tenure, products and consents are the CRM's to tell:
a catalogue declares those of them that it uses, and customer events make them true."""

_SAMPLES: Mapping[FactType, Fact] = {"number": 1, "money": 1, "text": "text", "flag": True, "list": ("text",)}


def is_of_type(value: Fact, of: FactType) -> bool:
    """Whether `value` is what a fact of that type may be."""
    match of:
        case "number" | "money":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "text":
            return isinstance(value, str)
        case "flag":
            return isinstance(value, bool)
        case "list":
            return isinstance(value, tuple | list)


def samples(declarations: Mapping[str, FactDeclaration], names: Iterable[str]) -> dict[str, Fact]:
    """A value of the declared type for each name: enough to try an expression out."""
    return {name: _SAMPLES[declarations[name].type] for name in names}


class Facts(Mapping[str, Fact]):
    """The facts of one moment. A fact that is missing, or not of its declared type, is not in the mapping."""

    def __init__(self, declarations: Mapping[str, FactDeclaration], told: Mapping[str, Fact]) -> None:
        self._declarations = declarations
        self._told = told
        self._known: dict[str, Fact | None] = {}
        self._held: dict[str, bool] = {}

    def _find(self, name: str) -> Fact | None:
        if name not in self._known:
            self._known[name] = self._look_up(name)
        return self._known[name]

    def _look_up(self, name: str) -> Fact | None:
        declaration = self._declarations.get(name)
        if declaration is None:
            return None
        if declaration.computed is None:
            value = self._told.get(name)
        else:
            value = None if self.missing(declaration.computed.facts) else declaration.computed.evaluate(self)
        return value if value is not None and is_of_type(value, declaration.type) else None

    def __getitem__(self, name: str) -> Fact:
        value = self._find(name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._declarations if self._find(name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def missing(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of `names` that are not known; for a computed one, what it lacks."""
        lacking: dict[str, None] = {}
        for name in names:
            if self._find(name) is None:
                declaration = self._declarations.get(name)
                computed = None if declaration is None else declaration.computed
                lacking |= dict.fromkeys((self.missing(computed.facts) if computed else ()) or (name,))
        return tuple(lacking)

    def holds(self, condition: Expression) -> bool:
        """Whether all that `condition` needs is known and it is true."""
        held = self._held.get(condition.text)
        if held is None:
            held = not self.missing(condition.facts) and condition.holds(self)
            self._held[condition.text] = held  # catalogues ask the same of many actions
        return held

    def type_of(self, name: str) -> FactType:
        """The declared type. Raises KeyError for a fact nobody declared."""
        return self._declarations[name].type


def facts_of(
    declarations: Mapping[str, FactDeclaration],
    customer: CustomerState,
    conversation: LiveConversation,
    now: datetime,
) -> Facts:
    """All that is known of `customer` in `conversation` at `now`."""
    told: dict[str, Fact] = {name: known.value for name, known in customer.journey.facts.items()}
    told.pop("best_channel", None)
    told |= journey_facts(customer, conversation, now)
    told["channel"] = conversation.channel.value
    told["turns"] = conversation.turns
    told["anonymous"] = conversation.customer_id is None
    trouble = conversation.heard.get(labels.PAYMENT_TROUBLE)
    for name, value in (
        ("churn_risk", conversation.churn_risk),
        ("sentiment", conversation.sentiment),
        ("retention_effort", retention_effort(told, conversation.churn_risk)),
        ("collections_flexibility", collections_flexibility(told, None if trouble is None else trouble.probability)),
    ):
        if value is None:
            told.pop(name, None)
        else:
            told[name] = value
    return Facts(declarations, told)
