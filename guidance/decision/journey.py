"""How the journey grows: what is remembered of a customer beyond the conversation at hand."""

from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Literal, TypeVar

from guidance.decision import labels
from guidance.decision.state import (
    MOST_ACTIONS,
    MOST_CONTACTS,
    MOST_DISMISSALS,
    MOST_FACT_CHARS,
    MOST_FACTS,
    Contact,
    Dismissal,
    Journey,
    Known,
    LiveConversation,
    Refusal,
)
from schemas.customer import CustomerEvent
from schemas.guidance import Disposition, PromptOutcome, WrapUp

V = TypeVar("V")

_SOLVED_WORDS = frozenset(("resolved", "solved", "fixed", "saved", "completed"))


def with_customer_event(journey: Journey, event: CustomerEvent) -> Journey:
    """The journey after something happened outside of live conversations."""
    facts = dict(journey.facts)
    for name, value in event.facts.items():
        older = facts.get(name)
        if len(name) + len(str(value)) <= MOST_FACT_CHARS and (older is None or older.at <= event.at):
            put_latest(facts, name, Known(value=value, at=event.at))
    changes: dict[str, Any] = {"facts": keep_latest(facts, MOST_FACTS)}
    if (
        event.facts.get("vulnerable") is False
        and journey.vulnerable_at is not None
        and event.at > journey.vulnerable_at
    ):
        changes["vulnerable_at"] = None
    journey = journey.model_copy(update=changes)
    problems = labels.PROBLEMS & set(event.intents)
    if problems:
        contact = Contact(
            contact_id=event.event_id,
            channel=event.channel,
            at=event.at,
            problems=tuple(sorted(problems)),
            solved=says_solved(event.kind.rpartition(".")[2]),
        )
        journey = with_contact(journey, contact)
    match event.kind:
        case "offer.made" if event.action_id is not None:
            return with_issued(journey, (event.action_id,), event.at)
        case "offer.declined" if event.action_id is not None:
            return with_refusal(journey, event.action_id, Refusal(at=event.at, channel=event.channel))
    return journey


def with_closed(
    journey: Journey,
    conversation_id: str,
    conversation: LiveConversation,
    at: datetime,
    how: Literal["ended", "idle"],
    disposition: str | None,
) -> Journey:
    """The journey after a conversation: it is a contact now, solved or not."""
    agreed = conversation.heard.get(labels.ACCEPTS_OFFER)
    problem_turns = [heard.turn for label, heard in conversation.heard.items() if label in labels.PROBLEMS]
    agreed_last = agreed is not None and all(agreed.turn >= turn for turn in problem_turns)
    contact = Contact(
        contact_id=conversation_id,
        channel=conversation.channel,
        at=at,
        problems=tuple(sorted(labels.PROBLEMS & conversation.heard.keys())),
        solved=agreed_last or says_solved(disposition),
        closed=how,
    )
    return with_contact(journey, contact)


def with_contact(journey: Journey, contact: Contact) -> Journey:
    """The journey with one contact more, or with a newer word of the same one."""
    others = [other for other in journey.contacts if other.contact_id != contact.contact_id]
    contacts = sorted((*others, contact), key=lambda each: each.at)
    return journey.model_copy(update={"contacts": tuple(contacts[-MOST_CONTACTS:])})


def with_refusal(journey: Journey, action_id: str, refusal: Refusal) -> Journey:
    """The journey after the customer said no to an action."""
    older = journey.refusals.get(action_id)
    if older is not None and older.at >= refusal.at:
        return journey
    refusals = dict(journey.refusals)
    put_latest(refusals, action_id, refusal)
    return journey.model_copy(update={"refusals": keep_latest(refusals, MOST_ACTIONS)})


def with_issued(journey: Journey, action_ids: tuple[str, ...], at: datetime) -> Journey:
    """The journey after those actions were put to the customer, by a prompt or elsewhere."""
    last_issued = dict(journey.last_issued)
    for action_id in action_ids:
        put_latest(last_issued, action_id, max(at, last_issued.get(action_id, at)))
    return journey.model_copy(update={"last_issued": keep_latest(last_issued, MOST_ACTIONS)})


def with_dismissal(journey: Journey, outcome: PromptOutcome) -> Journey:
    """The journey after an agent dismissed a prompt."""
    dismissals = (*journey.dismissals, Dismissal(action_id=outcome.action_id, at=outcome.at))
    return journey.model_copy(update={"dismissals": dismissals[-MOST_DISMISSALS:]})


def with_wrap_up(journey: Journey, wrap_up: WrapUp) -> Journey:
    """The journey once the agent has said how a conversation ended."""
    contact = journey.contact(wrap_up.conversation_id)
    if contact is None or wrap_up.disposition is None:
        return journey
    return with_contact(journey, contact.model_copy(update={"solved": wrap_up.disposition is Disposition.SOLVED}))


def says_solved(word: str | None) -> bool:
    """Whether a disposition, or the last word of an event's kind, says that the matter is done with."""
    return word is not None and word.casefold() in _SOLVED_WORDS


def put_latest(values: dict[str, V], key: str, value: V) -> None:
    """Set `key` and make it the newest."""
    values.pop(key, None)
    values[key] = value


def keep_latest(values: Mapping[str, V], most: int) -> dict[str, V]:
    """The newest `most`, by order of entry."""
    return dict(islice(values.items(), max(0, len(values) - most), None))
