"""What a decision says of its own past, so that it can be decided again from the log alone.

`sequence` says how many inputs an owner's state has taken in, but they come from several topics, whose order among each
other no log keeps, and ticks are kept for an hour. So each decision names what was folded since the one before. A
chain of decisions begins with one that carries the state itself: the first since nothing was live, hence about one a
conversation, or the first after more than `MOST_FOLDED` inputs went by undecided. A replay starts there, however long
ago the customer was first seen.
"""

from datetime import UTC, datetime, timedelta

from guidance.decision.fold import Event
from guidance.decision.identity import input_id_of
from guidance.decision.state import CustomerState
from schemas.guidance import Decision, Tick
from schemas.handoff import Forwarded, HandoffRecord
from schemas.requests import DecisionRequest

MOST_FOLDED = 16
"""Inputs that are named between two decisions of an owner, the first of them included."""
_TICK = "tick@"
_EPOCH = datetime.fromtimestamp(0, UTC)
_MILLISECOND = timedelta(milliseconds=1)


def traced(
    before: CustomerState,
    event: Event | Tick | DecisionRequest | HandoffRecord,
    after: CustomerState,
    decision: Decision | None,
    now: datetime,
) -> tuple[CustomerState, Decision | None]:
    """`after` and `decision`, which came of `event`, with the trace carried on."""
    named = tick_id(now) if isinstance(event, Tick) else input_id_of(event)
    folded: tuple[str, ...] | None
    if decision is not None:
        owner = event.customer_id if isinstance(event, Forwarded) else None
        state = before.write().decode() if before.folded is None else None
        decision = decision.model_copy(update={"owner": owner, "folded": before.folded, "state": state})
        folded = (named,)
    elif before.folded is None or after is before or after == before:
        return after, None
    else:
        folded = (*before.folded, named)
    if not after.live or len(folded) > MOST_FOLDED:
        folded = None
    return after.model_copy(update={"folded": folded}), decision


def tick_id(now: datetime) -> str:
    """How a trace names a tick that reached Kafka at `now`: ticks are not kept, but their instant says it all."""
    return f"{_TICK}{(now - _EPOCH) // _MILLISECOND}"


def ticked_at(input_id: str) -> datetime | None:
    """The instant of the tick that a trace names so; None: it is another input's id."""
    ms = input_id.removeprefix(_TICK)
    return _EPOCH + int(ms) * _MILLISECOND if ms != input_id and ms.isdigit() else None
