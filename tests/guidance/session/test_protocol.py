"""Every frame a desk can send, every refusal, and what a desk is sent: without a websocket."""

import json

import pytest

from builders import asked, at, desk_turn, issued, opened, prompt, snapshot
from guidance.session.events import Close, Event, Follow, Join, Publish, PublishAnswer, Send
from guidance.session.protocol import REFUSED, DeskSession
from schemas.agent_frames import (
    Ack,
    ConversationReplay,
    OfferAnswer,
    OutcomeReport,
    RecordFrame,
    Reset,
    WrappedUp,
    WrapUpReport,
)
from schemas.codec import encode
from schemas.desk_session import Hello, Ping, Pong, Refused, Welcome
from schemas.guidance import PromptState
from schemas.outcomes import BusinessOutcome, DismissReason, Disposition, WrapUp, outcome_id_of
from schemas.supervisor_frames import Unwatch, Watch

CURSOR = "t/3/17"


def say(session: DeskSession, frame: object, seconds: float = 0) -> list[Event]:
    text = frame if isinstance(frame, str | bytes) else encode(frame).decode()  # type: ignore[arg-type]
    return list(session.receive(text, at(seconds), CURSOR))


def refusal(events: list[Event]) -> Refused:
    (refused,) = (each.frame for each in events if isinstance(each, Send) and isinstance(each.frame, Refused))
    return refused


def joined(role: str = "agent", known: tuple = ()) -> DeskSession:
    session = DeskSession("s1", 5.0)
    hello = Hello(token="secret", role=role, agent_id="ada" if role == "agent" else None)
    assert say(session, hello) == [Join(hello)]
    session.admit(resumed=False, cursor=CURSOR, known=known, now=at())
    return session


def sent(session: DeskSession, record: object, seconds: float = 12) -> list[Event]:
    return list(session.send(record, CURSOR, at(seconds)))  # type: ignore[arg-type]


def test_a_hello_is_welcomed() -> None:
    session = DeskSession("s1", 5.0)
    assert isinstance(say(session, Hello(token="t", role="agent", agent_id="ada"))[0], Join)
    (event,) = session.admit(resumed=True, cursor=CURSOR, known=(), now=at(3))
    assert event == Send(Welcome(session_id="s1", resumed=True, cursor=CURSOR, heartbeat_s=5.0, server_time=at(3)))


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("no json", "malformed"),
        (b"{}", "malformed"),
        ('{"type":"sing"}', "malformed"),
        ('{"type":"ping","n":"' + "9" * 70_000 + '"}', "malformed"),
        (Ping(n=1), "unexpected"),
        (Hello(token="t", role="agent", agent_id="ada", protocol=2), "protocol"),
        (Hello(token="t", role="agent"), "rights"),
    ],
)
def test_before_the_hello_stands_a_refusal_closes(frame: object, code: str) -> None:
    session = DeskSession("s1", 5.0)
    events = say(session, frame)
    assert (refusal(events).code, refusal(events).closes) == (code, True)
    assert events[-1] == Close(REFUSED, code)
    assert say(session, Ping(n=1)) == []


def test_who_is_not_let_in_is_told_why_and_closed() -> None:
    session = DeskSession("s1", 5.0)
    say(session, Hello(token="wrong", role="agent", agent_id="ada"))
    events = list(session.refuse("token", "The token is not valid."))
    assert refusal(events).message == "The token is not valid."
    assert isinstance(events[-1], Close)


@pytest.mark.parametrize(
    ("role", "frame", "code"),
    [
        ("agent", "[]", "malformed"),
        ("agent", b"\x00", "malformed"),
        ("agent", Hello(token="t", role="agent", agent_id="eve"), "unexpected"),
        ("agent", Watch(conversation_id="c1"), "rights"),
        ("agent", Unwatch(), "rights"),
        ("agent", OutcomeReport(prompt_id="never", state=PromptState.SHOWN), "unknown_prompt"),
        ("supervisor", OutcomeReport(prompt_id="p", state=PromptState.SHOWN), "rights"),
    ],
)
def test_afterwards_a_refusal_leaves_the_session_open(role: str, frame: object, code: str) -> None:
    session = joined(role)
    events = say(session, frame)
    assert (refusal(events).code, refusal(events).closes, len(events)) == (code, False, 1)
    assert len(refusal(events).message) > 20
    assert say(session, Ping(n=4), 9) == [Send(Pong(n=4, cursor=CURSOR, server_time=at(9)))]


