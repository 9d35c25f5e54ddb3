"""Which outcomes this gateway has seen, so that a prompt reaches each state once however many desktops show it."""

from collections import OrderedDict

from schemas.guidance import PromptState
from schemas.outcomes import PromptOutcome, outcome_id_of

KEPT = 20_000
"""How many outcomes are remembered. Older ones would be published again, under the same id: harmless."""


class Reported:
    """Bounded memory of outcomes, the oldest forgotten first."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()

    def is_news(self, outcome: PromptOutcome) -> bool:
        """Whether to publish it: it was not seen before, and it is not the expiry of a prompt that some desktop got."""
        if outcome.outcome_id in self._seen:
            return False
        return not (
            outcome.state is PromptState.EXPIRED
            and outcome_id_of(outcome.prompt_id, PromptState.DELIVERED) in self._seen
        )

    def add(self, outcome: PromptOutcome) -> None:
        """It has been taken for publishing."""
        self._seen[outcome.outcome_id] = None
        if len(self._seen) > KEPT:
            self._seen.popitem(last=False)
