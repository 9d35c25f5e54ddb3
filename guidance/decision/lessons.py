"""What is learned from a decision: its outcome, by whoever knows best, joined to what was known when it was made.

From the moment that a winner is prompted its decision is *pending*. Words about it come in any order; the strongest is
kept, of equals the latest:

    business    a system of record says accepted or declined                          settles at once
    customer    said yes to what was proposed, no to that or to the offer on the desk;
                offer.accepted, offer.declined                                        yes 1, no 0
    agent       took it, or was heard saying it                                       1
                dismissed it                                                          0
                dismissed it as wrong intent, or as already said                      teaches nothing
    expiry      it lay on the desk until it was out of date                           0
                it reached no desk in time                                            teaches nothing
    silence     replaced by something better, or handed over to another agent         teaches nothing
                the conversation ended, or took another turn, without a word          0

A wrong intent says that the model misheard, an offer already made or replaced that nobody could take it up: no word on
whether it would have been accepted. Words of others count even then: a customer's yes is a yes.

Without business word a decision is settled `outcome_wait_minutes` (24 hours at most) after its conversation has closed,
by a tick. Then it is forgotten; a word that comes later teaches nothing. Each decision gives one lesson or none.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from guidance.decision import labels
from guidance.decision.catalog import Catalog, Policy
from guidance.decision.features import FEATURES_REVISION
from guidance.decision.fold import Event, live_offer, proposed_lately
from guidance.decision.past import Pending, Word
from guidance.decision.state import CustomerState
from schemas.conversation import Speaker
from schemas.customer import CustomerEvent
from schemas.guidance import Decision, Prompt, PromptEnding, PromptState, Tick
from schemas.intent import ScoredTurn
from schemas.learning import Lesson
from schemas.outcomes import BusinessOutcome, DismissReason, PromptOutcome
from schemas.requests import DecisionRequest

MOST_PENDING = 12
"""Decisions of one route key that wait for their outcome: with a further one the oldest is settled by what is known."""

_STRENGTH = ("silence", "expiry", "agent", "customer", "business")
_SILENCE = Word(by="silence", reward=0.0)
_SAYS_NOTHING = frozenset((DismissReason.WRONG_INTENT, DismissReason.ALREADY_SAID))
_EVENTS = {"offer.accepted": 1.0, "offer.declined": 0.0}


def hear(state: CustomerState, event: Event | Tick | DecisionRequest) -> CustomerState:
    """`state`, into which `event` is not folded yet, with what the event says of pending decisions."""
    match event:
        case BusinessOutcome():
            word = Word(by="business", reward=float(event.result == "accepted"), value=event.value)
            return _with_word(state, event.decision_id, event.action_id, word)
        case PromptOutcome():
            heard = _agents_word(event)
            return state if heard is None else _with_word(state, event.decision_id, event.action_id, heard)
        case CustomerEvent(kind=kind, action_id=str(action_id)) if kind in _EVENTS:
            earlier = (key for key, each in reversed(state.journey.pending.items()) if each.decided_at <= event.at)
            return _of_latest(state, earlier, action_id, Word(by="customer", reward=_EVENTS[kind]))
        case ScoredTurn():
            return _hear_turn(state, event)
    return state


def _agents_word(outcome: PromptOutcome) -> Word | None:
    match outcome.state:
        case PromptState.ACCEPTED:
            return Word(by="agent", reward=1.0)
        case PromptState.DISMISSED:
            return Word(by="agent", reward=None if outcome.reason in _SAYS_NOTHING else 0.0)
        case PromptState.EXPIRED:
            return Word(by="expiry", reward=None)
    return None


def _hear_turn(state: CustomerState, event: ScoredTurn) -> CustomerState:
    conversation, scores = state.live.get(event.conversation_id), event.scores
    if conversation is None or scores is None or not event.turn.is_final or event.turn.speaker is not Speaker.CUSTOMER:
        return state
    said_no = labels.DECLINES_OFFER in scores.fired
    proposed = proposed_lately(conversation, conversation.turns + 1)
    if said_no:
        proposed = proposed or live_offer(conversation)
    if proposed is None or not (said_no or labels.ACCEPTS_OFFER in scores.fired):
        return state
    of_it = (
        key for key, each in reversed(state.journey.pending.items()) if each.conversation_id == event.conversation_id
    )
    return _of_latest(state, of_it, proposed, Word(by="customer", reward=0.0 if said_no else 1.0))


def _of_latest(state: CustomerState, decision_ids: Iterable[str], action_id: str, word: Word) -> CustomerState:
    latest = next((key for key in decision_ids if state.journey.pending[key].action_id == action_id), None)
    return state if latest is None else _with_word(state, latest, action_id, word)


def _with_word(state: CustomerState, decision_id: str, action_id: str, word: Word) -> CustomerState:
    pending = state.journey.pending.get(decision_id)
    if pending is None or pending.action_id != action_id:
        return state
    if pending.word is not None and _STRENGTH.index(word.by) < _STRENGTH.index(pending.word.by):
        return state
    return _with(state, decision_id, pending.model_copy(update={"word": word}))


def with_endings(
    state: CustomerState, endings: Iterable[tuple[Prompt, PromptEnding]], event: Event | Tick | DecisionRequest
) -> CustomerState:
    """The state once those prompts are off the desk, by `event`, which is folded into it already."""
    for prompt, ending in endings:
        if isinstance(event, PromptOutcome) and event.prompt_id == prompt.prompt_id:
            continue  # heard already, with its reason
        word = _endings_word(state, prompt, ending)
        if word is not None:
            state = _with_word(state, prompt.decision_id, prompt.action_id, word)
    return state


def _endings_word(state: CustomerState, prompt: Prompt, ending: PromptEnding) -> Word | None:
    match ending.state:
        case PromptState.EXPIRED:
            return Word(by="expiry", reward=0.0)
        case PromptState.FULFILLED:
            return Word(by="agent", reward=1.0)
        case PromptState.SUPERSEDED:
            return Word(by="silence", reward=None)
    conversation = state.live.get(prompt.conversation_id)
    handed_over = conversation is not None and conversation.agent_id != prompt.agent_id
    return Word(by="silence", reward=None) if handed_over else None


def with_decision(state: CustomerState, decision: Decision, catalog: Catalog) -> CustomerState:
    """The state with the decision pending, if it prompted a winner. What a channel without an agent is told is not
    known to have been offered."""
    if decision.winner is None or decision.occasion != "turn" or decision.decision_id in state.journey.pending:
        return state
    won = next(each for each in decision.candidates if each.action_id == decision.winner)
    pending = Pending(
        action_id=won.action_id,
        conversation_id=decision.conversation_id,
        features=won.features,
        features_revision=decision.versions.features or FEATURES_REVISION,
        prior=catalog.by_id[won.action_id].prior,
        selection_probability=won.selection_probability or 0.0,
        group=decision.group,
        decided_at=decision.now,
    )
    return _with(state, decision.decision_id, pending)


def settled(state: CustomerState, policy: Policy, now: datetime) -> tuple[CustomerState, tuple[Lesson, ...]]:
    """The lessons that are due, and the state without what they came from."""
    if not state.journey.pending and state.settle_at is None:
        return state, ()
    waiting: dict[str, Pending] = {}
    lessons: list[Lesson] = []
    too_many = len(state.journey.pending) - MOST_PENDING
    for place, (decision_id, pending) in enumerate(state.journey.pending.items()):
        closed_at = None if pending.conversation_id in state.live else pending.closed_at or now
        due = closed_at is not None and now >= closed_at + timedelta(minutes=policy.outcome_wait_minutes)
        if due or place < too_many or (pending.word is not None and pending.word.by == "business"):
            word = pending.word or _SILENCE
            if word.reward is not None:
                lessons.append(_lesson(decision_id, pending, word, word.reward, now))
        elif closed_at == pending.closed_at:
            waiting[decision_id] = pending
        else:
            waiting[decision_id] = pending.model_copy(update={"closed_at": closed_at})
    closed = [each.closed_at for each in waiting.values() if each.closed_at is not None]
    settle_at = min(closed) + timedelta(minutes=policy.outcome_wait_minutes) if closed else None
    state = state if waiting == state.journey.pending else _with_all(state, waiting)
    return state.model_copy(update={"settle_at": settle_at}), tuple(lessons)


def _with(state: CustomerState, decision_id: str, pending: Pending) -> CustomerState:
    return _with_all(state, {**state.journey.pending, decision_id: pending})


def _with_all(state: CustomerState, pending: dict[str, Pending]) -> CustomerState:
    return state.model_copy(update={"journey": state.journey.model_copy(update={"pending": pending})})


def _lesson(decision_id: str, pending: Pending, word: Word, reward: float, now: datetime) -> Lesson:
    return Lesson(
        decision_id=decision_id,
        action_id=pending.action_id,
        features=pending.features,
        features_revision=pending.features_revision,
        prior=pending.prior,
        selection_probability=pending.selection_probability,
        reward=reward,
        settled_by=word.by,
        value=word.value,
        group=pending.group,
        decided_at=pending.decided_at,
        settled_at=now,
    )
