"""Labels whose meaning the fold itself knows. A model without one of them simply never fires it."""

DECLINES_OFFER = "declines_offer"
ACCEPTS_OFFER = "accepts_offer"
MAKES_OFFER = "makes_offer"
VULNERABILITY = "vulnerability"
REPEAT_CONTACT = "repeat_contact"

PROBLEMS = frozenset(
    (
        "account_access",
        "billing_dispute",
        "cancel_service",
        "order_status",
        "payment_trouble",
        "price_complaint",
        "refund_return",
        REPEAT_CONTACT,
        "technical_problem",
    )
)
"""What people contact a company about until it is solved: contacts over one of these count towards “third contact”."""
