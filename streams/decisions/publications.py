"""What the world is told of an input: desk records, the decision, the snapshot. Pure: from states to messages."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from guidance.decision.advance import Advance, Input, closed_how
from guidance.decision.fold import likeliest
from guidance.decision.identity import record_id_of
from guidance.decision.past import Journey
from guidance.decision.state import CustomerState, LiveConversation
from guidance.decision.winding_up import Question
from schemas.codec import encode
from schemas.conversation import Speaker
from schemas.desk import (
    ConversationClosed,
    ConversationOpened,
    DeskRecord,
    DeskTurn,
    OutcomeAsked,
    PromptEnded,
    PromptIssued,
    Snapshot,
)
from schemas.guidance import Prompt, PromptEnding
from schemas.handoff import Forwarded, Handoff
from schemas.intent import ScoredTurn
from schemas.topics import CRM_ACTIONS, DECISIONS, DESK_TOPIC, HANDOFFS, LESSONS, REPLIES, SNAPSHOTS
from streams.bus.ports import Message

_MOST_JOURNEY_LINES = 3


def partial_turn(scored: ScoredTurn) -> list[Message]:
    """A partial turn as its agent's desktop shows it. It comes from the record alone, so a redelivery is the same."""
    return [] if scored.agent_id is None else [_desk(_desk_turn(scored, scored.agent_id))]


def publications(
    before: CustomerState,
    advanced: Advance,
    event: Input,
    owner: str,
    input_id: str,
    now: datetime,
) -> list[Message]:
    """All that `event` (known as `input_id`) gave rise to, in the order in which a desktop is to learn it.

    A conversation that is handed off stays on its desktop as it is: neither owner says that it has left or come.
    """
    after = advanced.state
    if advanced.passed_on:
        return [Message(HANDOFFS.name, each.customer_id, encode(each)) for each in advanced.passed_on]
    if isinstance(event, Handoff) and event.conversation_id in after.live:
        before = before.with_conversation(event.conversation_id, after.live[event.conversation_id])
    messages = [_desk(record) for record in _desk_records(before, advanced, event, owner, input_id, now)]
    if advanced.decision is not None:
        messages.append(Message(DECISIONS.name, advanced.decision.route_key, encode(advanced.decision)))
    messages += [Message(LESSONS.name, lesson.action_id, encode(lesson)) for lesson in advanced.lessons]
    messages += [Message(CRM_ACTIONS.name, each.customer_id, encode(each)) for each in advanced.crm_actions]
    if advanced.reply is not None:
        messages.append(Message(REPLIES.name, advanced.reply.reply_to, encode(advanced.reply)))
    for conversation_id in sorted(before.live.keys() | after.live.keys()):
        old = _snapshot(before.live.get(conversation_id), conversation_id, owner, now)
        new = _snapshot(after.live.get(conversation_id), conversation_id, owner, now)
        if new != old:
            messages.append(Message(SNAPSHOTS.name, conversation_id, None if new is None else encode(new)))
    return messages


def _desk_records(
    before: CustomerState, advanced: Advance, event: Input, owner: str, input_id: str, now: datetime
) -> Iterator[DeskRecord]:
    after = advanced.state
    handed_over = [each for each in advanced.endings if _is_handed_over(each[0], after)]
    yield from (_prompt_ended(*each, input_id) for each in handed_over)
    for conversation_id, conversation in after.live.items():
        old = before.live.get(conversation_id)
        if old is not None and old.agent_id is not None and old.agent_id != conversation.agent_id:
            yield _closed(conversation_id, old.agent_id, "transferred", input_id)
        if conversation.agent_id is not None and (old is None or _heading(old) != _heading(conversation)):
            yield _opened(conversation_id, conversation, after.journey, input_id, now)
    said = event.record if isinstance(event, Forwarded) else event
    if isinstance(said, ScoredTurn) and said.agent_id is not None:
        yield _desk_turn(said, said.agent_id)
    yield from (_prompt_ended(*each, input_id) for each in advanced.endings if each not in handed_over)
    for prompt in advanced.decision.prompts if advanced.decision else ():
        yield PromptIssued(
            record_id=record_id_of(input_id, prompt.conversation_id, f"prompt.{prompt.action_id}"),
            conversation_id=prompt.conversation_id,
            agent_id=prompt.agent_id,
            prompt=prompt,
        )
    yield from (_asked(question, owner, input_id) for question in advanced.questions)
    for conversation_id, old in before.live.items():
        how = closed_how(before, after, conversation_id)
        if how is not None and old.agent_id is not None:
            yield _closed(conversation_id, old.agent_id, how, input_id)


