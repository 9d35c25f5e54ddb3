"""A test case's story, told to the very core that decides for agents: each step is an event like any other."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from guidance.decision.advance import Advance, advance
from guidance.decision.cases import Case, Step
from guidance.decision.catalog import Catalog
from guidance.decision.fold import Event
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState
from schemas.conversation import ConversationEnded, ConversationStarted, Speaker, Turn
from schemas.customer import CustomerEvent, Fact
from schemas.guidance import Decision, Prompt, PromptState, Tick
from schemas.intent import RoutedLifecycle, ScoredTurn, Scores
from schemas.outcomes import PromptOutcome, outcome_id_of

Score = Callable[[Speaker, str], Scores]
"""Asks the intent model of a final turn."""

_STARTS = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_BETWEEN_STEPS = timedelta(seconds=10)
_FIRES_AT = 0.5
_CUSTOMER, _AGENT = "case-customer", "case-agent"
_PARTITION = 0


class Story:
    """One customer's state as a case goes on."""

    def __init__(self, case: Case, catalog: Catalog, score: Score | None) -> None:
        all_guided = catalog.policy.model_copy(update={"control_share": 0.0})  # a case is never a matter of chance
        self._rules = Rules(catalog.model_copy(update={"policy": all_guided}))
        self._case, self._score = case, score
        self._state = CustomerState()
        self._now = _STARTS
        self._steps = 0
        self._channel = case.channel
        self._conversations = 0

    @property
    def pinned(self) -> tuple[str, ...]:
        """What is pinned on the desk."""
        conversation = self._state.live.get(self._conversation_id)
        return () if conversation is None else tuple(prompt.action_id for prompt in conversation.pinned)

    def on_desk(self, action_id: str) -> Prompt | None:
        """The prompt of that action, if it is on the desk."""
        conversation = self._state.live.get(self._conversation_id)
        prompts = () if conversation is None else conversation.prompts
        return next((prompt for prompt in prompts if prompt.action_id == action_id), None)

    def begin(self) -> None:
        """The next conversation begins."""
        self._conversations += 1
        started = ConversationStarted(
            event_id=self._next_id(), conversation_id=self._conversation_id, at=self._now, channel=self._channel,
            customer_id=_CUSTOMER, agent_id=_AGENT, language=self._case.language,
        )  # fmt: skip
        self.advance(RoutedLifecycle(event=started, **self._route()))

    def take(self, step: Step) -> Decision | None:
        """What a step comes to: a decision where it is a turn."""
        if step.pause is not None:
            self._pass(step.pause)
            return None
        self._now += _BETWEEN_STEPS
        if step.conversation is not None:
            over = ConversationEnded(event_id=self._next_id(), conversation_id=self._conversation_id, at=self._now)
            self.advance(RoutedLifecycle(event=over, **self._route()))
            self._channel = step.conversation
            self.begin()
            return None
        if step.event is not None:
            self.advance(self.event(step.event, step))
            return None
        return self.advance(self._turn(step)).decision

    def settle(self, step: Step, prompt: Prompt) -> None:
        """The agent takes or dismisses `prompt`."""
        self._now += _BETWEEN_STEPS
        state = PromptState.ACCEPTED if step.accepts is not None else PromptState.DISMISSED
        of_prompt = prompt.model_dump(include=set(PromptOutcome.model_fields))
        told = {"outcome_id": outcome_id_of(prompt.prompt_id, state), "state": state, "reason": step.reason}
        self.advance(PromptOutcome.model_validate({**of_prompt, **told, "at": self._now}))

    def event(self, kind: str, step: Step | None = None, facts: Mapping[str, Fact] | None = None) -> CustomerEvent:
        """A customer event, now."""
        told = {} if step is None else step.model_dump(include={"channel", "intents", "facts"})
        action_id = None if step is None else step.action
        return CustomerEvent.model_validate(
            {
                "event_id": self._next_id(), "customer_id": _CUSTOMER, "kind": kind, "at": self._now, "channel": "crm",
                "action_id": action_id, **told, **({} if facts is None else {"facts": facts}),
            }
        )  # fmt: skip

    def advance(self, event: Event) -> Advance:
        """Fold it, and decide where it is a turn."""
        advanced = advance(self._state, event, self._rules, partition=_PARTITION, now=self._now)
        self._state = advanced.state
        return advanced

    def _pass(self, pause: timedelta) -> None:
        self._now += pause
        tick = advance(self._state, Tick(at=self._now), self._rules, partition=_PARTITION, now=self._now)
        self._state = tick.state

    def _turn(self, step: Step) -> ScoredTurn:
        speaker = Speaker.CUSTOMER if step.customer is not None else Speaker.AGENT
        text = step.customer if step.customer is not None else step.agent
        turn = Turn(
            turn_id=self._next_id(), conversation_id=self._conversation_id, speaker=speaker, text=str(text),
            started_at=self._now, ended_at=self._now,
        )  # fmt: skip
        scores = self._scores(step, speaker, str(text))
        return ScoredTurn(turn=turn, scores=scores, received_at=self._now, **self._route())

    def _scores(self, step: Step, speaker: Speaker, text: str) -> Scores | None:
        heard = step.hears
        if heard is None:
            return None if self._score is None else self._score(speaker, text)
        fired = sorted((label for label in heard if heard[label] >= _FIRES_AT), key=lambda label: -heard[label])
        moods = {mood: 0.9 if mood == step.sentiment else 0.05 for mood in ("negative", "neutral", "positive")}
        of_customer = speaker is Speaker.CUSTOMER
        return Scores(
            model_revision="as told",
            intents=heard,
            fired=tuple(fired),
            sentiment=moods if of_customer else None,
            churn_risk=step.churn_risk if of_customer else None,
        )

    @property
    def _conversation_id(self) -> str:
        return f"case-conversation-{self._conversations}"

    def _route(self) -> dict[str, object]:
        return {
            "route_key": _CUSTOMER, "channel": self._channel, "customer_id": _CUSTOMER, "agent_id": _AGENT,
            "language": self._case.language,
        }  # fmt: skip

    def _next_id(self) -> str:
        self._steps += 1
        return f"case-{self._steps}"
