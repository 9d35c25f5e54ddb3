"""CLINC150 (Larson et al., CC BY 3.0): questions to an assistant; most want nothing that a contact centre sells."""

import json
from pathlib import Path

from models.training.datasets.sampling import take_per_class
from models.training.taxonomy import CUSTOMER_LABELS
from models.training.turns import LabelledTurn

_MOST_PER_LABELLED_CLASS = 40
_MOST_PER_OTHER_CLASS = 5

_LABEL_OF_CLASS = {
    "order_status": "order_status",
    "application_status": "order_status",
    "replacement_card_duration": "order_status",
    "account_blocked": "account_access",
    "card_declined": "payment_trouble",
    "credit_limit_change": "upgrade_interest",
    "new_card": "add_product",
    "interest_rate": "plan_inquiry",
    "apr": "plan_inquiry",
    "international_fees": "plan_inquiry",
    "thank_you": "gratitude",
    "goodbye": "closing",
}
_WANTS_NOTHING = frozenset(
    [
        "alarm",
        "are_you_a_bot",
        "balance",
        "bill_due",
        "book_flight",
        "calculator",
        "calories",
        "carry_on",
        "change_accent",
        "change_speed",
        "cook_time",
        "date",
        "definition",
        "directions",
        "distance",
        "exchange_rate",
        "find_phone",
        "flip_coin",
        "food_last",
        "fun_fact",
        "gas",
        "greeting",
        "how_busy",
        "how_old_are_you",
        "income",
        "jump_start",
        "last_maintenance",
        "make_call",
        "meaning_of_life",
        "measurement_conversion",
        "meeting_schedule",
        "mpg",
        "next_holiday",
        "next_song",
        "nutrition_info",
        "oil_change_when",
        "payday",
        "play_music",
        "plug_type",
        "pto_balance",
        "recipe",
        "reminder",
        "repeat",
        "restaurant_suggestion",
        "roll_dice",
        "routing",
        "shopping_list",
        "spelling",
        "taxes",
        "tell_joke",
        "text",
        "time",
        "timer",
        "timezone",
        "tire_pressure",
        "todo_list",
        "traffic",
        "transactions",
        "translate",
        "uber",
        "vaccines",
        "w2",
        "weather",
        "what_are_your_hobbies",
        "what_is_your_name",
        "what_song",
        "where_are_you_from",
        "who_do_you_work_for",
    ]
)
_NOT_ANNOTATED = frozenset({"repeat_contact", "technical_problem", "billing_dispute", "vulnerability"})
"""May hold beside a mapped class, unmarked."""


def load_clinc150(folder: Path) -> list[LabelledTurn]:
    """Mapped classes of the train split, and a few of each class that is none of ours."""
    data = json.loads((folder / "clinc150" / "data_full.json").read_text(encoding="utf-8"))
    rows = [(text, name) for text, name in data["train"]]
    labelled = take_per_class((row for row in rows if row[1] in _LABEL_OF_CLASS), _MOST_PER_LABELLED_CLASS)
    others = take_per_class((row for row in rows if row[1] in _WANTS_NOTHING), _MOST_PER_OTHER_CLASS)
    turns = [LabelledTurn(text, "customer", frozenset(), source="clinc150", churn_risk=0) for text, _ in others]
    for text, name in labelled:
        label = _LABEL_OF_CLASS[name]
        known = frozenset(CUSTOMER_LABELS) - _NOT_ANNOTATED
        turns.append(LabelledTurn(text, "customer", frozenset({label}), known, source="clinc150"))
    return turns
