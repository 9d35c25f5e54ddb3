"""DSTC11 track 2, insurance (CDLA Permissive 2.0): customers' requests to an insurer."""

import json
from pathlib import Path

from models.training.taxonomy import CUSTOMER_LABELS
from models.training.turns import LabelledTurn

_LABEL_OF_INTENT = {
    "CancelPlan": "cancel_service",
    "AddDependent": "add_product",
    "EnrollInPlan": "add_product",
    "ChangeAddress": "account_change",
    "UpdatePaymentPreference": "account_change",
    "UpdateBillingFrequency": "account_change",
    "ChangeSecurityQuestion": "account_change",
    "ResetPassword": "account_access",
    "GetQuote": "plan_inquiry",
    "ReportBillingIssue": "billing_dispute",
    "CheckPaymentStatus": "order_status",
}
_WANTS_NOTHING = frozenset(
    {"PayBill", "GetPolicyNumber", "CheckAccountBalance", "FindAgent", "RequestProofOfInsurance"}
)
_NOT_ANNOTATED = frozenset({"repeat_contact", "gratitude", "vulnerability", "add_product"})
_FILE = "development-test-utterances.jsonl"


def load_dstc11(folder: Path) -> list[LabelledTurn]:
    """Mapped intents, and those that are none of ours."""
    turns = []
    for line in (folder / "dstc11_insurance" / _FILE).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        label = _LABEL_OF_INTENT.get(row["intent"])
        if label is None and row["intent"] not in _WANTS_NOTHING:
            continue
        labels = frozenset({label} if label else ())
        known = frozenset(CUSTOMER_LABELS) - _NOT_ANNOTATED | labels
        turns.append(LabelledTurn(row["utterance"], "customer", labels, known, source="dstc11"))
    return turns
