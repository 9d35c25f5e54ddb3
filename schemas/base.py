"""What every contract is made of: a tolerant reader, a strict writer, aware UTC instants, bounded ids."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)


def _to_utc(instant: datetime) -> datetime:
    instant = instant.astimezone(UTC)
    finer = instant.microsecond % 1000
    return instant.replace(microsecond=instant.microsecond - finer) if finer else instant


def _write_instant(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Instant = Annotated[AwareDatetime, AfterValidator(_to_utc), PlainSerializer(_write_instant, when_used="json")]
"""An aware instant, held in UTC to the millisecond, written as ``2026-11-23T10:15:00.250Z``. Finer parts are dropped as
it is read, so that what is compared is what is written."""

Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""An opaque identifier of 1 to 200 characters. Its inner structure is nobody's business but its writer's."""

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
"""A probability in [0, 1]."""


class Contract(BaseModel):
    """A value that crosses a process border.

    Readers are tolerant: fields they do not know are ignored, so a newer writer may add some. Writers are strict: a
    value can only be made whole and valid, and it never changes afterwards.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)
