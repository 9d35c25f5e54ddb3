"""Churn risk over turns and channels: signs add up like independent causes (a noisy-or), and fade.

A sign of risk r, 0 to 2, presses with −ln(1 − r/2); pressures add up, and together are a risk of 2·(1 − e^−pressure).
Two signs of 1.0 thus make 1.5, three 1.75, and no number of them more than 2. Within a conversation pressure fades by a
fifth with each further turn of the customer's, over the journey by half every `HALF_LIFE`.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from math import exp, log

from guidance.decision.past import Contact

HALF_LIFE = timedelta(days=14)
"""How long until an earlier contact presses half as much."""
NO_SIGN = 0.25
"""A turn's risk below this is the model's noise: it presses not at all."""
SAID_BY_SOURCES = {"cancel_service": 1.2, "cancellation_terms": 0.8, "competitor_mention": 0.6, "price_complaint": 0.4}
"""The risk that an intent stands for which a customer event's source attributes to it, by the model's labels."""
_MOST = 1.98
_FADES = 0.8
_SOLVED_COUNTS = 0.5


def pressed(pressure: float, turn_risk: float) -> float:
    """A conversation's pressure after a turn of the customer's that shows `turn_risk`, 0 to 2."""
    return round(_FADES * pressure + (_pressure(turn_risk) if turn_risk >= NO_SIGN else 0.0), 4)


def risk_of(pressure: float) -> float:
    """What `pressure` amounts to, 0 to 2."""
    return round(2.0 * (1.0 - exp(-pressure)), 4)


def risk_of_event(intents: Collection[str]) -> float:
    """What a customer event with those intents shows: the gravest of them."""
    return max((SAID_BY_SOURCES[intent] for intent in intents if intent in SAID_BY_SOURCES), default=0.0)


def journey_risk(live_pressure: float, contacts: Iterable[Contact], now: datetime) -> float:
    """The conversation at hand and all remembered `contacts` together, 0 none to 2. A solved one counts half."""
    pressure = live_pressure
    for contact in contacts:
        if contact.churn_risk > 0.0:
            age = max(timedelta(), now - contact.at)
            pressure += (
                _pressure(contact.churn_risk) * (_SOLVED_COUNTS if contact.solved else 1.0) * 0.5 ** (age / HALF_LIFE)
            )
    return risk_of(pressure)


def _pressure(risk: float) -> float:
    return -log(1.0 - min(risk, _MOST) / 2.0)
