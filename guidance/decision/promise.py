"""Whether the agent promises to come back to the customer, and by when."""

import re
from datetime import datetime, timedelta

_PROMISE = re.compile(
    r"\b(?:i|we)(?:['’]ll| will|['’]m going to| am going to)\b(?:\s+\w+){0,6}?\s+"
    r"(?:(?:call|ring|phone|message|text|email|write) you|(?:get|come) back to you)\b",
    re.IGNORECASE,
)
_WHEN: tuple[tuple[re.Pattern[str], timedelta], ...] = (
    (re.compile(r"\b(?:within|in) (?:the|an|one) hour\b", re.IGNORECASE), timedelta(hours=1)),
    (re.compile(r"\b(?:today|this (?:morning|afternoon|evening))\b", re.IGNORECASE), timedelta(hours=8)),
    (re.compile(r"\b(?:this|by the end of the) week\b", re.IGNORECASE), timedelta(days=3)),
    (re.compile(r"\bnext week\b", re.IGNORECASE), timedelta(days=7)),
)
"""The customer's time of day is not known: “today” is taken to mean within a working day's hours."""
_ELSE = timedelta(hours=24)


def promised_by(text: str, now: datetime) -> datetime | None:
    """When what is said at `now` promises that the customer will hear from the agent; None: it promises nothing.

    “I'll call you back today” does, “I'll call the engineer” does not; without a time it means within 24 hours.
    """
    if _PROMISE.search(text) is None:
        return None
    return now + next((after for pattern, after in _WHEN if pattern.search(text)), _ELSE)
