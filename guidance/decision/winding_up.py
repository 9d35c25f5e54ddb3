"""The end of a conversation: the agent is asked what came of it if that is not known, then the CRM is told."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from guidance.decision.aftermath import Over, crm_actions
from guidance.decision.catalog import Catalog
from guidance.decision.fold import Event
from guidance.decision.identity import prompt_id_of
from guidance.decision.noting import with_result
from guidance.decision.state import MOST_TOLD, MOST_UNANSWERED, CustomerState, LiveConversation, Unanswered
from schemas.conversation import ConversationEnded
from schemas.crm import CrmAction
from schemas.desk import AskedOffer
from schemas.guidance import Tick
from schemas.handoff import Handoff
from schemas.intent import RoutedLifecycle
from schemas.outcomes import BusinessOutcome, WrapUp

MOST_ASKED = 3
"""Offers that an agent is asked about at once: the latest."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the agent of a conversation that is over is asked."""

    conversation_id: str
    conversation: LiveConversation
    """As it ended."""
    agent_id: str
    offers: tuple[AskedOffer, ...]
    ask_disposition: bool
    until: datetime


@dataclass(frozen=True, slots=True)
class WoundUp:
    """What is left of conversations that are over."""

    state: CustomerState
    questions: tuple[Question, ...] = ()
    crm_actions: tuple[CrmAction, ...] = ()


def wind_up(
    before: CustomerState, after: CustomerState, event: Event | Tick | Handoff, catalog: Catalog, now: datetime
) -> WoundUp:
    """Ask of the conversations that `event` closed, and tell the CRM of those of which no answer is waited for."""
    questions: list[Question] = []
    pending = dict(after.unanswered)
    finished: list[str] = []
    for conversation_id, conversation in before.live.items():
        contact = after.journey.contact(conversation_id)
        if conversation_id in after.live or contact is None or contact.closed is None:
            continue
        disposition = _disposition(event, conversation_id)
        question = _question(conversation_id, conversation, disposition, catalog, now)
        until = now if question is None else question.until
        pending.pop(conversation_id, None)
        pending[conversation_id] = Unanswered(conversation=_kept(conversation), until=until, disposition=disposition)
        if question is None:
            finished.append(conversation_id)
        else:
            questions.append(question)
    if isinstance(event, BusinessOutcome | WrapUp) and event.conversation_id in pending:
        pending[event.conversation_id] = _answered(pending[event.conversation_id], event)
        if isinstance(event, WrapUp):
            finished.append(event.conversation_id)
    if isinstance(event, Tick):
        finished += [each for each, waits in pending.items() if waits.until <= now and each not in finished]
    finished += [each for each in list(pending)[: max(0, len(pending) - MOST_UNANSWERED)] if each not in finished]
    if not finished and not questions and pending == after.unanswered:
        return WoundUp(after)
    after, told = _told(after.model_copy(update={"unanswered": pending}), finished, catalog, now)
    return WoundUp(after, tuple(questions), told)


def _told(
    state: CustomerState, finished: list[str], catalog: Catalog, now: datetime
) -> tuple[CustomerState, tuple[CrmAction, ...]]:
    """The state once the CRM has been told of those conversations, and what it is told."""
    actions: list[CrmAction] = []
    for conversation_id in finished:
        pending = state.unanswered[conversation_id]
        over = Over(conversation_id, pending.conversation, state, pending.disposition, catalog, now)
        journey = state.journey
        news = [each for each in crm_actions(over) if each.crm_action_id not in journey.told]
        told = (*journey.told, *(each.crm_action_id for each in news))[-MOST_TOLD:]
        advised = next((each.channel for each in news if each.kind == "channel_advice"), journey.advised)
        rest = {key: value for key, value in state.unanswered.items() if key != conversation_id}
        journey = journey.model_copy(update={"told": told, "advised": advised})
        state = state.model_copy(update={"unanswered": rest, "journey": journey})
        actions += news
    return state, tuple(actions)


def _question(
    conversation_id: str,
    conversation: LiveConversation,
    disposition: str | None,
    catalog: Catalog,
    now: datetime,
) -> Question | None:
    """What to ask; None: all is known, or nobody is there who could tell, or nobody is waited for."""
    wait = timedelta(minutes=catalog.policy.wrap_up_minutes)
    agent_id = conversation.agent_id
    offers = [
        AskedOffer(
            prompt_id=prompt_id_of(taken.decision_id, action_id),
            decision_id=taken.decision_id,
            action_id=action_id,
            title=catalog.by_id[action_id].title,
        )
        for action_id, taken in reversed(conversation.notes.taken.items())
        if taken.result is None and taken.agent_id == agent_id and action_id in catalog.by_id
    ]
    if agent_id is None or not offers or not wait:
        return None
    asked = tuple(offers[:MOST_ASKED])
    return Question(conversation_id, conversation, agent_id, asked, disposition is None, now + wait)


def _disposition(event: Event | Tick | Handoff, conversation_id: str) -> str | None:
    if isinstance(event, RoutedLifecycle) and event.conversation_id == conversation_id:
        return event.event.disposition if isinstance(event.event, ConversationEnded) else None
    return None


def _kept(conversation: LiveConversation) -> LiveConversation:
    """What the end is judged by, without what was on the desk."""
    return conversation.model_copy(
        update={"live": None, "pinned": (), "spans": (), "issued": {}, "settled": (), "proposed": None}
    )


def _answered(pending: Unanswered, answer: BusinessOutcome | WrapUp) -> Unanswered:
    if isinstance(answer, WrapUp):
        told = pending.disposition if answer.disposition is None else answer.disposition.value
        return pending.model_copy(update={"disposition": told})
    conversation = with_result(pending.conversation, answer.action_id, accepted=answer.result == "accepted")
    return pending.model_copy(update={"conversation": conversation})
