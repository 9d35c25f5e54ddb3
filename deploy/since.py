"""Instants as people type them: how long ago, or when."""

import re
from datetime import UTC, datetime, timedelta

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def since(text: str, now: datetime) -> datetime:
    """`text` as an instant: "90m", "24h" or "7d" before `now`, or ISO 8601, taken for UTC where it names no zone.

    Raises:
        ValueError: it is none of these, or lies in the future.
    """
    if ago := re.fullmatch(r"(\d{1,6})([mhd])", text.strip()):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"“{text}” is no time: write 90m, 24h, 7d, or 2026-11-26T09:00") from None
    instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
    if instant > now:
        raise ValueError(f"“{text}” is in the future: by UTC it is {now:%Y-%m-%dT%H:%M} now")
    return instant
