"""What a desk was asked about conversations that are over, and what its agent answered."""

from collections import OrderedDict
from datetime import datetime

from guidance.session.prompts import Refusal
from schemas.agent_frames import WrapUpReport
from schemas.desk import OutcomeAsked
from schemas.outcomes import BusinessOutcome, WrapUp, customer_outcome_id_of, wrap_up_id_of

KEPT = 50
"""How many questions a desk's latest ones are: answers to older ones are refused as unknown."""

Answer = tuple[BusinessOutcome | WrapUp, ...]
"""What is to be published of an answer, in this order: the wrap-up last, as it says that nothing more follows."""


class DeskAsks:
    """Remembers at most `KEPT` questions, the oldest forgotten first."""

    def __init__(self) -> None:
        self._asked: OrderedDict[str, OutcomeAsked] = OrderedDict()
        self._answers: dict[str, Answer] = {}

    def add(self, asked: OutcomeAsked) -> None:
        """The desk has this question, or had it in an earlier session."""
        self._asked.setdefault(asked.record_id, asked)
        if len(self._asked) > KEPT:
            forgotten, _ = self._asked.popitem(last=False)
            self._answers.pop(forgotten, None)

    def answer(self, report: WrapUpReport, now: datetime) -> Answer:
        """What the agent says came of it; said again, whatever they say, it is the very same.

        Raises `Refusal`: the desk was never asked that.
        """
        asked = self._asked.get(report.ask_id)
        if asked is None:
            raise Refusal(
                "unknown_question",
                "This desk was not asked that, or so long ago that it is forgotten; nothing was recorded. "
                "Nothing needs to be done about it.",
            )
        return self._answers.setdefault(asked.record_id, _answer(asked, report, now))


def _answer(asked: OutcomeAsked, report: WrapUpReport, now: datetime) -> Answer:
    results = {each.prompt_id: each.result for each in report.offers}
    told = tuple(
        BusinessOutcome.model_validate(
            {
                "outcome_id": customer_outcome_id_of(offer.prompt_id),
                "decision_id": offer.decision_id,
                "conversation_id": asked.conversation_id,
                "route_key": asked.route_key,
                "action_id": offer.action_id,
                "result": results[offer.prompt_id],
                "at": now,
            }
        )
        for offer in asked.offers
        if results.get(offer.prompt_id, "open") != "open"
    )
    wrap_up = WrapUp(
        outcome_id=wrap_up_id_of(asked.record_id),
        conversation_id=asked.conversation_id,
        route_key=asked.route_key,
        agent_id=asked.agent_id,
        disposition=report.disposition,
        at=now,
    )
    return (*told, wrap_up)