def test_a_malformed_frame_is_never_quoted_back() -> None:
    assert "4111" not in refusal(say(joined(), '{"type":"ping","n":"card 4111111111111111"}')).message


def test_a_record_goes_out_once() -> None:
    session = joined()
    assert sent(session, desk_turn()) == [Send(RecordFrame(cursor=CURSOR, record=desk_turn()))]
    assert sent(session, desk_turn()) == []


def test_another_agents_record_never_goes_out() -> None:
    assert sent(joined(), desk_turn(agent_id="eve")) == []


def test_a_supervisor_gets_no_desk_records() -> None:
    assert sent(joined("supervisor"), desk_turn()) == []


def test_nothing_goes_out_before_the_welcome() -> None:
    session = DeskSession("s1", 5.0)
    say(session, Hello(token="t", role="agent", agent_id="ada"))
    assert sent(session, desk_turn()) == []


def test_a_prompt_counts_as_delivered_when_it_goes_out() -> None:
    events = sent(joined(), issued())
    assert isinstance(events[0], Send)
    assert isinstance(events[1], Publish)
    assert (events[1].outcome.state, events[1].outcome.at, events[1].reported) == (PromptState.DELIVERED, at(12), False)
    assert events[1].outcome.outcome_id == outcome_id_of(prompt().prompt_id, PromptState.DELIVERED)


def test_a_stale_prompt_is_dropped_and_recorded_as_expired() -> None:
    session = joined()
    (event,) = sent(session, issued(), seconds=70)
    assert isinstance(event, Publish)
    assert (event.outcome.state, event.outcome.route_key) == (PromptState.EXPIRED, "dana")
    assert refusal(say(session, OutcomeReport(prompt_id=prompt().prompt_id, state=PromptState.SHOWN))).code == (
        "unknown_prompt"
    )


@pytest.mark.parametrize("state", [PromptState.SHOWN, PromptState.ACCEPTED, PromptState.DISMISSED])
def test_an_outcome_is_published_then_acknowledged(state: PromptState) -> None:
    session = joined()
    sent(session, issued())
    (event,) = say(session, OutcomeReport(prompt_id=prompt().prompt_id, state=state), 20)
    assert isinstance(event, Publish)
    assert (event.outcome.state, event.outcome.at, event.reported) == (state, at(20), True)
    assert list(session.stored(event.outcome)) == [
        Send(Ack(outcome_id=event.outcome.outcome_id, prompt_id=prompt().prompt_id, state=state))
    ]


def test_only_a_dismissal_keeps_its_reason() -> None:
    session = joined()
    sent(session, issued())
    said = {"prompt_id": prompt().prompt_id, "reason": DismissReason.NOT_NOW, "note": "busy"}
    (shown,) = say(session, OutcomeReport(state=PromptState.SHOWN, **said))
    (dismissed,) = say(session, OutcomeReport(state=PromptState.DISMISSED, **said))
    assert isinstance(shown, Publish)
    assert isinstance(dismissed, Publish)
    assert (shown.outcome.reason, shown.outcome.note) == (None, None)
    assert (dismissed.outcome.reason, dismissed.outcome.note) == (DismissReason.NOT_NOW, "busy")


def test_an_outcome_said_twice_is_the_same_outcome() -> None:
    session = joined()
    sent(session, issued())
    report = OutcomeReport(prompt_id=prompt().prompt_id, state=PromptState.ACCEPTED)
    assert say(session, report, 20) == say(session, report, 25)


def test_a_decided_prompt_is_not_decided_otherwise() -> None:
    session = joined()
    sent(session, issued())
    say(session, OutcomeReport(prompt_id=prompt().prompt_id, state=PromptState.ACCEPTED))
    refused = refusal(say(session, OutcomeReport(prompt_id=prompt().prompt_id, state=PromptState.DISMISSED)))
    assert (refused.code, refused.prompt_id, refused.state) == ("settled", prompt().prompt_id, PromptState.DISMISSED)


def test_a_prompt_of_an_earlier_session_may_be_answered() -> None:
    session = joined(known=(prompt(),))
    (event,) = say(session, OutcomeReport(prompt_id=prompt().prompt_id, state=PromptState.ACCEPTED))
    assert isinstance(event, Publish)


