"""Labels whose meaning the fold itself knows. A model without one of them simply never fires it."""

DECLINES_OFFER = "declines_offer"
ACCEPTS_OFFER = "accepts_offer"
MAKES_OFFER = "makes_offer"
PAYMENT_TROUBLE = "payment_trouble"
VULNERABILITY = "vulnerability"
CANCEL_SERVICE = "cancel_service"
GRATITUDE = "gratitude"
CLOSING = "closing"

GROWING = frozenset(("upgrade_interest", "add_product"))
"""The customer wants more of the company: the opposite of `LEAVING`."""
LEAVING = frozenset((CANCEL_SERVICE, "cancellation_terms", "competitor_mention", "price_complaint"))
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
