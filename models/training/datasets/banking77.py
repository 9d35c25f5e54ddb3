"""Banking77 (PolyAI, CC BY 4.0): customers' questions to a bank, 77 classes, of which those that are one of ours."""

import csv
from pathlib import Path

from models.training.datasets.sampling import take_per_class
from models.training.taxonomy import CUSTOMER_LABELS
from models.training.turns import LabelledTurn

_MOST_PER_CLASS = 20

_LABEL_OF_CLASS = {
    "terminate_account": "cancel_service",
    "card_arrival": "order_status",
    "card_delivery_estimate": "order_status",
    "declined_card_payment": "payment_trouble",
    "card_payment_not_recognised": "billing_dispute",
    "direct_debit_payment_not_recognised": "billing_dispute",
    "transaction_charged_twice": "billing_dispute",
    "extra_charge_on_statement": "billing_dispute",
    "card_payment_fee_charged": "billing_dispute",
    "cash_withdrawal_charge": "billing_dispute",
    "transfer_fee_charged": "billing_dispute",
    "request_refund": "refund_return",
    "Refund_not_showing_up": "refund_return",
    "passcode_forgotten": "account_access",
    "pin_blocked": "account_access",
    "unable_to_verify_identity": "account_access",
    "edit_personal_details": "account_change",
    "card_not_working": "technical_problem",
    "contactless_not_working": "technical_problem",
    "card_acceptance": "plan_inquiry",
    "country_support": "plan_inquiry",
    "supported_cards_and_currencies": "plan_inquiry",
    "top_up_limits": "plan_inquiry",
    "getting_spare_card": "add_product",
    "getting_virtual_card": "add_product",
}

_NOT_ANNOTATED = frozenset(
    {
        "price_complaint",
        "repeat_contact",
        "vulnerability",
        "gratitude",
        "refund_return",
        "technical_problem",
        "payment_trouble",
        "plan_inquiry",
    }
)
"""May hold beside the class, unmarked."""


def load_banking77(folder: Path) -> list[LabelledTurn]:
    """The mapped classes of the train split."""
    with (folder / "banking77" / "train.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["category"]) for row in csv.DictReader(file)]
    turns = []
    for text, name in take_per_class((row for row in rows if row[1] in _LABEL_OF_CLASS), _MOST_PER_CLASS):
        label = _LABEL_OF_CLASS[name]
        known = frozenset(CUSTOMER_LABELS) - _NOT_ANNOTATED | {label}
        turns.append(LabelledTurn(text, "customer", frozenset({label}), known, source="banking77"))
    return turns
