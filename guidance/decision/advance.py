"""One input, all of what it comes to: the core's whole answer to a record, for workers, replays and what-ifs alike."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from guidance.decision import lessons
from guidance.decision.catalog import Catalog
from guidance.decision.control import with_group
from guidance.decision.decide import decide
from guidance.decision.fold import Event, close_conversation, fold, fold_decision
from guidance.decision.handoff import pass_on, receive
from guidance.decision.identity import seed_of
from guidance.decision.noting import note, note_decision
from guidance.decision.request import answer
from guidance.decision.rules import Rules
from guidance.decision.settlement import ended, settle
from guidance.decision.state import CustomerState
from guidance.decision.trace import traced
from guidance.decision.winding_up import Question, wind_up
from schemas.crm import CrmAction
from schemas.customer import CustomerEvent
from schemas.guidance import Decision, Prompt, PromptEnding, PromptState, Tick
from schemas.handoff import Forwarded, Handoff, HandoffRecord
from schemas.intent import RoutedLifecycle, ScoredTurn
from schemas.learning import Lesson
from schemas.outcomes import PromptOutcome
from schemas.requests import DecisionReply, DecisionRequest

Input = Event | Tick | DecisionRequest | HandoffRecord
"""All that `decisions` reads."""


@dataclass(frozen=True, slots=True)
class Advance:
    """What an input leaves behind."""

    state: CustomerState
    decision: Decision | None
    """On final turns, exactly one; None on everything else."""
    endings: tuple[tuple[Prompt, PromptEnding], ...]
    """Prompts that were on a desk and are over, the decision's endings among them."""
    questions: tuple[Question, ...] = ()
    """To agents, of conversations that are over."""
    crm_actions: tuple[CrmAction, ...] = ()
    """What conversations that are over leave to do elsewhere."""
    lessons: tuple[Lesson, ...] = ()
    """What is learned, of decisions that this or earlier inputs were decided on."""
    reply: DecisionReply | None = None
    """On requests, what who asked is told."""
    passed_on: tuple[HandoffRecord, ...] = ()
    """What goes to another customer's owner, in order, and is all there is: the record was not this owner's to fold."""


def advance(
    state: CustomerState,
    event: Input,
    rules: Rules,
    *,
    partition: int,
    now: datetime,
) -> Advance:
    """Fold `event` into `state`, decide if it is a final turn, end the prompts it ends, learn what it teaches, and wind
    up the conversations that are over; or pass it on.

    `partition` is the one that a conversation's route key hashes to, wherever it is decided on.
    """
    advanced = _advance(state, event, rules, partition, now)
    if not advanced.passed_on and not isinstance(event, DecisionRequest):
        record = event.record if isinstance(event, Forwarded) else event
        wound_up = wind_up(state, advanced.state, record, rules.catalog, now)
        advanced = replace(
            advanced, state=wound_up.state, questions=wound_up.questions, crm_actions=wound_up.crm_actions
        )
    after, decision = traced(state, event, advanced.state, advanced.decision, now)
    return replace(advanced, state=after, decision=decision)


def _advance(state: CustomerState, event: Input, rules: Rules, partition: int, now: datetime) -> Advance:
    if isinstance(event, Handoff):
        received, due = lessons.settled(receive(state, event), rules.catalog.policy, now)
        return Advance(received, None, _endings_of_closed(state, received), lessons=due)
    record = event.record if isinstance(event, Forwarded) else event
    if not isinstance(record, Tick | CustomerEvent | DecisionRequest):
        owner, hop = (event.customer_id, event.hop) if isinstance(event, Forwarded) else (record.route_key, 0)
        passed_on = pass_on(state, record, owner, hop, now)
        if passed_on is not None:
            return Advance(passed_on[0], None, (), passed_on=passed_on[1])
    advanced = _folded(lessons.hear(state, record), record, rules, partition, now)
    after = lessons.with_endings(advanced.state, advanced.endings, record)
    if advanced.decision is not None:
        after = lessons.with_decision(after, advanced.decision, rules.catalog)
    after, due = lessons.settled(after, rules.catalog.policy, now)
    return replace(advanced, state=after, lessons=due)


