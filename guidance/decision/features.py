"""What a propensity is reckoned from: the features, in their order, and what is believed of their weights at first.

The first three put the catalogue's own estimate into log-odds, so that with the weights' prior means it comes out
exactly: σ(bias + strength + fade) = prior × strength × 0.7^issued. The others start without effect.
"""

from dataclasses import dataclass
from functools import cache
from math import log, log1p
from typing import TypeGuard

from guidance.decision.facts import Facts
from guidance.decision.posterior import Matrix, Vector
from guidance.decision.state import CustomerState, LiveConversation
from guidance.decision.trigger import Call
from schemas.conversation import Channel

FADES_BY = 0.7
"""Each earlier prompt of the same action in the conversation leaves this much of its propensity, at first."""
LEAST, MOST = 0.001, 0.999
"""Between these a propensity is kept: nobody is ever quite sure."""
FEATURES_REVISION = "features@1"
"""Change it whenever the table below changes, or what one of its numbers means: what was learned starts anew."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One number of the context, and the prior over its weight: normal, independent of the others."""

    name: str
    about: str
    mean: float
    deviation: float


FEATURES: tuple[Feature, ...] = (
    Feature("bias", "always 1; its weight's prior mean is the log-odds of the action's prior", 0.0, 0.5),
    Feature("strength", "by how much the log-odds fall as the need is not quite sure; 0 where it is", 1.0, 0.25),
    Feature("fade", "by how much they fall again for each earlier prompt of it in this conversation", 1.0, 0.25),
    Feature("written", "1 on every channel but voice", 0.0, 0.25),
    Feature("churn_risk", "0 none to 1 high; 0 where nothing is known", 0.0, 0.25),
    Feature("churn_unknown", "1 where nothing is known of the churn risk", 0.0, 0.25),
    Feature("negative", "1 where the customer's last scored turn was negative", 0.0, 0.25),
    Feature("positive", "1 where it was positive", 0.0, 0.25),
    Feature("tenure", "log(1 + years a customer) / 3, at most 1; 0 where it is not known", 0.0, 0.25),
    Feature("tenure_unknown", "1 where it is not known, or the catalogue declares no tenure_months", 0.0, 0.25),
    Feature("contacts", "recent unsolved contacts, by 4, at most 1", 0.0, 0.25),
    Feature("value", "-1 low, 0 mid or not known, 1 high, by the fact value_band", 0.0, 0.25),
    Feature("refused", "other actions that this customer has refused, by 4, at most 1", 0.0, 0.25),
)

_DIGITS = 4
_VALUE = {"low": -1.0, "high": 1.0}


@dataclass(frozen=True, slots=True)
class Context:
    """The features that are the same for all actions of one decision, reckoned once."""

    written: float
    churn: tuple[float, float]
    mood: tuple[float, float]
    tenure: tuple[float, float]
    contacts: float
    value: float
    refusals: frozenset[str]


def context_of(state: CustomerState, conversation: LiveConversation, facts: Facts) -> Context:
    """What all candidates of a decision have in common."""
    risk, months, contacts = conversation.churn_risk, facts.get("tenure_months"), facts.get("recent_contacts")
    return Context(
        written=0.0 if conversation.channel is Channel.VOICE else 1.0,
        churn=(0.0, 1.0) if risk is None else (round(risk / 2.0, _DIGITS), 0.0),
        mood=(float(conversation.sentiment == "negative"), float(conversation.sentiment == "positive")),
        tenure=(_tenure(months), 0.0) if _is_number(months) else (0.0, 1.0),
        contacts=min(1.0, contacts / 4.0) if _is_number(contacts) else 0.0,
        value=_VALUE.get(str(facts.get("value_band")), 0.0),
        refusals=frozenset(state.journey.refusals),
    )


def features_of(prior: float, action_id: str, call: Call, issued: int, context: Context) -> Vector:
    """The numbers of `FEATURES`, in their order; all within [-10, 10].

    `prior` is the action's, `issued` how often it was prompted in this conversation already.
    """
    at_first = log_odds(prior)
    needed = log_odds(prior * call.strength)
    return (
        1.0,
        needed - at_first,
        log_odds(prior * call.strength * FADES_BY**issued) - needed if issued else 0.0,
        context.written,
        *context.churn,
        *context.mood,
        *context.tenure,
        context.contacts,
        context.value,
        min(1.0, len(context.refusals - {action_id}) / 4.0),
    )


def as_logged(features: Vector) -> Vector:
    """`features` as decisions and lessons carry them: the two that are not round numbers yet, rounded."""
    return (features[0], round(features[1], _DIGITS), round(features[2], _DIGITS), *features[3:])


def _tenure(months: float) -> float:
    return round(min(1.0, log1p(max(0.0, months) / 12.0) / 3.0), _DIGITS)


def log_odds(probability: float) -> float:
    """log(p / (1 − p)), of `probability` kept within `LEAST` and `MOST`."""
    kept = min(MOST, max(LEAST, probability))
    return log(kept / (1.0 - kept))


@cache
def prior_mean(prior: float) -> Vector:
    """What is believed of the weights of an action with this prior of which nothing is learned."""
    return (log_odds(prior), *(feature.mean for feature in FEATURES[1:]))


@cache
def prior_covariance() -> Matrix:
    """How surely: each weight by itself."""
    size = range(len(FEATURES))
    return tuple(tuple(FEATURES[i].deviation ** 2 if i == j else 0.0 for j in size) for i in size)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
