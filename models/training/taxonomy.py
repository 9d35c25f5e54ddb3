"""The label set that Livecue's own model learns. Serving knows none of these: it reads the manifest's."""

CUSTOMER_LABELS = (
    "cancel_service",
    "cancellation_terms",
    "competitor_mention",
    "price_complaint",
    "billing_dispute",
    "payment_trouble",
    "technical_problem",
    "upgrade_interest",
    "add_product",
    "plan_inquiry",
    "order_status",
    "refund_return",
    "account_access",
    "account_change",
    "repeat_contact",
    "escalation",
    "vulnerability",
    "accepts_offer",
    "declines_offer",
    "gratitude",
    "closing",
)
AGENT_LABELS = ("discloses_recording", "verifies_identity", "makes_offer", "apologises", "states_terms")
LABELS = CUSTOMER_LABELS + AGENT_LABELS
ACTIONABLE = frozenset(LABELS) - {"gratitude", "closing"}
"""Labels that want something done or said. Thanks and goodbyes are heard, and call for nothing."""

PROTECTIVE = frozenset({"vulnerability"})
"""Labels that only ever hold selling back: one that fires in vain spares a customer an offer, one that is missed does
not."""
