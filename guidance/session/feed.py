"""The supervisors' feed: what the topics say, folded into the wall. Bounded, and sampled rather than gap-free."""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from guidance.session.figures import IntentTrends, Tally
from guidance.session.watched import Watched
from schemas.conversation import Channel, ConversationEnded, ConversationIdentified, ConversationStarted, Speaker
from schemas.desk import ConversationOpened, DeskRecord, PromptEnded, Snapshot
from schemas.guidance import Decision, Prompt, PromptState
from schemas.intent import RoutedLifecycle, RoutedRecord, ScoredTurn
from schemas.outcomes import PromptOutcome
from schemas.supervisor_frames import ConversationView, Trends, Wall

MOST_ROWS = 2_000
MOST_LIVE = 10_000
MOST_ENDED = 200
"""How many ended conversations are kept, so that an open drawer shows the end, and what comes late finds its place."""
MOST_HELD = 500
"""Of how many conversations that no start is known of yet early records are kept, `_MOST_HELD_EACH` of each."""
MOST_IDS = 20_000
"""How many ids of decisions and outcomes are remembered, so that a redelivered one does not count twice."""
IDLE = timedelta(minutes=60)
"""A conversation of which nothing was heard for so long is not live."""


_MOST_HELD_EACH = 20


class _Waiting(NamedTuple):
    """A turn that no decision is known of yet. Decisions come in each conversation's order."""

    scored_at: datetime
    received_at: datetime


