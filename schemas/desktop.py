"""The frames between a desktop and the gateway: JSON text frames over one websocket, protocol version 1.

    desk                                        gateway
     │ ─ hello {token, role, agent_id, cursor} ─▶ │
     │ ◀─ welcome {resumed, cursor, heartbeat} ── │  resumed: what was missed follows, record by record
     │ ◀─ reset {why, cursor, conversations} ──── │  not resumed: forget everything, this is how things stand
     │ ◀─ record {cursor, record} ─────────────── │  keep the cursor of the last frame that has one
     │ ─ outcome {prompt_id, state, reason} ────▶ │
     │ ◀─ ack {outcome_id} ────────────────────── │  it is safely in Kafka
     │ ─ wrap_up {ask_id, offers, disposition} ─▶ │  the answer to an outcome.asked record, or none: empty
     │ ◀─ wrapped_up {ask_id} ─────────────────── │  it is safely in Kafka
     │ ─ ping {n} ──────────────────────────────▶ │  every heartbeat_s
     │ ◀─ pong {n, cursor, server_time} ───────── │  a quiet desk's cursor moves on

A supervisor's desk says hello without an agent_id or a cursor, and gets `wall` and `trends` every few seconds, and
`conversation` while it watches one. Its feed is sampled: there is nothing to resume.

This is both directions as a whole. The frames themselves: `schemas.desk_session` has what every desk's session is made
of, `schemas.agent_frames` and `schemas.supervisor_frames` what is said within it.
"""

from typing import Annotated

from pydantic import Field, TypeAdapter

from schemas.agent_frames import Ack, OutcomeReport, RecordFrame, Reset, WrappedUp, WrapUpReport
from schemas.desk_session import Hello, Ping, Pong, Refused, Status, Welcome
from schemas.supervisor_frames import ConversationView, Trends, Unwatch, Wall, Watch

MAX_DESK_FRAME_BYTES = 64 * 1024
"""The largest frame that a gateway reads from a desk, in bytes."""

DeskFrame = Annotated[Hello | OutcomeReport | WrapUpReport | Ping | Watch | Unwatch, Field(discriminator="type")]
FROM_DESK: TypeAdapter[DeskFrame] = TypeAdapter(DeskFrame)
"""What a gateway reads."""

GatewayFrame = Annotated[
    Welcome | Reset | RecordFrame | Pong | Ack | WrappedUp | Status | Refused | Wall | Trends | ConversationView,
    Field(discriminator="type"),
]
TO_DESK: TypeAdapter[GatewayFrame] = TypeAdapter(GatewayFrame)
"""What a desk reads."""
