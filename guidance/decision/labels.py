"""Labels whose meaning the fold itself knows. A model without one of them simply never fires it."""

DECLINES_OFFER = "declines_offer"
ACCEPTS_OFFER = "accepts_offer"
MAKES_OFFER = "makes_offer"
PAYMENT_TROUBLE = "payment_trouble"
VULNERABILITY = "vulnerability"

PROBLEMS = frozenset(
    (
        "account_access",
        "billing_dispute",
        "cancel_service",
        "order_status",
        "payment_trouble",
        "price_complaint",
        "refund_return",
        "repeat_contact",
        "technical_problem",
    )
)
"""What people contact a company about until it is solved: contacts over one of these count towards “third contact”."""
