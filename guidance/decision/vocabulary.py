"""Kinds of actions by what the contact policy makes of them."""

from schemas.guidance import ActionKind

SELLING = frozenset((ActionKind.RETENTION, ActionKind.UPSELL, ActionKind.CROSS_SELL))
"""Never for a vulnerable customer."""
OFFERS = frozenset(ActionKind) - {ActionKind.COMPLIANCE, ActionKind.COACHING}
"""What proposes something that the customer may refuse."""
