"""Customers and what they would accept: nobody but the oracle knows it.

An offer's acceptance is logistic in what is known of customer and conversation (the features of decisions), with
weights of its own, drawn once for a world. The catalogue's priors are what a product manager might guess: about right
for the average customer, and blind to who it is.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import yaml
from numpy.typing import NDArray

from guidance.decision.catalog import Catalog, parse_catalog
from guidance.decision.features import FEATURES, prior_mean
from guidance.decision.past import Contact, Journey, Known, Refusal
from guidance.decision.state import CustomerState
from schemas.conversation import Channel, ConversationStarted, Speaker, Turn
from schemas.intent import RoutedLifecycle, ScoredTurn, Scores

T0 = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_SELDOM, _APART = -1.8, 0.6
"""Log-odds of an offer's acceptance by a customer like any other: their mean over offers, and how they differ."""
_TASTE = 1.0
"""How much customers differ: the deviation of each feature's hidden weight."""
_GUESS = 0.5
"""By how much, in log-odds, the catalogue's priors are off."""
_INTENT = "wants_more"
_TASTES = tuple(feature.name not in ("bias", "strength", "fade") for feature in FEATURES)


@dataclass(frozen=True, slots=True)
class Customer:
    """One who calls, once: as remembered, and what of the conversation comes in."""

    state: CustomerState
    started: RoutedLifecycle
    says: ScoredTurn
    at: datetime


class World:
    """Made from a seed alone: the same one has the same offers and the same customers."""

    def __init__(self, seed: int, offers: int = 12, control_share: float = 0.1) -> None:
        chance = np.random.default_rng([seed, 0])
        bias = chance.normal(_SELDOM, _APART, offers)
        self._weights = np.where(_TASTES, chance.normal(0.0, _TASTE, (offers, len(FEATURES))), 1.0)
        self._weights[:, 0] = bias
        guesses = 1.0 / (1.0 + np.exp(-(bias + chance.normal(0.0, _GUESS, offers))))
        self.offers = tuple(f"offer_{number:02d}" for number in range(1, offers + 1))
        self.catalog = _catalog(dict(zip(self.offers, guesses, strict=True)), control_share)
        self._fixed = np.array([prior_mean(self.catalog.by_id[name].prior) for name in self.offers])
        self._seed = seed

    def acceptance(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """(offers, features) → (offers,): how likely each offer is to be accepted, in the order of `offers`."""
        log_odds = np.einsum("of,of->o", features, self._weights)
        chances: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-log_odds))
        return chances

    def by_fixed_rule(self, features: NDArray[np.float64]) -> int:
        """The offer that the catalogue's priors alone choose: what is decided as long as nothing is learned."""
        return int(np.einsum("of,of->o", features, self._fixed).argmax())

    def customer(self, number: int) -> Customer:
        """The customer who comes as `number`-th, from 0."""
        chance = np.random.default_rng([self._seed, 1, number])
        at = T0 + timedelta(seconds=20 * number)
        name, conversation_id = f"customer-{self._seed}-{number}", f"talk-{self._seed}-{number}"
        channel = Channel.VOICE if chance.random() < 0.6 else Channel.CHAT
        route = {
            "route_key": name, "channel": channel, "customer_id": name, "agent_id": "ada", "team": "sales",
        }  # fmt: skip
        began = ConversationStarted(
            event_id=f"{conversation_id}-began", conversation_id=conversation_id, at=at, channel=channel,
            customer_id=name, agent_id="ada", team="sales",
        )  # fmt: skip
        turn = Turn(
            turn_id=f"{conversation_id}-1", conversation_id=conversation_id, speaker=Speaker.CUSTOMER, text="…",
            started_at=at, ended_at=at + timedelta(seconds=2),
        )  # fmt: skip
        return Customer(
            state=_remembered(chance, at, self.offers),
            started=RoutedLifecycle(event=began, **route),
            says=ScoredTurn(turn=turn, scores=_scores(chance), received_at=turn.ended_at, **route),
            at=at,
        )


def _remembered(chance: np.random.Generator, at: datetime, offers: tuple[str, ...]) -> CustomerState:
    facts = {"value_band": Known(value=("low", "mid", "high")[chance.integers(3)], at=at)}
    if chance.random() < 0.9:
        facts["tenure_months"] = Known(value=float(round(chance.lognormal(3.3, 1.0))), at=at)
    contacts = tuple(
        Contact(
            contact_id=f"earlier-{day}", channel=Channel.CHAT, at=at - timedelta(days=day), problems=("billing",),
            solved=False,
        )
        for day in range(int(chance.binomial(4, 0.25)), 0, -1)
    )  # fmt: skip
    long_ago = Refusal(at=at - timedelta(days=60), channel=Channel.CHAT)
    refused = chance.choice(len(offers), size=int(chance.binomial(4, 0.25)), replace=False)
    refusals = {offers[each]: long_ago for each in sorted(refused)}
    return CustomerState(journey=Journey(facts=facts, contacts=contacts, refusals=refusals))


def _scores(chance: np.random.Generator) -> Scores:
    mood = ("negative", "neutral", "positive")[chance.integers(3)]
    return Scores(
        model_revision="sim", intents={_INTENT: round(float(chance.uniform(0.5, 1.0)), 4)}, fired=(_INTENT,),
        sentiment={each: 0.8 if each == mood else 0.1 for each in ("negative", "neutral", "positive")},
        churn_risk=round(float(2.0 * chance.beta(1.0, 2.0)), 4), embedding="TJo=", stage="encoder",
    )  # fmt: skip


def _catalog(priors: dict[str, float], control_share: float) -> Catalog:
    """One in which every offer is called for by every customer, and all are worth the same."""
    actions = {
        name: {
            "kind": "cross_sell",
            "title": name,
            "triggers": [{"intent": _INTENT, "why": "wants more"}],
            "prior": round(float(prior), 4),
            "value": 10,
            "expires_after_s": 60,
            "treatments": [{"channels": ["voice", "chat"], "words": f"May I offer you {name}?"}],
        }
        for name, prior in priors.items()
    }
    facts = {
        "tenure_months": {"type": "number", "about": "months a customer"},
        "value_band": {"type": "text", "about": "low, mid or high"},
    }
    whole = {
        "id": "simulated",
        "name": "Simulated",
        "policy": {"control_share": control_share},
        "facts": facts,
        "actions": actions,
    }
    return parse_catalog(yaml.safe_dump(whole, sort_keys=False))
