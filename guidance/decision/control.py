"""The control group: a share of customers for whom chance chooses, for ever, so that guidance can be compared with it.

A customer belongs to it or not by a hash of their id alone. A control conversation gets any of the actions that have
reached arbitration, each as likely as the others; triggers, eligibility, contact policy and compliance are as for
everybody. While a prompt is on its desk nothing replaces it: a random choice never disturbs more often than a good one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

from guidance.decision.arbitration import Bid
from guidance.decision.fold import Event
from guidance.decision.propensity import uniform
from guidance.decision.selection import selection_probabilities
from guidance.decision.state import CustomerState, LivePrompt
from schemas.guidance import Tick
from schemas.intent import RoutedLifecycle, ScoredTurn

Group = Literal["guided", "control"]

_SALT = "livecue control group"
"""Another salt is another group. Changing it ends every comparison that is under way."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which bid is prompted, and how likely that was for each."""

    winner: Bid | None
    probabilities: dict[str, float]
    """By action id, of every bid, before anything was drawn; what they lack of 1 is the chance of no new prompt."""


def group_of(customer_id: str | None, route_key: str, share: float) -> Group | None:
    """The group of a conversation that starts now, `share` of all customers being in the control group.

    None: nobody knew who the customer was when it started (its route key is the conversation's), so it is guided and
    left out of comparisons: whether somebody is recognised depends on what is said to them.
    """
    if customer_id is None or route_key != customer_id:
        return None
    digest = blake2b(f"{_SALT}|{customer_id}".encode(), digest_size=8).digest()
    return "control" if int.from_bytes(digest, "big") < share * 2.0**64 else "guided"


def with_group(before: CustomerState, after: CustomerState, event: Event | Tick, share: float) -> CustomerState:
    """`after`, which `event` has made of `before`, with the group of a conversation that it started."""
    if not isinstance(event, RoutedLifecycle | ScoredTurn):
        return after
    conversation = after.live.get(event.conversation_id)
    if conversation is None or event.conversation_id in before.live:
        return after
    group = group_of(event.customer_id, event.route_key, share)
    return after.with_conversation(event.conversation_id, conversation.model_copy(update={"group": group}))


def choose(ranked: Sequence[Bid], standing: LivePrompt | None, margin: float, group: Group | None, seed: int) -> Choice:
    """The winner of `ranked`, which come in arbitration's order; None: nothing new is prompted.

    Guided, it is the first, unless the prompt that is `standing` on the desk is about as good (`margin`). In the
    control group it is any, unless one stands.
    """
    if not ranked:
        return Choice(None, {})
    if group == "control":
        share = 1.0 / len(ranked) if standing is None else 0.0
        by_id = sorted(ranked, key=lambda bid: bid.action.id)
        drawn = by_id[int(uniform(seed, "control group") * len(by_id))] if standing is None else None
        return Choice(drawn, {bid.action.id: share for bid in ranked})
    must_beat = -1.0 if standing is None else standing.priority * (1.0 + margin)
    chances = selection_probabilities(ranked, must_beat)
    winner = ranked[0] if ranked[0].priority > must_beat else None
    return Choice(winner, {bid.action.id: chance for bid, chance in zip(ranked, chances, strict=True)})
