"""How the journey grows: what is remembered of a customer beyond the conversation at hand.

Every step keeps the newest by time and breaks ties by what is told, never by the order of arrival: whatever the order,
and however often the same comes, the journey is the same.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Literal, TypeVar

from guidance.decision import labels
from guidance.decision.churn import risk_of_event
from guidance.decision.past import (
    MOST_ACTIONS,
    MOST_CONTACTS,
    MOST_DISMISSALS,
    MOST_FACT_CHARS,
    MOST_FACTS,
    MOST_ISSUES,
    OFFERS_KEEP_FOR,
    Contact,
    Dismissal,
    Journey,
    Known,
    Offer,
    Refusal,
    to_ms,
)
from guidance.decision.state import LiveConversation
from schemas.conversation import Channel
from schemas.customer import CustomerEvent, Fact
from schemas.outcomes import BusinessOutcome, Disposition, PromptOutcome, WrapUp

V = TypeVar("V")

OFFER_VALID_DAYS = "offer_valid_days"
"""The fact of an `offer.made` event that says how long the offer stands. It is the offer's, not the customer's."""
SELF_SERVICE = frozenset((Channel.SELF_SERVICE, Channel.IVR, Channel.WEB))
"""Where customers help themselves."""
_SOLVED_WORDS = frozenset(("resolved", "solved", "fixed", "saved", "completed"))
_FAILED_WORDS = frozenset(("failed", "abandoned"))


def with_customer_event(journey: Journey, event: CustomerEvent) -> Journey:
    """The journey after something happened outside of live conversations."""
    facts = journey.facts
    for name, value in event.facts.items():
        if name != OFFER_VALID_DAYS and len(name) + len(str(value)) <= MOST_FACT_CHARS:
            facts = with_newest(facts, {name: Known(value=value, at=event.at)}, MOST_FACTS, _fact_rank)
    journey = journey.model_copy(update={"facts": facts})
    last_word = event.kind.rpartition(".")[2]
    contact = Contact(
        contact_id=event.event_id,
        channel=event.channel,
        at=event.at,
        problems=tuple(sorted(labels.PROBLEMS & set(event.intents))),
        solved=says_solved(last_word),
        failed=event.channel in SELF_SERVICE and last_word in _FAILED_WORDS,
        churn_risk=risk_of_event(event.intents),
    )
    if contact.problems or contact.failed or contact.churn_risk:
        journey = with_contacts(journey, (contact,))
    match event.kind:
        case "offer.made" if event.action_id is not None:
            journey = with_offers(journey, {event.action_id: _offer(event)})
            return with_issued(journey, (event.action_id,), event.at)
        case "offer.declined" if event.action_id is not None:
            return with_refusal(journey, event.action_id, Refusal(at=event.at, channel=event.channel))
        case "offer.accepted" if event.action_id is not None:
            return with_acceptance(journey, event.action_id, event.at)
    return journey


def with_business_outcome(journey: Journey, outcome: BusinessOutcome) -> Journey:
    """The journey after a system of record told what the customer did in the end: a yes, or a no."""
    if outcome.result == "accepted":
        return with_acceptance(journey, outcome.action_id, outcome.at)
    return with_refusal(journey, outcome.action_id, Refusal(at=outcome.at, channel=Channel.CRM))


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
        churn_risk=conversation.churn_peak,
    )
    return with_contacts(journey, (contact,))


def with_contacts(journey: Journey, contacts: Iterable[Contact]) -> Journey:
    """The journey with those contacts as well. Of two words of the same contact the later holds."""
    known = {contact.contact_id: contact for contact in journey.contacts}
    told = {contact.contact_id: contact for contact in contacts}
    newest = with_newest(known, told, MOST_CONTACTS, lambda name, each: (each.at, name, each.model_dump_json()))
    return journey if newest is known else journey.model_copy(update={"contacts": tuple(newest.values())})


def with_refusal(journey: Journey, action_id: str, refusal: Refusal) -> Journey:
    """The journey after the customer said no to an action."""
    return _with_refusals(journey, {action_id: refusal})


def with_acceptance(journey: Journey, action_id: str, at: datetime) -> Journey:
    """The journey after the customer said yes to an action."""
    return _with_accepted(journey, {action_id: at})


def with_offers(journey: Journey, offers: Mapping[str, Offer]) -> Journey:
    """The journey after those actions were offered elsewhere."""
    newest = with_newest(
        journey.offers, offers, MOST_ACTIONS, lambda name, each: (each.at, name, each.channel, each.expires_at)
    )
    return journey.model_copy(update={"offers": newest})


def with_issued(journey: Journey, action_ids: tuple[str, ...], at: datetime) -> Journey:
    """The journey after those actions were put to the customer, by a prompt or elsewhere."""
    journey = _with_last_issued(journey, dict.fromkeys(action_ids, at))
    return _with_issues(journey, dict.fromkeys(action_ids, (to_ms(at),)))


def with_dismissal(journey: Journey, outcome: PromptOutcome) -> Journey:
    """The journey after an agent dismissed a prompt."""
    return _with_dismissals(journey, (Dismissal(action_id=outcome.action_id, at=outcome.at),))


def with_vulnerability(journey: Journey, at: datetime) -> Journey:
    """The journey after vulnerability was heard."""
    before = journey.vulnerable_at
    return journey if before is not None and before >= at else journey.model_copy(update={"vulnerable_at": at})


def merged(journey: Journey, other: Journey) -> Journey:
    """Both as one: what happened to either, as if it had happened to one customer from the start."""
    journey = journey.model_copy(update={"facts": with_newest(journey.facts, other.facts, MOST_FACTS, _fact_rank)})
    journey = _with_refusals(with_contacts(journey, other.contacts), other.refusals)
    journey = _with_last_issued(_with_dismissals(journey, other.dismissals), other.last_issued)
    journey = _with_accepted(with_offers(journey, other.offers), other.accepted)
    journey = _with_issues(journey, other.issues)
    if other.pending:
        by_time = sorted((journey.pending | other.pending).items(), key=lambda item: (item[1].decided_at, item[0]))
        journey = journey.model_copy(update={"pending": dict(by_time)})
    return journey if other.vulnerable_at is None else with_vulnerability(journey, other.vulnerable_at)


def with_wrap_up(journey: Journey, wrap_up: WrapUp) -> Journey:
    """The journey once the agent has said how a conversation ended."""
    contact = journey.contact(wrap_up.conversation_id)
    if contact is None or wrap_up.disposition is None:
        return journey
    return with_contacts(journey, (contact.model_copy(update={"solved": wrap_up.disposition is Disposition.SOLVED}),))


def says_solved(word: str | None) -> bool:
    """Whether a disposition, or the last word of an event's kind, says that the matter is done with."""
    return word is not None and word.casefold() in _SOLVED_WORDS


