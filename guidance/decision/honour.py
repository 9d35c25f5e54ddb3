"""What was offered elsewhere, by mail or on the web, and is still open: the customer may count on it."""

from collections.abc import Iterable
from datetime import datetime

from guidance.decision.arbitration import Bid
from guidance.decision.explanation import Fallen
from guidance.decision.past import Journey
from guidance.decision.state import LivePrompt
from guidance.decision.vocabulary import OFFERS
from schemas.conversation import Channel
from schemas.guidance import ActionKind, Fate


def is_waiting(journey: Journey, action_id: str, now: datetime) -> bool:
    """Whether the action was offered elsewhere, and has not been raised with the customer since."""
    offer = journey.open_offer(action_id, now)
    return offer is not None and journey.last_issued.get(action_id, offer.at) <= offer.at


def give_way(
    bids: Iterable[Bid], standing: LivePrompt | None, journey: Journey, now: datetime
) -> tuple[list[Bid], list[Fallen]]:
    """The bids without those that an open offer of the same kind stands against, and those.

    The offer stands where it is called for as well, or is on the desk: `standing` is the live prompt, None: none is.
    """
    bids = list(bids)
    standing_by_kind: dict[ActionKind, str] = {}
    for action_id, kind in _on_the_table(bids, standing):
        if kind in OFFERS and journey.open_offer(action_id, now) is not None:
            standing_by_kind.setdefault(kind, action_id)
    kept: list[Bid] = []
    fallen: list[Fallen] = []
    for bid in bids:
        stands = standing_by_kind.get(bid.action.kind)
        if stands is None or journey.open_offer(bid.action.id, now) is not None:
            kept.append(bid)
        else:
            reason = f"{_how(journey, stands, now)} offer {stands} stands"
            fallen.append(Fallen(bid.action, Fate.SUPPRESSED, reason))
    return kept, fallen


def outranks(bid: Bid, standing: LivePrompt, journey: Journey, now: datetime) -> bool:
    """Whether `bid` is an open offer and the live prompt another offer of its kind, which gives way to it at once."""
    return (
        bid.action.kind in OFFERS
        and bid.action.kind == standing.prompt.kind
        and journey.open_offer(bid.action.id, now) is not None
        and journey.open_offer(standing.prompt.action_id, now) is None
    )


def said_of(journey: Journey, action_id: str, now: datetime) -> tuple[str, ...]:
    """What the agent is told of it as a reason; nothing where it was not offered elsewhere."""
    offer = journey.open_offer(action_id, now)
    return () if offer is None else (f"{_how(journey, action_id, now)} offer of {offer.at:%d %b}",)


def _on_the_table(bids: Iterable[Bid], standing: LivePrompt | None) -> Iterable[tuple[str, ActionKind]]:
    if standing is not None:
        yield standing.prompt.action_id, standing.prompt.kind
    for bid in bids:
        yield bid.action.id, bid.action.kind


def _how(journey: Journey, action_id: str, now: datetime) -> str:
    offer = journey.open_offer(action_id, now)
    channel = None if offer is None else offer.channel
    return "mailed" if channel in (Channel.MAIL, Channel.EMAIL) else f"{channel or 'open'}"
