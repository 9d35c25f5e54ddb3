"""One desk's websocket, without the websocket: frames in, events out. No I/O, no clock.

What is refused, and whether the connection stays: before the hello stands, everything refused closes it. After that
a frame that cannot be read, is out of turn or not the desk's to send is refused in words and the session goes on.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from guidance.session.asks import DeskAsks
from guidance.session.events import Close, Event, Follow, Join, Publish, PublishAnswer, Send
from guidance.session.prompts import DeskPrompts, Refusal, outcome_of
from schemas.agent_frames import Ack, ConversationReplay, OutcomeReport, RecordFrame, Reset, WrappedUp, WrapUpReport
from schemas.codec import decode
from schemas.desk import DeskRecord, OutcomeAsked, PromptIssued
from schemas.desk_session import PROTOCOL, Hello, Ping, Pong, RefusalCode, Refused, Role, Welcome
from schemas.desktop import FROM_DESK, MAX_DESK_FRAME_BYTES
from schemas.errors import Malformed
from schemas.guidance import Prompt, PromptState
from schemas.outcomes import PromptOutcome
from schemas.supervisor_frames import Unwatch, Watch

REFUSED, COME_AGAIN, GOING_AWAY, FAILED = 1008, 1013, 1001, 1011
"""Websocket close codes."""

_MOST_SENT = 4_000


class DeskSession:
    """The gateway's end of one session, an agent's or a supervisor's.

    After calling any method you must carry out the events it returns, in order.
    """

    def __init__(self, session_id: str, heartbeat_s: float) -> None:
        self._session_id = session_id
        self._heartbeat_s = heartbeat_s
        self._state: Literal["new", "joining", "open", "closed"] = "new"
        self._prompts = DeskPrompts()
        self._asks = DeskAsks()
        self._sent: dict[tuple[Literal["record", "prompt"], str], None] = {}  # the latest ids
        self.hello: Hello | None = None
        """None until a well-formed hello has come."""

    @property
    def role(self) -> Role | None:
        """None until a well-formed hello has come."""
        return None if self.hello is None else self.hello.role

    def receive(self, text: str | bytes, now: datetime, position: str | None) -> Sequence[Event]:
        """A frame from the desk. `position`: the cursor up to which its agent's records have been handed to `send`."""
        if self._state == "closed":
            return ()
        if isinstance(text, bytes):
            return self._refused("malformed", "A binary frame: this protocol has text frames only. Send JSON text.")
        raw = text.encode()
        if len(raw) > MAX_DESK_FRAME_BYTES:
            return self._refused(
                "malformed", f"A frame may have {MAX_DESK_FRAME_BYTES} bytes; this one has {len(raw)}."
            )
        try:
            frame = decode(FROM_DESK, raw)
        except Malformed as error:
            return self._refused("malformed", f"The frame could not be read and was ignored. {error}.")
        if isinstance(frame, Hello):
            return self._greet(frame)
        if self._state != "open":
            return self._refused("unexpected", "The first frame must be a hello. Connect again, and say hello.")
        if isinstance(frame, Ping):
            return [Send(Pong(n=frame.n, cursor=position, server_time=now))]
        if isinstance(frame, OutcomeReport):
            return self._report(frame, now)
        if isinstance(frame, WrapUpReport):
            return self._wrap_up(frame, now)
        return self._follow(frame)

    def admit(
        self, *, resumed: bool, cursor: str | None, known: Iterable[Prompt | OutcomeAsked], now: datetime
    ) -> Sequence[Event]:
        """The token is right. `known`: what the agent may have got in earlier sessions and may still answer."""
        for each in known:
            if isinstance(each, Prompt):
                self._prompts.add(each)
            else:
                self._asks.add(each)
        self._state = "open"
        welcome = Welcome(
            session_id=self._session_id,
            resumed=resumed,
            cursor=cursor,
            heartbeat_s=self._heartbeat_s,
            server_time=now,
        )
        return [Send(welcome)]

    def refuse(self, code: RefusalCode, message: str, close_code: int = REFUSED) -> Sequence[Event]:
        """Say why in words, and end the session."""
        self._state = "closed"
        return [Send(Refused(code=code, message=message, closes=True)), Close(close_code, code)]

    def reset(
        self,
        why: Literal["no_cursor", "too_old", "unknown_topic", "overflow"],
        cursor: str,
        conversations: Sequence[ConversationReplay],
        now: datetime,
    ) -> Sequence[Event]:
        """The desk starts from nothing; the live prompts count as delivered to it."""
        events: list[Event] = [Send(Reset(why=why, cursor=cursor, conversations=tuple(conversations)))]
        for conversation in conversations:
            for record in conversation.records:
                self._remember("record", record.record_id)
            snapshot = conversation.snapshot
            for prompt in (snapshot.live_prompt, *snapshot.pinned):
                if prompt is not None and prompt.agent_id == self._agent_id:
                    events += self._deliver(prompt, now)
        return events

    def send(self, record: DeskRecord, cursor: str, now: datetime) -> Sequence[Event]:
        """A desk record whose turn it is to be written. Nothing goes out twice, and nothing of another agent's.

        A prompt that has expired by `now` is not sent: its expiry is published instead.
        """
        if self._state != "open" or record.agent_id != self._agent_id or ("record", record.record_id) in self._sent:
            return ()
        self._remember("record", record.record_id)
        frame = Send(RecordFrame(cursor=cursor, record=record))
        if isinstance(record, OutcomeAsked):
            self._asks.add(record)
        if not isinstance(record, PromptIssued):
            return [frame]
        if ("prompt", record.prompt.prompt_id) in self._sent:
            return ()
        if record.prompt.expires_at <= now:
            return [Publish(outcome_of(record.prompt, PromptState.EXPIRED, now), reported=False)]
        return [frame, *self._deliver(record.prompt, now)]

    def stored(self, outcome: PromptOutcome) -> Sequence[Event]:
        """A reported outcome is safely in Kafka."""
        return [Send(Ack(outcome_id=outcome.outcome_id, prompt_id=outcome.prompt_id, state=outcome.state))]

    def not_stored(self, outcome: PromptOutcome) -> Sequence[Event]:
        """A reported outcome could not be put into Kafka."""
        return self._refused(
            "unavailable",
            "What you did with the prompt could not be recorded: too much waits to be stored. Report it again.",
            prompt_id=outcome.prompt_id,
            state=outcome.state,
        )

    def answer_stored(self, ask_id: str) -> Sequence[Event]:
        """The answer to a question is safely in Kafka."""
        return [Send(WrappedUp(ask_id=ask_id))]

    def answer_not_stored(self, ask_id: str) -> Sequence[Event]:
        """The answer to a question could not be put into Kafka."""
        words = "What came of the conversation could not be recorded: too much waits to be stored. Say it again."
        return self._refused("unavailable", words, ask_id=ask_id)

    @property
    def _agent_id(self) -> str | None:
        return None if self.hello is None else self.hello.agent_id

    def _greet(self, hello: Hello) -> Sequence[Event]:
        if self._state != "new":
            return self._refused("unexpected", "This session has had its hello. Connect again to begin another.")
        if hello.protocol != PROTOCOL:
            return self.refuse(
                "protocol",
                f"This desk speaks protocol {hello.protocol}, the gateway {PROTOCOL}. Reload the page to get that one.",
            )
        if hello.role == "agent" and hello.agent_id is None:
            return self.refuse("rights", "An agent's hello must say which agent's desk it is, in agent_id.")
        self.hello = hello
        self._state = "joining"
        return [Join(hello)]

    def _report(self, report: OutcomeReport, now: datetime) -> Sequence[Event]:
        if self.role != "agent":
            return self._refused(
                "rights",
                "Only the agent can say what became of a prompt; nothing was recorded.",
                prompt_id=report.prompt_id,
                state=report.state,
            )
        try:
            outcome = self._prompts.outcome(report, now)
        except Refusal as refusal:
            return self._refused(refusal.code, str(refusal), prompt_id=report.prompt_id, state=report.state)
        return [Publish(outcome, reported=True)]

    def _wrap_up(self, report: WrapUpReport, now: datetime) -> Sequence[Event]:
        if self.role != "agent":
            words = "Only the agent can say what came of a conversation; nothing was recorded."
            return self._refused("rights", words, ask_id=report.ask_id)
        try:
            return [PublishAnswer(report.ask_id, self._asks.answer(report, now))]
        except Refusal as refusal:
            return self._refused(refusal.code, str(refusal), ask_id=report.ask_id)

    def _follow(self, frame: Watch | Unwatch) -> Sequence[Event]:
        if self.role != "supervisor":
            return self._refused("rights", "Only supervisors watch conversations. Open the supervisor's page for that.")
        return [Follow(frame.conversation_id if isinstance(frame, Watch) else None)]

    def _deliver(self, prompt: Prompt, now: datetime) -> Sequence[Event]:
        self._prompts.add(prompt)
        self._remember("prompt", prompt.prompt_id)
        return [Publish(outcome_of(prompt, PromptState.DELIVERED, now), reported=False)]

    def _remember(self, what: Literal["record", "prompt"], its_id: str) -> None:
        self._sent[what, its_id] = None
        if len(self._sent) > _MOST_SENT:
            del self._sent[next(iter(self._sent))]

    def _refused(
        self,
        code: RefusalCode,
        message: str,
        *,
        prompt_id: str | None = None,
        state: PromptState | None = None,
        ask_id: str | None = None,
    ) -> Sequence[Event]:
        if self._state in ("new", "joining"):
            return self.refuse(code, message)
        frame = Refused(code=code, message=message, closes=False, prompt_id=prompt_id, state=state, ask_id=ask_id)
        return [Send(frame)]
