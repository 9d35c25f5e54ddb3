"""What the business wants just now: which metrics count how much, how hard to retain, how far to bend on debts.

Pure numbers of what is known; the catalogue's expressions use the last two as facts, arbitration the first.
"""

from collections.abc import Mapping
from typing import Literal, get_args

from schemas.customer import Fact
from schemas.guidance import ActionKind

Metric = Literal["retention", "revenue", "cost", "satisfaction", "compliance"]
METRICS: tuple[Metric, ...] = get_args(Metric)

METRIC_OF: Mapping[ActionKind, Metric] = {
    ActionKind.RETENTION: "retention",
    ActionKind.UPSELL: "revenue",
    ActionKind.CROSS_SELL: "revenue",
    ActionKind.COLLECTIONS: "revenue",
    ActionKind.SERVICE: "satisfaction",
    ActionKind.CHANNEL: "satisfaction",
    ActionKind.COACHING: "satisfaction",
    ActionKind.COMPLIANCE: "compliance",
}
"""Where an action's value belongs that does not say so itself."""

_BY_BAND: Mapping[Fact, float] = {"low": 1 / 3, "mid": 2 / 3, "high": 1.0}
_BAND_UNKNOWN = 0.5
_MOST_CHURN_RISK = 2.0
_EACH_MISSED_PAYMENT = 0.15


def worth(value_by: Mapping[Metric, float], cost: float, weights: Mapping[str, float]) -> float:
    """V: the value by metric less the cost, each times the metric's weight; a metric without a weight counts once."""
    gains = sum(weights.get(metric, 1.0) * value for metric, value in value_by.items())
    return gains - weights.get("cost", 1.0) * cost


def retention_effort(facts: Mapping[str, Fact], churn_risk: float | None) -> float | None:
    """How hard to retain, 0 not at all to 1 with all there is: the customer's value times the risk of leaving.

    Value is the fact `value_band`: low a third, mid two thirds, high 1; one half where it is not told. Risk is
    `churn_risk` over its highest, 2. None: the risk is not known.
    """
    if churn_risk is None:
        return None
    value = _BY_BAND.get(facts.get("value_band", ""), _BAND_UNKNOWN)
    return round(value * min(1.0, churn_risk / _MOST_CHURN_RISK), 4)


def collections_flexibility(facts: Mapping[str, Fact], payment_trouble: float | None) -> float | None:
    """How far to bend on a debt, 0 not at all to 1 as far as may be.

    How sure it is that the customer cannot pay now, less 0.15 for each of `missed_payments` within the year that the
    CRM tells: somebody who always paid is met further. None: no trouble with paying was heard in this conversation.
    """
    if payment_trouble is None:
        return None
    missed = facts.get("missed_payments", 0)
    count = missed if isinstance(missed, int | float) and not isinstance(missed, bool) else 0
    return round(max(0.0, payment_trouble * (1.0 - _EACH_MISSED_PAYMENT * max(0, count))), 4)
