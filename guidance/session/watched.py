"""One live conversation as supervisors see it, folded from what the topics say of it."""

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from guidance.session.need import need_of
from schemas.codec import decode, encode
from schemas.conversation import Channel, Speaker
from schemas.guidance import DECISION, Decision, Prompt, PromptState
from schemas.intent import ScoredTurn, Scores
from schemas.outcomes import DismissReason
from schemas.supervisor_frames import ConversationView, FeedTurn, PromptStanding, WallRow

TURNS, PROMPTS, DECISIONS, MOODS, INTENTS = 40, 20, 5, 20, 4
"""How many of each a conversation keeps, the latest."""

_OVER = frozenset(PromptState) - {PromptState.CREATED, PromptState.DELIVERED, PromptState.SHOWN}
_ORDER = list(PromptState)


@dataclass(slots=True)
class _Standing:
    prompt: Prompt
    state: PromptState
    reason: str | None
    at: datetime


@dataclass(slots=True)
class Watched:
    """All bounded: the latest turns, prompts and decisions."""

    conversation_id: str
    channel: Channel
    started_at: datetime
    touched_at: datetime
    customer_id: str | None = None
    customer_name: str | None = None
    agent_id: str | None = None
    team: str | None = None
    journey: tuple[str, ...] = ()
    decided_up_to: datetime | None = None
    """Kafka's timestamp of the latest turn that was decided on; None: none was yet."""
    version: int = 0
    """Counts what has been folded: unchanged means that nothing has."""
    _turns: OrderedDict[str, FeedTurn] = field(default_factory=OrderedDict)
    _partials: dict[Speaker, FeedTurn] = field(default_factory=dict)
    """What each is saying now. One whose end never comes is gone with the next that its speaker ends."""
    _moods: deque[float] = field(default_factory=lambda: deque(maxlen=MOODS))
    _intents: deque[str] = field(default_factory=lambda: deque(maxlen=INTENTS))
    _churn_risk: float | None = None
    _prompts: OrderedDict[str, _Standing] = field(default_factory=OrderedDict)
    # Topics are read side by side: an outcome may come before the decision that made its prompt.
    _early: OrderedDict[str, tuple[PromptState, str | DismissReason | None, datetime]] = field(
        default_factory=OrderedDict
    )
    # Encoded: a decision with all its candidates takes a tenth of the memory that way, and few are ever looked at.
    _decisions: deque[bytes] = field(default_factory=lambda: deque(maxlen=DECISIONS))
    _row: WallRow | None = None

    def touch(self, at: datetime) -> None:
        """Something is about to be folded."""
        self.touched_at = max(self.touched_at, at)
        self.version += 1
        self._row = None

    def turn(self, scored: ScoredTurn) -> bool:
        """A final turn; False where it is known already (a redelivery)."""
        turn, scores = scored.turn, scored.scores
        if turn.turn_id in self._turns:
            return False
        intents = scores.fired if scores is not None else ()
        mood = None if scores is None or scores.sentiment is None else _mood(scores)
        churn_risk = None if scores is None else scores.churn_risk
        if turn.speaker is Speaker.CUSTOMER:
            self._name(intents)
            if mood is not None:
                self._moods.append(mood)
            if churn_risk is not None:
                self._churn_risk = churn_risk
        self._partials.pop(turn.speaker, None)
        self._turns[turn.turn_id] = FeedTurn(
            turn_id=turn.turn_id,
            speaker=turn.speaker,
            text=turn.text,
            ended_at=turn.ended_at,
            intents=intents,
            sentiment=mood,
            churn_risk=churn_risk,
        )
        _bound(self._turns, TURNS)
        return True

    def partial(self, scored: ScoredTurn) -> None:
        """What is heard so far of a turn that goes on. It is shown, and counts for nothing."""
        turn = scored.turn
        if turn.turn_id not in self._turns:  # else it comes late
            self._partials[turn.speaker] = FeedTurn(
                turn_id=turn.turn_id,
                speaker=turn.speaker,
                text=turn.text,
                ended_at=turn.ended_at,
                intents=scored.scores.fired if scored.scores is not None else (),
                sentiment=None,
                churn_risk=None,
                is_final=False,
            )

    def decision(self, decision: Decision) -> list[Prompt]:
        """A decision; answers with its prompts that are new."""
        self.decided_up_to = max(decision.now, self.decided_up_to or decision.now)
        if decision.candidates:
            self._decisions.append(encode(decision.model_copy(update={"state": None})))  # a replay's business
        for ending in decision.endings:
            self.settle(ending.prompt_id, ending.state, ending.reason, decision.now)
        news = [prompt for prompt in decision.prompts if prompt.prompt_id not in self._prompts]
        for prompt in news:
            self._prompts[prompt.prompt_id] = _Standing(prompt, PromptState.CREATED, None, prompt.created_at)
            if (early := self._early.pop(prompt.prompt_id, None)) is not None:
                self.settle(prompt.prompt_id, *early)
        _bound(self._prompts, PROMPTS)
        return news

    def settle(
        self, prompt_id: str, state: PromptState, reason: str | DismissReason | None, at: datetime
    ) -> Prompt | None:
        """A prompt has reached a state; answers with the prompt if that moved it on. Nothing moves one that is over."""
        standing = self._prompts.get(prompt_id)
        if standing is None:
            self._early[prompt_id] = (state, reason, at)
            _bound(self._early, PROMPTS)
            return None
        if standing.state in _OVER or _ORDER.index(state) <= _ORDER.index(standing.state):
            return None
        words = reason.value.replace("_", " ") if isinstance(reason, DismissReason) else reason
        standing.state, standing.reason, standing.at = state, words, at
        return standing.prompt

    def row(self) -> WallRow:
        """Its row on the wall; made anew only when something was folded."""
        if self._row is None:
            dismissed = sum(each.state is PromptState.DISMISSED for each in self._prompts.values())
            need, why = need_of(self._churn_risk, tuple(self._moods), dismissed, has_agent=self.agent_id is not None)
            latest = next((each for each in reversed(self._prompts.values()) if not each.prompt.pinned), None)
            self._row = WallRow(
                conversation_id=self.conversation_id,
                customer_id=self.customer_id,
                customer_name=self.customer_name,
                channel=self.channel,
                started_at=self.started_at,
                agent_id=self.agent_id,
                team=self.team,
                intents=self._current_intents(),
                sentiment=tuple(self._moods),
                churn_risk=self._churn_risk,
                prompt=None if latest is None else _told(latest),
                need=need,
                need_why=why,
            )
        return self._row

    def view(self, *, ended: bool) -> ConversationView:
        """The drawer."""
        return ConversationView(
            row=self.row(),
            ended=ended,
            journey=self.journey,
            turns=(*self._turns.values(), *self._partials.values()),
            prompts=tuple(_told(each) for each in self._prompts.values()),
            decisions=tuple(decode(DECISION, each) for each in reversed(self._decisions)),
        )

    def _current_intents(self) -> tuple[str, ...]:
        """The latest first, before all those of what the customer is saying now."""
        begun = self._partials.get(Speaker.CUSTOMER)
        said = (*(begun.intents if begun else ()), *reversed(self._intents))
        return tuple(dict.fromkeys(said))[:INTENTS]

    def _name(self, intents: Iterable[str]) -> None:
        for intent in reversed(tuple(intents)):  # the most probable one comes to stand last, which is first on the wall
            if intent in self._intents:
                self._intents.remove(intent)
            self._intents.append(intent)


def _mood(scores: Scores) -> float:
    sentiment = scores.sentiment or {}
    return max(-1.0, min(1.0, round(sentiment.get("positive", 0.0) - sentiment.get("negative", 0.0), 3)))


def _bound(kept: OrderedDict[str, Any], most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)


def _told(standing: _Standing) -> PromptStanding:
    prompt = standing.prompt
    return PromptStanding(
        prompt_id=prompt.prompt_id,
        action_id=prompt.action_id,
        kind=prompt.kind,
        title=prompt.title,
        words=prompt.words,
        why=prompt.why,
        pinned=prompt.pinned,
        created_at=prompt.created_at,
        expires_at=prompt.expires_at,
        state=standing.state,
        reason=standing.reason,
        at=standing.at,
    )
