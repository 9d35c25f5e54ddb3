"""Who needs a supervisor now: a number to sort the wall by, and the reason in words."""

from collections.abc import Sequence
from statistics import fmean

_WEIGHT_OF_CHURN = 0.5
_WEIGHT_OF_MOOD = 0.3
_WEIGHT_OF_DISMISSALS = 0.1
_NOBODY_HAS_IT = 0.3
_MOOD_TURNS = 3
_HIGH_CHURN = 1.2
_BAD_MOOD = -0.4
_MANY_DISMISSALS = 2


def need_of(
    churn_risk: float | None, sentiment: Sequence[float], dismissals: int, *, has_agent: bool
) -> tuple[float, str]:
    """The need in [0, 1], and why in a few words (empty where nothing stands out).

    `churn_risk` in [0, 2] or None; `sentiment` in [-1, 1], oldest first; `dismissals`: prompts the agent sent away.
    """
    mood = fmean(sentiment[-_MOOD_TURNS:]) if sentiment else 0.0
    need = (
        _WEIGHT_OF_CHURN * (churn_risk or 0.0) / 2
        + _WEIGHT_OF_MOOD * max(0.0, -mood)
        + _WEIGHT_OF_DISMISSALS * min(dismissals, 2)
        + (0.0 if has_agent else _NOBODY_HAS_IT)
    )
    why = []
    if not has_agent:
        why.append("nobody has it")
    if (churn_risk or 0.0) >= _HIGH_CHURN:
        why.append("churn risk high")
    if mood <= _BAD_MOOD:
        why.append("upset")
    if dismissals >= _MANY_DISMISSALS:
        why.append(f"{dismissals} prompts dismissed")
    return min(1.0, round(need, 3)), ", ".join(why)
