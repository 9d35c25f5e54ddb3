"""A conversation moves to the customer whose it turns out to be, and its later records follow it, in order.

A conversation's records go on being routed by its first owner's key while it lasts. Once one of them names a customer
who is somebody else, the owner that has it sends all that it remembers of the conversation to that customer's owner,
keeps a note, and from then on sends every record of it after. Both kinds go to the same key of one topic, so the new
owner reads them in order. It treats the forwarded ones as its own.

A conversation may move on, and even come back: identified as Ann, then as Ben, then as Ann again. So a note is of a
conversation *and* of how many moves a record had made when it came here (its hop): Ann's first note sends on what comes
straight from the source, while what has come round by Ben is hers. After `MOST_HOPS` moves it stays where it is.

Whatever its fate, it is the same at every redelivery:

- identified before it started, or after it ended: what is remembered moves, be it nothing, or that it was a contact;
- ended right after it was identified: the end is forwarded behind the handoff, and ends it there;
- identified by a placeholder: it stays anonymous, or whose it was;
- silent after it has moved: its new owner closes it, as any; speaks it again, it goes on there.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import ValidationError

from guidance.decision.fold import with_live
from guidance.decision.journey import merged
from guidance.decision.past import Journey, to_ms
from guidance.decision.state import CustomerState, HandedOff
from schemas.conversation import known_customer
from schemas.errors import Malformed
from schemas.handoff import Forwarded, Handoff, HandoffRecord
from schemas.intent import RoutedLifecycle, ScoredTurn
from schemas.outcomes import BusinessOutcome, PromptOutcome, WrapUp

NOTES_KEEP_FOR = timedelta(days=30)
"""How long records of a conversation that has moved are sent after it: as long as outcomes are kept."""
MOST_NOTES = 8
MOST_HOPS = 4

ConversationRecord = ScoredTurn | RoutedLifecycle | PromptOutcome | BusinessOutcome | WrapUp


def pass_on(
    state: CustomerState, record: ConversationRecord, owner: str, hop: int, now: datetime
) -> tuple[CustomerState, tuple[HandoffRecord, ...]] | None:
    """What `owner` does with a record that is not, or no longer, its own: what it then remembers, and what it sends.

    `hop` is how many moves the record has made to get here, 0 straight from its source. None: the owner folds it.
    """
    customer_id = _moved_to(state, record.conversation_id, hop, now)
    if customer_id is not None:
        return state, (_forwarded(record, customer_id, hop + 1),)
    customer_id = (
        None if isinstance(record, PromptOutcome | BusinessOutcome | WrapUp) else known_customer(record.customer_id)
    )
    is_partial = isinstance(record, ScoredTurn) and not record.turn.is_final
    if customer_id is None or customer_id == owner or hop >= MOST_HOPS or is_partial:
        return None
    handoff = Handoff(
        conversation_id=record.conversation_id,
        customer_id=customer_id,
        route_key=record.route_key,
        hop=hop + 1,
        carried=_of_conversation(state, record.conversation_id, owner).write().decode(),
    )
    note = HandedOff(conversation_id=record.conversation_id, hop=hop, customer_id=customer_id, at=now)
    return _without(state, owner, note), (handoff, _forwarded(record, customer_id, hop + 1))


def carried_by(handoff: Handoff) -> CustomerState:
    """What is remembered of the conversation. Raises Malformed where it cannot be read."""
    try:
        return CustomerState.read(handoff.carried.encode())
    except ValidationError:
        raise Malformed("carried: not what the decision core writes of a conversation") from None


def receive(state: CustomerState, handoff: Handoff) -> CustomerState:
    """The customer's state once the conversation is theirs: journeys merged by time, the conversation as it was."""
    carried = carried_by(handoff)
    state = state.model_copy(update={"sequence": state.sequence + 1, "journey": merged(state.journey, carried.journey)})
    for conversation_id, conversation in carried.live.items():
        past = state.journey.contact(conversation_id)
        if past is None or past.closed != "ended":
            state = with_live(state, conversation_id, conversation)
    return state


def _moved_to(state: CustomerState, conversation_id: str, hop: int, now: datetime) -> str | None:
    return next(
        (
            note.customer_id
            for note in state.handed_off
            if (note.conversation_id, note.hop) == (conversation_id, hop) and now - note.at < NOTES_KEEP_FOR
        ),
        None,
    )


def _forwarded(record: ConversationRecord, customer_id: str, hop: int) -> Forwarded:
    return Forwarded(conversation_id=record.conversation_id, customer_id=customer_id, hop=hop, record=record)


def _of_conversation(state: CustomerState, conversation_id: str, owner: str) -> CustomerState:
    """All that is remembered of one conversation: of an anonymous one's owner, everything; of a customer, what came
    since it began."""
    live = {key: value for key, value in state.live.items() if key == conversation_id}
    if owner == conversation_id:
        return CustomerState(live=live, journey=state.journey)
    journey = state.journey
    contacts = tuple(contact for contact in journey.contacts if contact.contact_id == conversation_id)
    pending = {key: each for key, each in journey.pending.items() if each.conversation_id == conversation_id}
    if not live:
        return CustomerState(journey=Journey(contacts=contacts, pending=pending))
    since = live[conversation_id].started_at
    heard_at = journey.vulnerable_at
    return CustomerState(
        live=live,
        journey=Journey(
            pending=pending,
            contacts=contacts,
            refusals={key: refusal for key, refusal in journey.refusals.items() if refusal.at >= since},
            dismissals=tuple(dismissal for dismissal in journey.dismissals if dismissal.at >= since),
            last_issued={key: at for key, at in journey.last_issued.items() if at >= since},
            issues=_since(journey.issues, to_ms(since)),
            accepted={key: at for key, at in journey.accepted.items() if at >= since},
            vulnerable_at=heard_at if heard_at is not None and heard_at >= since else None,
        ),
    )


def _since(issues: Mapping[str, tuple[int, ...]], since_ms: int) -> dict[str, tuple[int, ...]]:
    late = {key: tuple(at for at in times if at >= since_ms) for key, times in issues.items()}
    return {key: times for key, times in late.items() if times}


def _without(state: CustomerState, owner: str, note: HandedOff) -> CustomerState:
    """The state once the conversation is gone. What a customer's journey has learned meanwhile it keeps: it may have
    been theirs. An anonymous conversation's owner has nothing left to remember. Decisions that wait for their outcome
    go, as the outcome will."""
    notes = (*(each for each in state.handed_off if note.at - each.at < NOTES_KEEP_FOR), note)
    journey = Journey() if owner == note.conversation_id else state.journey
    pending = {key: each for key, each in journey.pending.items() if each.conversation_id != note.conversation_id}
    return state.model_copy(
        update={
            "sequence": state.sequence + 1,
            "live": {key: value for key, value in state.live.items() if key != note.conversation_id},
            "journey": journey.model_copy(update={"pending": pending}),
            "handed_off": notes[-MOST_NOTES:],
        }
    )