def test_an_outcome_that_is_not_stored_is_refused_and_may_be_said_again() -> None:
    session = joined(known=(prompt(),))
    report = OutcomeReport(prompt_id=prompt().prompt_id, state=PromptState.ACCEPTED)
    (event,) = say(session, report)
    assert isinstance(event, Publish)
    refused = refusal(list(session.not_stored(event.outcome)))
    assert (refused.code, refused.closes, refused.prompt_id) == ("unavailable", False, prompt().prompt_id)
    assert say(session, report) == [event]


def test_a_reset_delivers_what_is_live_and_nothing_of_it_again() -> None:
    session = joined()
    replay = ConversationReplay(snapshot=snapshot(), records=(opened(), desk_turn()))
    frame, delivered = session.reset("no_cursor", CURSOR, [replay], at(12))
    assert frame == Send(Reset(why="no_cursor", cursor=CURSOR, conversations=(replay,)))
    assert isinstance(delivered, Publish)
    assert delivered.outcome.state is PromptState.DELIVERED
    assert sent(session, opened()) == []
    assert sent(session, issued()) == []  # the snapshot was ahead of the records


def test_a_former_agents_pinned_prompt_is_not_delivered_by_a_reset() -> None:
    replay = ConversationReplay(snapshot=snapshot(live_prompt=prompt(agent_id="eve")), records=())
    assert len(joined().reset("no_cursor", CURSOR, [replay], at(12))) == 1


def test_supervisors_watch_and_unwatch() -> None:
    session = joined("supervisor")
    assert say(session, Watch(conversation_id="c1")) == [Follow("c1")]
    assert say(session, Unwatch()) == [Follow(None)]


def test_unknown_fields_are_tolerated() -> None:
    hello = {"type": "hello", "token": "t", "role": "supervisor", "colour": "blue"}
    assert isinstance(say(DeskSession("s1", 5.0), json.dumps(hello))[0], Join)


def test_a_prompt_and_its_record_may_share_an_id() -> None:
    assert len(sent(joined(), issued(record_id=prompt().prompt_id))) == 2


ANSWER = WrapUpReport(
    ask_id="c1-asked",
    offers=(OfferAnswer(prompt_id=prompt().prompt_id, result="accepted"),),
    disposition=Disposition.SOLVED,
)


def test_an_answer_is_published_offers_first_and_acknowledged_once_it_is_stored() -> None:
    session = joined()
    sent(session, asked())
    [published] = say(session, ANSWER, 20)
    assert isinstance(published, PublishAnswer)
    yes, wrap_up = published.records
    assert isinstance(yes, BusinessOutcome)
    assert (yes.outcome_id, yes.result, yes.decision_id, yes.route_key, yes.at) == (
        f"{prompt().prompt_id}:customer", "accepted", prompt().decision_id, "dana", at(20),
    )  # fmt: skip
    assert isinstance(wrap_up, WrapUp)
    assert (wrap_up.outcome_id, wrap_up.disposition) == ("c1-asked:wrap_up", Disposition.SOLVED)
    assert session.answer_stored("c1-asked") == [Send(WrappedUp(ask_id="c1-asked"))]


def test_the_first_answer_stands() -> None:
    session = joined(known=(asked(),))
    first = say(session, ANSWER, 20)
    assert first == say(session, ANSWER, 21) == say(session, WrapUpReport(ask_id="c1-asked"), 22)


@pytest.mark.parametrize(
    "answer",
    [
        WrapUpReport(ask_id="c1-asked"),
        WrapUpReport(ask_id="c1-asked", offers=(OfferAnswer(prompt_id=prompt().prompt_id, result="open"),)),
        WrapUpReport(ask_id="c1-asked", offers=(OfferAnswer(prompt_id="not asked", result="accepted"),)),
    ],
)
def test_what_is_open_or_was_not_asked_says_nothing_of_the_customer(answer: WrapUpReport) -> None:
    session = joined(known=(asked(),))
    [published] = say(session, answer)
    assert [each.type for each in published.records] == ["wrap.up"]  # type: ignore[union-attr]


def test_what_this_desk_was_not_asked_is_refused() -> None:
    refused = refusal(say(joined(), ANSWER))
    assert (refused.code, refused.ask_id, refused.closes) == ("unknown_question", "c1-asked", False)


def test_a_supervisor_answers_nothing() -> None:
    assert refusal(say(joined("supervisor"), ANSWER)).code == "rights"


def test_an_answer_that_cannot_be_stored_is_to_be_said_again() -> None:
    session = joined(known=(asked(),))
    say(session, ANSWER)
    refused = refusal(list(session.answer_not_stored("c1-asked")))
    assert (refused.code, refused.ask_id) == ("unavailable", "c1-asked")
