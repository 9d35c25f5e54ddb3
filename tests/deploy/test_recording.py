"""Recordings: read with a place for every mistake, renamed, moved, compressed."""

from datetime import timedelta

import pytest

from builders import at, customer_event, ended, started, turn
from deploy.player import play
from deploy.recording import Line, compressed, moved, read, renamed, samples
from schemas.codec import encode
from schemas.errors import Malformed
from streams.bus.ports import Message

CONVERSATION = (started(), turn(), customer_event(at=at(20)), ended())


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "one.ndjson"
    path.write_bytes(b"\n".join(encode(event) for event in reversed(CONVERSATION)) + b"\n\n")
    return path


def test_lines_come_in_order_of_time_and_go_to_their_topics(recording) -> None:
    lines = read([recording])

    assert list(CONVERSATION) == [line.event for line in lines]
    assert ["conversation.turns.v1", "conversation.turns.v1", "customer.events.v1", "conversation.turns.v1"] == [
        line.message.topic for line in lines
    ]
    assert ["c1", "c1", "dana", "c1"] == [line.message.key for line in lines]


def test_a_mistake_is_told_with_file_and_line(recording) -> None:
    recording.write_bytes(encode(started()) + b'\n{"type":"turn"}\n')

    with pytest.raises(Malformed, match=r"one\.ndjson, line 2: turn\.turn_id"):
        read([recording])


def test_a_renamed_run_shares_no_id_with_another(recording) -> None:
    first, second = (tuple(renamed(read([recording]), run)) for run in ("1", "2"))

    assert {line.message.key for line in first}.isdisjoint(line.message.key for line in second)
    assert "c1.1" == first[1].event.conversation_id
    assert "dana.1" == first[0].event.customer_id == first[2].event.customer_id


def test_moved_twice_as_fast_keeps_the_gaps_halved() -> None:
    line = moved(Line(turn()), origin=at(0), start=at(100), speed=2.0)

    assert (at(104), at(105)) == (line.event.started_at, line.event.ended_at)


def test_compressed_cuts_silences_and_nothing_else(recording) -> None:
    lines = tuple(compressed(read([recording]), timedelta(seconds=4)))

    assert [0.0, 4.0, 8.0, 12.0] == [(line.at - lines[0].at).total_seconds() for line in lines]
    assert timedelta(seconds=2) == lines[1].event.ended_at - lines[1].event.started_at


def test_the_samples_come_with_the_package() -> None:
    assert len({line.event.conversation_id for line in read(samples()) if hasattr(line.event, "channel")
                if hasattr(line.event, "conversation_id")}) >= 40  # fmt: skip


async def test_played_in_order_when_due(recording) -> None:
    published: list[Message] = []

    class Collecting:
        async def publish(self, messages) -> None:
            published.extend(messages)

    seen: list[str] = []
    await play(read([recording]), Collecting(), speed=3000.0, on_sent=lambda line, when: seen.append(line.event.type))

    assert [event.type for event in CONVERSATION] == seen
    assert [line.message.key for line in read([recording])] == [message.key for message in published]
