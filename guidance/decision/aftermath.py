"""What a conversation that is over leaves to do elsewhere: leads, churn flags, follow-ups, channel advice.

A customer whom nobody knows cannot be followed up: an anonymous conversation leaves nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from guidance.decision import labels
from guidance.decision.catalog import Catalog
from guidance.decision.churn import journey_risk
from guidance.decision.facts import Facts, facts_of
from guidance.decision.identity import crm_action_id_of
from guidance.decision.journey import says_solved
from guidance.decision.state import CustomerState, LiveConversation
from guidance.decision.vocabulary import OFFERS, SELLING
from schemas.conversation import Channel
from schemas.crm import CrmAction
from schemas.guidance import ActionKind
from schemas.outcomes import Disposition

FOLLOWED_UP = labels.PROBLEMS - {"cancel_service", "price_complaint", "repeat_contact"}
"""Problems that somebody can still solve afterwards. Wanting to leave is flagged, not followed up."""
_ADVICE_AFTER = 3
"""Contacts from which on it can be told where a customer is best met."""


@dataclass(frozen=True, slots=True)
class Over:
    """A conversation that is over, and all that is known of it."""

    conversation_id: str
    conversation: LiveConversation
    state: CustomerState
    """Of its customer, afterwards."""
    disposition: str | None
    catalog: Catalog
    now: datetime

    @property
    def facts(self) -> Facts:
        return facts_of(self.catalog.facts, self.state, self.conversation, self.now)


def crm_actions(over: Over) -> tuple[CrmAction, ...]:
    """What is to be told to the CRM, at most one of each kind. Their ids come from customer and conversation alone."""
    if over.conversation.customer_id is None:
        return ()
    return tuple(each for each in (_lead(over), _churn_flag(over), _follow_up(over), _advice(over)) if each is not None)


def _lead(over: Over) -> CrmAction | None:
    """The best offer whose moment was there and passed, where the customer said neither yes nor no to anything like it.

    None where they agreed to some offer, want no marketing, or are vulnerable.
    """
    journey = over.state.journey
    consent = journey.facts.get("consent_marketing")
    withheld = consent is not None and consent.value is False
    if (
        withheld
        or journey.is_vulnerable(over.now)
        or any(_is_offer(action_id, over.catalog) for action_id in over.conversation.notes.agreed)
    ):
        return None
    moments = over.conversation.notes.moments
    missed = [(worth, action_id) for action_id, worth in moments.items() if _is_open(action_id, over)]
    if not missed:
        return None
    action = over.catalog.by_id[max(missed)[1]]
    channel = over.conversation.channel.value
    return _action(over, "lead", f"{action.title}: called for on {channel}, nothing was agreed.", action_id=action.id)


def _is_open(action_id: str, over: Over) -> bool:
    conversation, action = over.conversation, over.catalog.by_id.get(action_id)
    taken, refusal = conversation.notes.taken.get(action_id), over.state.journey.refusals.get(action_id)
    return not (
        action is None
        or action.kind not in SELLING
        or action_id in conversation.word.unfit
        or (taken is not None and taken.result == "declined")
        or (refusal is not None and refusal.at >= conversation.started_at)
    )


def _churn_flag(over: Over) -> CrmAction | None:
    peak = over.conversation.churn_peak
    risk = max(peak, journey_risk(0.0, over.state.journey.contacts, over.now)) if peak else 0.0
    kept = any(
        action_id in over.catalog.by_id and over.catalog.by_id[action_id].kind is ActionKind.RETENTION
        for action_id in over.conversation.notes.agreed
    )
    if risk < over.catalog.policy.churn_flag_at or kept:
        return None
    words = f"May leave: churn risk {risk:.1f} of 2 on {over.conversation.channel.value}, no retention offer accepted."
    return _action(over, "churn_flag", words, churn_risk=risk)


def _follow_up(over: Over) -> CrmAction | None:
    notes = over.conversation.notes
    problems = sorted(_unsolved(over))
    due_at = notes.promised_at or over.now + timedelta(hours=over.catalog.policy.follow_up_hours)
    if notes.promised_at is not None and not says_solved(over.disposition):
        words = "The agent promised to come back to them"
    elif over.disposition == Disposition.FOLLOW_UP:
        words = "The agent says that they are to be contacted again"
    elif problems:
        words = "Unsolved"
    else:
        return None
    about = f": {', '.join(label.replace('_', ' ') for label in problems)}" if problems else ""
    return _action(over, "follow_up", f"{words}{about}.", due_at=due_at)


def _unsolved(over: Over) -> Iterator[str]:
    """The problems it was about, unless it was told, or heard since, that they are done with."""
    heard = over.conversation.heard
    if says_solved(over.disposition):
        return
    ends_well = [heard[label].turn for label in (labels.ACCEPTS_OFFER, labels.GRATITUDE) if label in heard]
    told_otherwise = over.disposition in (Disposition.UNSOLVED, Disposition.FOLLOW_UP)
    for label in FOLLOWED_UP & heard.keys():
        if told_otherwise or not any(turn >= heard[label].turn for turn in ends_well):
            yield label


def _advice(over: Over) -> CrmAction | None:
    best = _best_channel(over)
    if best is None or best is over.state.journey.advised:
        return None
    words = f"Best met on {best.value.replace('_', ' ')}: that is where their matters were settled."
    return _action(over, "channel_advice", words, channel=best)


def _best_channel(over: Over) -> Channel | None:
    """What the journey says, once there is enough of it."""
    told = over.facts.get("best_channel") if len(over.state.journey.contacts) >= _ADVICE_AFTER else None
    return Channel(str(told)) if told in set(Channel) else None


def _is_offer(action_id: str, catalog: Catalog) -> bool:
    action = catalog.by_id.get(action_id)
    return action is not None and action.kind in OFFERS


def _action(over: Over, kind: str, summary: str, **fields: object) -> CrmAction:
    customer_id = str(over.conversation.customer_id)
    return CrmAction.model_validate(
        {
            "crm_action_id": crm_action_id_of(customer_id, over.conversation_id, kind),
            "customer_id": customer_id,
            "conversation_id": over.conversation_id,
            "kind": kind,
            "summary": summary,
            "at": over.now,
            **fields,
        }
    )