def _folded(
    state: CustomerState, event: Event | Tick | DecisionRequest, rules: Rules, partition: int, now: datetime
) -> Advance:
    catalog = rules.catalog
    if isinstance(event, Tick):
        after = _close_idle(state, catalog, now)
        return _settled(state, after, event, catalog, now)
    if isinstance(event, DecisionRequest):
        decision, reply = answer(state, event, rules, partition=partition, now=now)
        return Advance(state.model_copy(update={"sequence": state.sequence + 1}), decision, (), reply=reply)
    folded = with_group(state, fold(state, event, now), event, catalog.policy.control_share)
    after = note(state, folded, event, rules, now)
    if isinstance(event, ScoredTurn) and event.turn.is_final:
        decision = decide(after, event, rules, partition=partition, now=now, seed=seed_of(event.input_id))
        endings = _with_prompts(after, event.conversation_id, decision.endings)
        after = note_decision(fold_decision(after, decision), decision, rules)
        return Advance(after, decision, (*endings, *_endings_of_closed(state, after)))
    return _settled(state, after, event, catalog, now)


def deadline(state: CustomerState, catalog: Catalog) -> datetime | None:
    """When, without any further input, a tick will change `state` first; None: no tick will."""
    idle_after = timedelta(minutes=catalog.policy.idle_after_minutes)
    deadlines = [conversation.heard_at + idle_after for conversation in state.live.values()]
    deadlines += [pending.until for pending in state.unanswered.values()]
    deadlines += [prompt.expires_at for conversation in state.live.values() for prompt in conversation.prompts]
    if state.settle_at is not None:
        deadlines.append(state.settle_at)
    return min(deadlines, default=None)


def closed_how(before: CustomerState, after: CustomerState, conversation_id: str) -> Literal["ended", "idle"] | None:
    """How a conversation closed between two states; None: it did not."""
    if conversation_id not in before.live or conversation_id in after.live:
        return None
    contact = after.journey.contact(conversation_id)
    return "idle" if contact is None or contact.closed is None else contact.closed


def _close_idle(state: CustomerState, catalog: Catalog, now: datetime) -> CustomerState:
    idle_after = timedelta(minutes=catalog.policy.idle_after_minutes)
    for conversation_id, conversation in state.live.items():
        if now - conversation.heard_at >= idle_after:
            state = close_conversation(state, conversation_id, now, "idle")
    return state


def _settled(
    before: CustomerState, after: CustomerState, event: Event | Tick, catalog: Catalog, now: datetime
) -> Advance:
    endings: list[tuple[Prompt, PromptEnding]] = []
    for conversation_id in _concerned(after, event):
        conversation = after.live[conversation_id]
        if isinstance(event, ScoredTurn | RoutedLifecycle | PromptOutcome | CustomerEvent | Tick):
            ending = settle(after, conversation, event, catalog, now)
            endings += _with_prompts(after, conversation_id, ending)
            if ending:
                over = frozenset(each.prompt_id for each in ending)
                after = after.with_conversation(conversation_id, conversation.without(over))
    return Advance(after, None, (*endings, *_endings_of_closed(before, after)))


def _concerned(state: CustomerState, event: Event | Tick) -> tuple[str, ...]:
    """The live conversations in which `event` may end a prompt."""
    match event:
        case Tick() | CustomerEvent():
            return tuple(state.live)
        case RoutedLifecycle() | PromptOutcome() if event.conversation_id in state.live:
            return (event.conversation_id,)
    return ()


def _with_prompts(
    state: CustomerState, conversation_id: str, endings: tuple[PromptEnding, ...]
) -> tuple[tuple[Prompt, PromptEnding], ...]:
    conversation = state.live.get(conversation_id)
    prompts = {} if conversation is None else {prompt.prompt_id: prompt for prompt in conversation.prompts}
    return tuple((prompts[ending.prompt_id], ending) for ending in endings)


def _endings_of_closed(before: CustomerState, after: CustomerState) -> tuple[tuple[Prompt, PromptEnding], ...]:
    """What was still on the desk when its conversation closed."""
    return tuple(
        (prompt, ended(prompt, PromptState.RETRACTED, "conversation over"))
        for conversation_id, conversation in before.live.items()
        if conversation_id not in after.live
        for prompt in conversation.prompts
    )
