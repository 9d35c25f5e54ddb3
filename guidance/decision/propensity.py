"""Step 4: how likely it is that it is accepted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from guidance.decision.action import Action
from guidance.decision.state import LiveConversation
from guidance.decision.trigger import Call

FADES_BY = 0.7
"""Each earlier prompt of the same action in the conversation leaves this much of its propensity."""
_LEAST, _MOST = 0.001, 0.999


@dataclass(frozen=True, slots=True)
class Propensities:
    """What has been learned, by action: replaces the catalogue's priors."""

    version: str
    means: Mapping[str, float] = field(default_factory=dict)
    """The probability of acceptance given that the need is there."""


def propensity(
    action: Action, call: Call, conversation: LiveConversation, propensities: Propensities | None = None
) -> float:
    """P, in (0, 1): the probability that the need is there, times that of acceptance if it is."""
    accepted = action.prior if propensities is None else propensities.means.get(action.id, action.prior)
    repeated = FADES_BY ** conversation.issued.get(action.id, 0)
    return min(_MOST, max(_LEAST, call.strength * accepted * repeated))
