"""What a desk session asks of whoever carries its bytes. It does nothing itself."""

from dataclasses import dataclass

from schemas.desk_session import Hello
from schemas.desktop import GatewayFrame
from schemas.outcomes import BusinessOutcome, PromptOutcome, WrapUp


@dataclass(frozen=True, slots=True)
class Send:
    """Write this frame to the desk, after those asked for before."""

    frame: GatewayFrame


@dataclass(frozen=True, slots=True)
class Join:
    """A well-formed hello. You must check its token, then call `admit` or `refuse`; until then read no other frame."""

    hello: Hello


@dataclass(frozen=True, slots=True)
class Publish:
    """An outcome for Kafka. Of those with `reported`, you must call `stored` or `not_stored` in the end."""

    outcome: PromptOutcome
    reported: bool
    """True: the agent did it, and their desk waits for word. False: the gateway saw it by itself."""


@dataclass(frozen=True, slots=True)
class PublishAnswer:
    """The agent's answer to a question, for Kafka, in this order. You must call `answer_stored` or `answer_not_stored`
    in the end."""

    ask_id: str
    records: tuple[BusinessOutcome | WrapUp, ...]


@dataclass(frozen=True, slots=True)
class Follow:
    """The supervisor watches this conversation from now on, and no other."""

    conversation_id: str | None
    """None: none."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection, after what was asked to be sent."""

    code: int
    """A websocket close code: 1001 going away, 1008 refused, 1013 come again."""
    reason: str


Event = Send | Join | Publish | PublishAnswer | Follow | Close
