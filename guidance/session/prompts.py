"""The prompts that a desk has been given, and what its agent did with them."""

from collections import OrderedDict
from datetime import datetime

from schemas.agent_frames import OutcomeReport
from schemas.desk_session import RefusalCode
from schemas.guidance import Prompt, PromptState
from schemas.outcomes import PromptOutcome, outcome_id_of

KEPT = 500
"""How many prompts a desk's latest ones are: outcomes of older ones are refused as unknown."""

_DECIDED = (PromptState.ACCEPTED, PromptState.DISMISSED)


class Refusal(Exception):
    """An outcome that cannot be taken; the message is for people."""

    def __init__(self, code: RefusalCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class DeskPrompts:
    """Remembers at most `KEPT` prompts, the oldest forgotten first."""

    def __init__(self) -> None:
        self._prompts: OrderedDict[str, Prompt] = OrderedDict()
        self._outcomes: dict[str, dict[PromptState, PromptOutcome]] = {}

    def add(self, prompt: Prompt) -> None:
        """The desk has this prompt, or had it in an earlier session."""
        self._prompts.setdefault(prompt.prompt_id, prompt)
        if len(self._prompts) > KEPT:
            forgotten, _ = self._prompts.popitem(last=False)
            self._outcomes.pop(forgotten, None)

    def __contains__(self, prompt_id: str) -> bool:
        return prompt_id in self._prompts

    def outcome(self, report: OutcomeReport, now: datetime) -> PromptOutcome:
        """The outcome that a desk reports; reporting it again gives the very same one.

        Raises `Refusal`: the desk was never given the prompt, or the agent had decided otherwise.
        """
        prompt = self._prompts.get(report.prompt_id)
        if prompt is None:
            raise Refusal(
                "unknown_prompt",
                "This desk was not given that prompt, or so long ago that it is forgotten; nothing was recorded. "
                "Reload the page to see what is live.",
            )
        reported = self._outcomes.setdefault(prompt.prompt_id, {})
        if report.state in reported:
            return reported[report.state]
        if report.state in _DECIDED and (other := next((each for each in _DECIDED if each in reported), None)):
            raise Refusal(
                "settled", f"The prompt was {other.value} before; that stands. Nothing needs to be done about it."
            )
        outcome = outcome_of(prompt, report.state, now)
        if report.state is PromptState.DISMISSED:
            outcome = outcome.model_copy(update={"reason": report.reason, "note": report.note})
        reported[report.state] = outcome
        return outcome


def outcome_of(prompt: Prompt, state: PromptState, now: datetime) -> PromptOutcome:
    """ "This prompt reached this state now". `state` must be one that outcomes have."""
    return PromptOutcome.model_validate(
        {
            "outcome_id": outcome_id_of(prompt.prompt_id, state),
            "prompt_id": prompt.prompt_id,
            "decision_id": prompt.decision_id,
            "conversation_id": prompt.conversation_id,
            "route_key": prompt.route_key,
            "agent_id": prompt.agent_id,
            "action_id": prompt.action_id,
            "state": state,
            "at": now,
        }
    )
