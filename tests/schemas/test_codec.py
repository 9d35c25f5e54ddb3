"""Tolerant readers, strict writers."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import builders
from schemas.codec import MAX_RECORD_BYTES, decode, encode
from schemas.conversation import CONVERSATION
from schemas.errors import Malformed
from schemas.intent import INTENTS


def test_a_field_from_a_newer_writer_is_ignored() -> None:
    newer = {**json.loads(encode(builders.turn())), "mood": "stormy"}

    assert builders.turn() == decode(CONVERSATION, json.dumps(newer).encode())


def test_scores_from_before_the_cascade_are_read() -> None:
    older = json.loads(encode(builders.scored(None, "cancel_service")))
    del older["scores"]["embedding"], older["scores"]["stage"]

    read = decode(INTENTS, json.dumps(older).encode())

    assert builders.scored(scores=builders.scores("cancel_service", embedding=None, stage=None)) == read


@pytest.mark.parametrize("change", [{"embedding": "no base64!"}, {"embedding": ""}, {"stage": "oracle"}])
def test_scores_that_make_no_sense_are_malformed(change) -> None:
    turn = json.loads(encode(builders.scored(None, "cancel_service")))
    turn["scores"].update(change)

    with pytest.raises(Malformed, match=f"scores.{next(iter(change))}"):
        decode(INTENTS, json.dumps(turn).encode())


def test_instants_of_any_zone_are_held_and_written_in_utc() -> None:
    raw = {**json.loads(encode(builders.turn())), "ended_at": "2026-01-05T11:00:10+02:00"}

    assert b'"ended_at":"2026-01-05T09:00:10.000Z"' in encode(decode(CONVERSATION, json.dumps(raw).encode()))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"ended_at": "2026-01-05T09:00:10"}, "turn.ended_at"),
        ({"turn_id": ""}, "turn.turn_id"),
        ({"speaker": "robot"}, "turn.speaker"),
        ({"type": "tune"}, "the record"),
        ({"confidence": 1.5}, "turn.confidence"),
    ],
)
def test_malformed_says_where_and_never_what_was_said(change, where) -> None:
    raw = {**json.loads(encode(builders.turn("my card is 4111 1111 1111 1111"))), **change}

    with pytest.raises(Malformed) as error:
        decode(CONVERSATION, json.dumps(raw).encode())

    assert where in str(error.value)
    assert "4111" not in str(error.value)


@pytest.mark.parametrize("value", [None, b"", b"{", b"\xff\xfe", b"[]", b"null", b'"turn"'])
def test_what_is_no_record_is_malformed(value) -> None:
    with pytest.raises(Malformed):
        decode(CONVERSATION, value)


def test_a_huge_record_is_malformed_before_it_is_parsed() -> None:
    with pytest.raises(Malformed, match=f"at most {MAX_RECORD_BYTES}"):
        decode(CONVERSATION, b" " * (MAX_RECORD_BYTES + 1))


@given(st.text(max_size=2000))
def test_any_text_survives_the_wire(text) -> None:
    sent = builders.turn(text.encode("utf-8", "ignore").decode())

    assert sent == decode(CONVERSATION, encode(sent))


def test_a_writer_can_not_make_an_invalid_value() -> None:
    with pytest.raises(ValidationError):
        builders.turn(ended_at=builders.T0.replace(tzinfo=None))
