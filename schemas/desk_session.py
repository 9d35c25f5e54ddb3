"""A desk session itself, the same for agents and supervisors: how it begins, stays alive, falters and is refused.

`Hello` and `Welcome` begin it, `Ping` and `Pong` keep it, `Status` says how the gateway is, and `Refused` what could
not be done, whichever frame asked for it.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Contract, Id, Instant
from schemas.guidance import PromptState

PROTOCOL = 1
"""The version that both sides speak."""

Cursor = Annotated[str, Field(min_length=1, max_length=400)]
"""Where in its records a desk stands. Opaque to desks: keep the latest one, hand it back in the next hello."""

Role = Literal["agent", "supervisor"]


# From any desk to the gateway


class Hello(Contract):
    """The first frame of a session, and only the first."""

    type: Literal["hello"] = "hello"
    protocol: int = PROTOCOL
    token: str = Field(min_length=1, max_length=4096)
    role: Role
    agent_id: Id | None = None
    """Whose desk this is; None for supervisors."""
    cursor: Cursor | None = None
    """Where this page had got to; None: it knows nothing yet."""


class Ping(Contract):
    """The desk is alive; expected every `Welcome.heartbeat_s`."""

    type: Literal["ping"] = "ping"
    n: int = Field(ge=0)
    """Comes back in the pong."""


# From the gateway to any desk


class Welcome(Contract):
    """The session stands."""

    type: Literal["welcome"] = "welcome"
    protocol: int = PROTOCOL
    session_id: Id
    resumed: bool
    """True: everything after the hello's cursor follows as `record` frames. False: a `reset` follows (agents), or the
    first `wall` (supervisors)."""
    cursor: Cursor | None
    """For agents: where the desk stands now. None for supervisors."""
    heartbeat_s: float
    """Send a ping this often; silence for three of them means that the connection is gone."""
    server_time: Instant
    """The gateway's clock, to show times left and latencies by."""


class Pong(Contract):
    """The answer to a ping."""

    type: Literal["pong"] = "pong"
    n: int
    cursor: Cursor | None
    """The position read so far; None for supervisors."""
    server_time: Instant


class Status(Contract):
    """How the gateway itself is; sent when that changes, and after the welcome when it is not `live`."""

    type: Literal["status"] = "status"
    state: Literal["live", "degraded"]
    """`degraded`: nothing new reaches the gateway for now; it will follow, in order, and the session stays."""
    message: str
    """For people: what happened, what it means, what to do."""


RefusalCode = Literal[
    "malformed",
    "protocol",
    "token",
    "rights",
    "unexpected",
    "unknown_prompt",
    "unknown_question",
    "settled",
    "unknown_conversation",
    "unavailable",
    "too_slow",
    "going_away",
]


class Refused(Contract):
    """Something could not be done."""

    type: Literal["refused"] = "refused"
    code: RefusalCode
    """`malformed`: the frame could not be read. `protocol`: another version. `token`, `rights`: not let in, not yours
    to do. `unexpected`: a frame out of turn. `unknown_prompt`, `unknown_question`: this desk was never shown it.
    `settled`: the prompt was accepted or dismissed already. `unknown_conversation`: not live. `unavailable`: an outcome
    could not be stored, report it again. `too_slow`: the desk did not read. `going_away`: this gateway stops, another
    takes over."""
    message: str
    """For people: what happened, what it means, what to do."""
    closes: bool
    """True: the gateway closes the connection after this frame. For `too_slow` and `going_away` come again with the
    cursor; after the others that close, coming again the same way is refused again."""
    prompt_id: Id | None = None
    """Of the outcome that was refused; None otherwise."""
    state: PromptState | None = None
    """Of the outcome that was refused; None otherwise."""
    ask_id: Id | None = None
    """Of the answer to a question that was refused; None otherwise."""