def _is_handed_over(prompt: Prompt, after: CustomerState) -> bool:
    conversation = after.live.get(prompt.conversation_id)
    return conversation is not None and conversation.agent_id != prompt.agent_id


def _heading(conversation: LiveConversation) -> tuple[str | None, ...]:
    """What a desktop shows above a conversation: it is opened anew where it turns out who the customer is."""
    return conversation.agent_id, conversation.customer_id, conversation.customer_name


def _prompt_ended(prompt: Prompt, ending: PromptEnding, input_id: str) -> PromptEnded:
    return PromptEnded(
        record_id=record_id_of(input_id, prompt.conversation_id, f"ended.{prompt.prompt_id}"),
        conversation_id=prompt.conversation_id,
        agent_id=prompt.agent_id,
        ending=ending,
    )


def _closed(
    conversation_id: str, agent_id: str, reason: Literal["ended", "idle", "transferred"], input_id: str
) -> ConversationClosed:
    return ConversationClosed(
        record_id=record_id_of(input_id, conversation_id, "closed"),
        conversation_id=conversation_id,
        agent_id=agent_id,
        reason=reason,
    )


def _asked(question: Question, owner: str, input_id: str) -> OutcomeAsked:
    return OutcomeAsked(
        record_id=record_id_of(input_id, question.conversation_id, "asked"),
        conversation_id=question.conversation_id,
        agent_id=question.agent_id,
        route_key=question.conversation.route_key or owner,
        customer_name=question.conversation.customer_name,
        channel=question.conversation.channel,
        offers=question.offers,
        ask_disposition=question.ask_disposition,
        until=question.until,
    )


def _opened(
    conversation_id: str, conversation: LiveConversation, journey: Journey, input_id: str, now: datetime
) -> ConversationOpened:
    return ConversationOpened(
        record_id=record_id_of(input_id, conversation_id, "opened"),
        conversation_id=conversation_id,
        agent_id=str(conversation.agent_id),
        channel=conversation.channel,
        customer_id=conversation.customer_id,
        customer_name=conversation.customer_name,
        team=conversation.team,
        started_at=conversation.started_at,
        journey=_journey_lines(journey, conversation_id, now),
    )


def _journey_lines(journey: Journey, conversation_id: str, now: datetime) -> tuple[str, ...]:
    """Earlier contacts, newest first: "chat 2 h ago, unsolved"."""
    earlier = [contact for contact in reversed(journey.contacts) if contact.contact_id != conversation_id]
    return tuple(
        f"{contact.channel.value.replace('_', ' ')} {_ago(now - contact.at)}, {'' if contact.solved else 'un'}solved"
        for contact in earlier[:_MOST_JOURNEY_LINES]
    )


def _ago(age: timedelta) -> str:
    minutes = max(0, age // timedelta(minutes=1))
    if minutes < 60:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days ago"


def _desk_turn(scored: ScoredTurn, agent_id: str) -> DeskTurn:
    turn, scores = scored.turn, scored.scores
    from_customer = turn.speaker is Speaker.CUSTOMER
    return DeskTurn(
        record_id=record_id_of(scored.input_id, scored.conversation_id, "turn"),
        conversation_id=turn.conversation_id,
        agent_id=agent_id,
        turn_id=turn.turn_id,
        speaker=turn.speaker,
        text=turn.text,
        is_final=turn.is_final,
        ended_at=turn.ended_at,
        received_at=scored.received_at,
        intents=() if scores is None else scores.fired,
        sentiment=likeliest(scores.sentiment) if scores and scores.sentiment and from_customer else None,
        churn_risk=scores.churn_risk if scores and from_customer else None,
        confidence=turn.confidence,
    )


def _desk(record: DeskRecord) -> Message:
    return Message(DESK_TOPIC.name, record.agent_id, encode(record))


def _snapshot(
    conversation: LiveConversation | None, conversation_id: str, owner: str, now: datetime
) -> Snapshot | None:
    if conversation is None:
        return None
    return Snapshot(
        conversation_id=conversation_id,
        route_key=conversation.route_key or owner,
        channel=conversation.channel,
        customer_id=conversation.customer_id,
        customer_name=conversation.customer_name,
        agent_id=conversation.agent_id,
        team=conversation.team,
        started_at=conversation.started_at,
        updated_at=now,
        live_prompt=None if conversation.live is None else conversation.live.prompt,
        pinned=conversation.pinned,
        spans=conversation.spans,
    )