def with_newest(
    values: dict[str, V], told: Mapping[str, V], most: int, rank: Callable[[str, V], tuple[Any, ...]]
) -> dict[str, V]:
    """`values` with `told` as well: of each key the value of highest rank, the `most` highest of all, lowest first."""
    news = {key: value for key, value in told.items() if key not in values or rank(key, values[key]) < rank(key, value)}
    if not news:
        return values
    ranked = sorted({**values, **news}.items(), key=lambda item: rank(*item))
    return dict(ranked[-most:])


def put_latest(values: dict[str, V], key: str, value: V) -> None:
    """Set `key` and make it the newest."""
    values.pop(key, None)
    values[key] = value


def keep_latest(values: Mapping[str, V], most: int) -> dict[str, V]:
    """The newest `most`, by order of entry."""
    return dict(islice(values.items(), max(0, len(values) - most), None))


def _offer(event: CustomerEvent) -> Offer:
    days = event.facts.get(OFFER_VALID_DAYS)
    is_number = isinstance(days, int | float) and not isinstance(days, bool) and 0 <= days <= 3650
    keeps_for = timedelta(days=days) if is_number else OFFERS_KEEP_FOR  # type: ignore[arg-type]
    return Offer(at=event.at, channel=event.channel, expires_at=event.at + keeps_for)


def _fact_rank(name: str, known: Known) -> tuple[bool, datetime, str, str]:
    return name == "vulnerable", known.at, name, _as_text(known.value)


def _as_text(value: Fact) -> str:
    return json.dumps(value, ensure_ascii=False)


def _with_refusals(journey: Journey, refusals: Mapping[str, Refusal]) -> Journey:
    newest = with_newest(journey.refusals, refusals, MOST_ACTIONS, lambda name, each: (each.at, name, each.channel))
    return journey.model_copy(update={"refusals": newest})


def _with_accepted(journey: Journey, accepted: Mapping[str, datetime]) -> Journey:
    newest = with_newest(journey.accepted, accepted, MOST_ACTIONS, lambda name, at: (at, name))
    return journey.model_copy(update={"accepted": newest})


def _with_last_issued(journey: Journey, issued: Mapping[str, datetime]) -> Journey:
    newest = with_newest(journey.last_issued, issued, MOST_ACTIONS, lambda name, at: (at, name))
    return journey.model_copy(update={"last_issued": newest})


def _with_issues(journey: Journey, issues: Mapping[str, Iterable[int]]) -> Journey:
    every = {(at, action_id) for each in (journey.issues, issues) for action_id, times in each.items() for at in times}
    newest: dict[str, tuple[int, ...]] = {}
    for at, action_id in sorted(every)[-MOST_ISSUES:]:
        newest[action_id] = (*newest.get(action_id, ()), at)
    return journey.model_copy(update={"issues": newest})


def _with_dismissals(journey: Journey, dismissals: Iterable[Dismissal]) -> Journey:
    every = {(each.at, each.action_id): each for each in (*journey.dismissals, *dismissals)}
    newest = sorted(every)[-MOST_DISMISSALS:]
    return journey.model_copy(update={"dismissals": tuple(every[key] for key in newest)})
