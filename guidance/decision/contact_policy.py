"""Step 3: whether it is bearable to say it now, to this customer, through this agent."""

from datetime import datetime, timedelta

from guidance.decision.action import Action
from guidance.decision.agents_word import is_back, kept_back_because
from guidance.decision.catalog import Policy
from guidance.decision.honour import is_waiting
from guidance.decision.past import Journey
from guidance.decision.state import CustomerState, LiveConversation
from guidance.decision.vocabulary import SELLING
from schemas.guidance import ActionKind
from schemas.intent import ScoredTurn

MOST_PINNED = 4
"""Pinned compliance prompts that fit beside the live one."""
_NOBODY = "nobody has the conversation"
_EXPIRED = "expired: "


def suppressed_because(
    action: Action,
    policy: Policy,
    customer: CustomerState,
    conversation: LiveConversation,
    turn: ScoredTurn,
    now: datetime,
    *,
    newly_pinned: int = 0,
) -> str | None:
    """Why `action` is kept back, in a clause; None: it is not. Compliance is never throttled, only not repeated.

    `newly_pinned` is how many the same decision pins already.
    """
    if conversation.agent_id is None:
        return _NOBODY
    late_s = (now - turn.turn.ended_at).total_seconds()
    if late_s >= action.expires_after_s:
        return f"{_EXPIRED}the turn ended {late_s:.0f} s ago, it keeps for {action.expires_after_s} s"
    if any(prompt.action_id == action.id for prompt in conversation.prompts):
        return "on the desk already"
    if (why := kept_back_because(action, policy, conversation, now)) is not None:
        return why
    if action.kind is ActionKind.COMPLIANCE:
        return _compliance_kept_back(action, conversation, newly_pinned)
    if action.kind in SELLING and customer.journey.is_vulnerable(now):
        return "vulnerable: nothing is sold"
    return _over_a_limit(action, policy, customer, conversation, now) or _resting(
        action, policy, customer, conversation, now
    )


def comes_too_late_or_to_nobody(reason: str) -> bool:
    """Whether that is why something was suppressed: its moment was there, and passed."""
    return reason == _NOBODY or reason.startswith(_EXPIRED)


def _compliance_kept_back(action: Action, conversation: LiveConversation, newly_pinned: int) -> str | None:
    if action.id in conversation.settled:
        return "settled by the agent"
    pinned = len(conversation.pinned) + newly_pinned
    return f"{MOST_PINNED} are pinned already" if pinned >= MOST_PINNED else None


def _over_a_limit(
    action: Action, policy: Policy, customer: CustomerState, conversation: LiveConversation, now: datetime
) -> str | None:
    times = conversation.issued.get(action.id, 0)
    if times >= action.most_per_conversation:
        return f"prompted {times}× in this conversation, at most {action.most_per_conversation}"
    total = sum(conversation.issued.values())
    if total >= policy.most_prompts_per_conversation:
        return f"{total} prompts in this conversation, at most {policy.most_prompts_per_conversation}"
    most = policy.most_per_customer
    if (
        most is not None
        and (times := customer.journey.issued_within(timedelta(days=most.within_days), now)) >= most.times
    ):
        return f"{times} offers and prompts to this customer within {most.within_days:g} days, at most {most.times}"
    return None


def _resting(
    action: Action, policy: Policy, customer: CustomerState, conversation: LiveConversation, now: datetime
) -> str | None:
    journey = customer.journey
    refusal = journey.refusals.get(action.id)
    if refusal is not None and now - refusal.at < timedelta(days=policy.refusal_rests_days):
        return f"refused on {refusal.channel.value}, {refusal.at:%d %b %H:%M}"
    if not is_waiting(journey, action.id, now) and (why := _had_before(action, journey, conversation, now)) is not None:
        return why
    since = now - timedelta(days=policy.dismissals_within_days)
    times = sum(1 for each in journey.dismissals if each.action_id == action.id and each.at > since)
    if times >= policy.most_dismissals:
        return f"dismissed {times}× within {policy.dismissals_within_days:g} days"
    return None


def _had_before(action: Action, journey: Journey, conversation: LiveConversation, now: datetime) -> str | None:
    """The action's own limits over conversations. An offer that waits in the customer's hands is stopped by none."""
    issued_at = journey.last_issued.get(action.id)
    if issued_at is None:
        return None
    if action.once_only:
        return f"once only, and it was on {issued_at:%d %b %H:%M}"
    rested_at = issued_at + timedelta(minutes=action.cooldown_minutes)
    if now < rested_at and not is_back(action, conversation, issued_at, now):
        return f"cooling down until {rested_at:%d %b %H:%M}"
    most = action.most_per_customer
    if most is not None:
        times = journey.issued_within(timedelta(days=most.within_days), now, action.id)
        if times >= most.times:
            return f"put to this customer {times}× within {most.within_days:g} days, at most {most.times}"
    return None