class SupervisorFeed:
    """Fold what is read, in the order it comes; ask for walls and views. `at` is always Kafka's timestamp."""

    def __init__(self) -> None:
        self._live: OrderedDict[str, Watched] = OrderedDict()  # the longest unheard of first
        self._ended: OrderedDict[str, Watched] = OrderedDict()
        # The topics are read side by side: what is said of a conversation may come before its start does.
        self._held: OrderedDict[str, list[tuple[Decision | DeskRecord | PromptOutcome, datetime]]] = OrderedDict()
        self._delivered: OrderedDict[str, datetime] = OrderedDict()  # prompts whose decision is yet to be read
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._undecided: dict[str, _Waiting] = {}  # by conversation, its oldest one
        self._tally = Tally()
        self._trends = IntentTrends()

    def fold_snapshot(self, snapshot: Snapshot, at: datetime) -> None:
        """Where a conversation stands: all that is known of it when its start was long ago."""
        watched = self._open(snapshot.conversation_id, snapshot.channel, snapshot.started_at, at)
        if watched is not None:
            watched.started_at = snapshot.started_at
            watched.customer_id, watched.customer_name = snapshot.customer_id, snapshot.customer_name
            watched.agent_id, watched.team = snapshot.agent_id, snapshot.team

    def fold_routed(self, record: RoutedRecord, at: datetime) -> None:
        """A turn with its scores, or a lifecycle event. A partial too short for scores tells supervisors nothing."""
        if isinstance(record, ScoredTurn) and not record.turn.is_final and record.scores is None:
            return
        begins = record.event.at if isinstance(record, RoutedLifecycle) else record.turn.started_at
        watched = self._open(record.conversation_id, record.channel, begins, at)
        if watched is None:
            return
        watched.customer_id = record.customer_id or watched.customer_id
        watched.agent_id, watched.team = record.agent_id, record.team
        if isinstance(record, ScoredTurn):
            self._turn(watched, record, at)
        elif isinstance(record.event, ConversationStarted | ConversationIdentified):
            watched.customer_name = record.event.customer_name or watched.customer_name
        elif isinstance(record.event, ConversationEnded):
            self.end(record.conversation_id)

    def fold_decision(self, decision: Decision, at: datetime) -> None:
        """A decision: what it issued, what it ended, and how long its turn had waited."""
        if decision.occasion == "request" or not self._is_news(decision.decision_id):
            return
        self._tally.level(at, decision.service_level)
        waiting = self._undecided.get(decision.conversation_id)
        if waiting is not None and waiting.scored_at <= decision.now:
            del self._undecided[decision.conversation_id]
            self._tally.lag(at, (at - waiting.received_at).total_seconds())
        self._tell(decision, at)

    def fold_desk(self, record: DeskRecord, at: datetime) -> None:
        """What a desk is told that no other topic says: the journey, and endings that no decision made."""
        if isinstance(record, ConversationOpened | PromptEnded):
            self._tell(record, at)

    def fold_outcome(self, outcome: PromptOutcome, at: datetime) -> None:
        """What became of a prompt."""
        if not self._is_news(outcome.outcome_id):
            return
        if outcome.state in (PromptState.ACCEPTED, PromptState.DISMISSED):
            self._tally.decided(at, accepted=outcome.state is PromptState.ACCEPTED)
        self._tell(outcome, at)

    def end(self, conversation_id: str) -> None:
        """The conversation is over. Unknown ones are no error."""
        self._undecided.pop(conversation_id, None)
        if watched := self._live.pop(conversation_id, None):
            watched.version += 1
            self._ended[conversation_id] = watched
            if len(self._ended) > MOST_ENDED:
                self._ended.popitem(last=False)

    def version(self, conversation_id: str) -> int | None:
        """Changes whenever the conversation's view would; None: neither live nor lately ended."""
        watched = self._live.get(conversation_id) or self._ended.get(conversation_id)
        return None if watched is None else watched.version

    def view(self, conversation_id: str) -> ConversationView | None:
        """The drawer of a conversation; None: neither live nor lately ended."""
        watched = self._live.get(conversation_id) or self._ended.get(conversation_id)
        return None if watched is None else watched.view(ended=conversation_id in self._ended)

    def wall(self, now: datetime) -> Wall:
        """The wall as of `now`."""
        while self._live and next(iter(self._live.values())).touched_at < now - IDLE:
            self.end(next(iter(self._live)))
        for waiting in self._undecided.values():
            self._tally.lag(now, max(0.0, (now - waiting.received_at).total_seconds()))
        self._tally.live(now, len(self._live))
        rows = sorted((each.row() for each in self._live.values()), key=lambda row: (-row.need, row.conversation_id))
        return Wall(at=now, figures=self._tally.figures(now), live=len(rows), rows=tuple(rows[:MOST_ROWS]))

    def trends(self, now: datetime) -> Trends:
        """Intents over the last hour."""
        return Trends(at=now, trends=self._trends.trends(now))

    def _turn(self, watched: Watched, scored: ScoredTurn, at: datetime) -> None:
        if not scored.turn.is_final:
            watched.partial(scored)
            return
        if not watched.turn(scored):
            return
        if watched.decided_up_to is None or watched.decided_up_to < at:
            self._undecided.setdefault(scored.conversation_id, _Waiting(at, scored.received_at))
        if scored.scores is not None and scored.turn.speaker is Speaker.CUSTOMER:
            self._trends.fired(scored.scores.fired, at)

    def _tell(self, record: Decision | DeskRecord | PromptOutcome, at: datetime) -> None:
        """Fold it into its conversation, now or as soon as that is known."""
        watched = self._find(record.conversation_id, at)
        if watched is None:
            held = self._held.setdefault(record.conversation_id, [])
            held.append((record, at))
            del held[:-_MOST_HELD_EACH]
            _bound(self._held, MOST_HELD)
        elif isinstance(record, Decision):
            for prompt in watched.decision(record):
                self._tally.prompt(at)
                if (delivered_at := self._delivered.pop(prompt.prompt_id, None)) is not None:
                    self._delivery(prompt, delivered_at)
        elif isinstance(record, PromptOutcome):
            moved = watched.settle(record.prompt_id, record.state, record.reason, record.at)
            if record.state is PromptState.DELIVERED and moved is not None:
                self._delivery(moved, record.at)
            elif record.state is PromptState.DELIVERED:
                self._delivered[record.prompt_id] = record.at
                _bound(self._delivered, MOST_IDS)
        elif isinstance(record, ConversationOpened):
            watched.journey = record.journey
        elif isinstance(record, PromptEnded):
            watched.settle(record.ending.prompt_id, record.ending.state, record.ending.reason, at)

    def _delivery(self, prompt: Prompt, delivered_at: datetime) -> None:
        self._tally.latency(delivered_at, (delivered_at - prompt.turn_ended_at).total_seconds() * 1000)

    def _is_news(self, unique_id: str) -> bool:
        if unique_id in self._ids:
            return False
        self._ids[unique_id] = None
        _bound(self._ids, MOST_IDS)
        return True

    def _open(self, conversation_id: str, channel: Channel, started_at: datetime, at: datetime) -> Watched | None:
        """The live conversation, new if it must be; None: it has ended, and this comes late."""
        if conversation_id in self._ended:
            return None
        if conversation_id not in self._live:
            self._live[conversation_id] = Watched(conversation_id, channel, started_at, at)
            if len(self._live) > MOST_LIVE:
                self.end(next(iter(self._live)))
            for record, held_at in self._held.pop(conversation_id, ()):
                self._tell(record, held_at)
        return self._find(conversation_id, at)

    def _find(self, conversation_id: str, at: datetime) -> Watched | None:
        if conversation_id in self._live:
            self._live.move_to_end(conversation_id)
        watched = self._live.get(conversation_id) or self._ended.get(conversation_id)
        if watched is not None:
            watched.touch(at)
        return watched


def _bound(kept: OrderedDict[str, Any], most: int) -> None:
    if len(kept) > most:
        kept.popitem(last=False)
