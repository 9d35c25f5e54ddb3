"""One customer's conversation with the small catalogue, told turn by turn, and all that comes of it."""

from typing import Any

from builders import at, customer_event, outcome, routed, scored, scores, started, turn
from guidance.decision.advance import Advance, advance
from guidance.decision.catalog import parse_catalog
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState, LiveConversation
from schemas.conversation import Speaker
from schemas.guidance import Prompt, PromptState, Tick
from schemas.outcomes import DismissReason, outcome_id_of
from small_catalog import changed_text, small

FACTS = {"tenure_months": 74, "monthly_bill": 48.0, "products": ("fibre", "tv")}


class Conversation:
    """Dana talks to Ada. Every method moves the clock to `seconds` and gives what came of it."""

    def __init__(self, rules: Rules | None = None, facts: Any = FACTS, **route: Any) -> None:
        self.rules = rules or Rules(small())
        self.route = route
        self.state = CustomerState()
        if facts:
            self.tell(customer_event(facts=facts), 0)
        self.tell(routed(started(), **route), 0)

    def tell(self, event: Any, seconds: float) -> Advance:
        result = advance(self.state, event, self.rules, partition=3, now=at(seconds))
        self.state = CustomerState.read(result.state.write())  # as a table gives it back
        assert self.state == result.state
        return result

    def hears(self, seconds: float, *fired: str, speaker: Speaker = Speaker.CUSTOMER, **fields: Any) -> Advance:
        """A final turn in which those labels fired; `text` and the scores' fields may be given."""
        text = fields.pop("text", "…")
        scored_as = {key: fields.pop(key) for key in ("churn_risk", "embedding", "model_revision") if key in fields}
        route = {**self.route, **fields}
        conversation_id = route.pop("conversation_id", "c1")
        of = turn(
            text, f"{conversation_id}-t{seconds}", conversation_id=conversation_id, speaker=speaker,
            started_at=at(seconds - 2), ended_at=at(seconds),
        )  # fmt: skip
        return self.tell(scored(of, **{"scores": scores(*fired, **scored_as), **route}), seconds)

    def says(self, seconds: float, *fired: str, **fields: Any) -> Advance:
        """The same of the agent."""
        return self.hears(seconds, *fired, speaker=Speaker.AGENT, **fields)

    def answers(
        self, seconds: float, state: PromptState, prompt: Prompt | None = None, reason: DismissReason | None = None
    ) -> Advance:
        """What the agent does with a prompt: the live one, if none is named."""
        prompt = prompt or self.live
        assert prompt is not None
        told = outcome(
            state, outcome_id=outcome_id_of(prompt.prompt_id, state), prompt_id=prompt.prompt_id, reason=reason,
            decision_id=prompt.decision_id, action_id=prompt.action_id, at=at(seconds),
        )  # fmt: skip
        return self.tell(told, seconds)

    def tick(self, seconds: float) -> Advance:
        return self.tell(Tick(at=at(seconds)), seconds)

    @property
    def now(self) -> LiveConversation:
        return self.state.live["c1"]

    @property
    def live(self) -> Prompt | None:
        return None if self.now.live is None else self.now.live.prompt


def endings(advanced: Advance) -> list[tuple[str, str, str]]:
    """(action, state, reason) of each prompt that ended."""
    return [(prompt.action_id, ending.state.value, ending.reason) for prompt, ending in advanced.endings]


def reason(advanced: Advance, action_id: str) -> str:
    """Why the decision made of an action what it did."""
    assert advanced.decision is not None
    return next(each.reason for each in advanced.decision.candidates if each.action_id == action_id)


def richer(**policy: float) -> Rules:
    """The small catalogue with an upsell and two service actions, and the policy changed."""
    return Rules(parse_catalog(richer_text(**policy)))


def richer_text(**policy: float) -> str:
    """Its text."""
    actions = """actions:
  faster:
    kind: upsell
    title: Faster line
    triggers: [{intent: upgrade_interest, why: wants more}]
    eligible_if: ['contains(products, "fibre")']
    prior: 0.5
    value: 100
    expires_after_s: 60
    treatments: [{channels: [voice, chat], words: I can make it faster.}]
  credit:
    kind: service
    title: Credit
    triggers: [{intent: technical_problem, why: it is broken}]
    prior: 0.5
    value: 100
    expires_after_s: 60
    treatments: [{channels: [voice, chat], words: I will credit a week.}]
  engineer:
    kind: service
    title: Engineer
    triggers: [{phrases: [send somebody], why: asks for somebody}]
    prior: 0.4
    value: 60
    expires_after_s: 60
    treatments: [{channels: [voice, chat], words: I will send an engineer.}]
"""
    lines = "".join(f"  {name}: {value}\n" for name, value in policy.items())
    return changed_text(("actions:\n", actions), ("policy:\n", f"policy:\n{lines}"))
