"""The samples are what their README says: 40 conversations, each whole, in order of time, each sort of thing shown."""

import re
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from deploy.samples.build import DAY_STARTS, HERE, Record, build
from models.redaction import Kind, Memory, redact
from schemas.codec import decode, encode
from schemas.conversation import (
    Channel,
    ConversationAssigned,
    ConversationEnded,
    ConversationIdentified,
    ConversationRecord,
    ConversationStarted,
    ConversationTransferred,
    Speaker,
    Turn,
)
from schemas.customer import CustomerEvent
from schemas.guidance import ActionKind

SAMPLE: TypeAdapter[Record] = TypeAdapter(ConversationRecord | CustomerEvent)
FILES = sorted(HERE.glob("*.ndjson"))
BY_FILE: dict[str, list[Record]] = {
    path.stem: [decode(SAMPLE, line) for line in path.read_bytes().splitlines()] for path in FILES
}
RECORDS = [record for records in BY_FILE.values() for record in records]
EXPECTED = yaml.safe_load((HERE / "expected.yaml").read_text(encoding="utf-8"))


def conversations() -> dict[str, list[ConversationRecord]]:
    by_id: dict[str, list[ConversationRecord]] = defaultdict(list)
    for record in RECORDS:
        if not isinstance(record, CustomerEvent):
            by_id[record.conversation_id].append(record)
    return by_id


CONVERSATIONS = conversations()
STARTS = {record.conversation_id: record for record in RECORDS if isinstance(record, ConversationStarted)}
FINALS = {record.turn_id: record for record in RECORDS if isinstance(record, Turn) and record.is_final}


def redacted_turns() -> dict[str, str]:
    memories: dict[tuple[str, Speaker], Memory] = {}
    redacted = {}
    for turn in FINALS.values():
        other = Speaker.AGENT if turn.speaker is Speaker.CUSTOMER else Speaker.CUSTOMER
        mine, theirs = (turn.conversation_id, turn.speaker), (turn.conversation_id, other)
        redacted[turn.turn_id], memories[mine] = redact(turn.text, memories.get(mine, Memory()), memories.get(theirs))
    return redacted


@pytest.mark.parametrize("screenplay", sorted(HERE.glob("*.txt")), ids=lambda path: path.stem)
def test_records_are_what_the_screenplay_says(screenplay: Path) -> None:
    built = b"".join(encode(record) + b"\n" for record in build(screenplay.read_text(encoding="utf-8")))

    assert built == screenplay.with_suffix(".ndjson").read_bytes(), "run: python -m deploy.samples.build"


def test_a_line_that_means_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no line begins with 'B:'"):
        build("[a-b] voice start=00:01 agent=ada\nB: who is that")


def test_there_are_forty_conversations_by_voice_and_chat() -> None:
    channels = Counter(start.channel for start in STARTS.values())

    assert len(STARTS) == 40
    assert set(channels) == {Channel.VOICE, Channel.CHAT}
    assert min(channels.values()) >= 10


def test_ids_are_unique_over_all_files() -> None:
    ids = [record.input_id if isinstance(record, Turn) else record.event_id for record in RECORDS]

    assert [key for key, count in Counter(ids).items() if count > 1] == []


@pytest.mark.parametrize("file", BY_FILE)
def test_a_file_is_in_order_of_time(file: str) -> None:
    instants = [record.ended_at if isinstance(record, Turn) else record.at for record in BY_FILE[file]]

    assert instants == sorted(instants)
    assert instants[0] >= DAY_STARTS


@pytest.mark.parametrize("conversation_id", CONVERSATIONS)
def test_a_conversation_is_whole_and_paced_like_talk(conversation_id: str) -> None:
    records = CONVERSATIONS[conversation_id]
    turns = [record for record in records if isinstance(record, Turn) and record.is_final]

    assert isinstance(records[0], ConversationStarted)
    assert [isinstance(record, ConversationEnded) for record in records] == [False] * (len(records) - 1) + [True]
    assert 8 <= len(turns) <= 24
    assert all(1 <= (turn.ended_at - turn.started_at).total_seconds() <= 12 for turn in turns)
    assert all(before.ended_at <= after.started_at for before, after in pairwise(turns))
    agents = [
        record.agent_id
        for record in records
        if isinstance(record, ConversationStarted | ConversationAssigned | ConversationTransferred)
    ]
    assert any(agents)


def test_partials_come_before_their_final_and_count_up() -> None:
    heard: dict[str, list[int]] = defaultdict(list)
    for record in RECORDS:
        if isinstance(record, Turn) and not record.is_final:
            heard[record.turn_id].append(record.revision)
            assert FINALS[record.turn_id].text.startswith(record.text)
            assert record.ended_at <= FINALS[record.turn_id].ended_at

    assert len(heard) >= 25
    assert all(revisions == list(range(len(revisions))) for revisions in heard.values())


def test_about_half_of_the_calls_read_like_speech_recognition() -> None:
    calls = [start.conversation_id for start in STARTS.values() if start.channel is Channel.VOICE]
    raw = [
        call
        for call in calls
        if all(re.fullmatch(r"[a-z' ]+", turn.text) for turn in FINALS.values() if turn.conversation_id == call)
    ]

    assert 0.4 <= len(raw) / len(calls) <= 0.65


def test_no_agent_is_on_two_calls_at_once() -> None:
    calls: dict[str, list[tuple[object, object]]] = defaultdict(list)
    for start in STARTS.values():
        if start.channel is not Channel.VOICE:
            continue
        holder, since = start.agent_id, start.at
        for record in CONVERSATIONS[start.conversation_id]:
            if isinstance(record, ConversationTransferred | ConversationEnded):
                calls[str(holder)].append((since, record.at))
            if isinstance(record, ConversationTransferred):
                holder, since = record.agent_id, record.at

    for held in calls.values():
        assert all(ended <= began for (_, ended), (began, _) in pairwise(sorted(held)))  # type: ignore[operator]


def test_who_is_met_is_known_before_and_some_on_two_channels() -> None:
    known: set[str] = set()
    channels: dict[str, set[Channel]] = defaultdict(set)
    for record in sorted(RECORDS, key=lambda each: each.ended_at if isinstance(each, Turn) else each.at):
        if isinstance(record, CustomerEvent):
            known.add(record.customer_id)
            if record.channel is not Channel.CRM:
                channels[record.customer_id].add(record.channel)
        elif isinstance(record, ConversationStarted | ConversationIdentified):
            customer = record.customer_id
            if customer not in (None, "unknown"):
                assert customer in known
                channels[str(customer)].add(STARTS[record.conversation_id].channel)

    assert sum(len(met) >= 2 for met in channels.values()) >= 5


def test_lifecycle_of_every_sort_is_there() -> None:
    sorts = Counter(type(record) for record in RECORDS)
    anonymous = [start for start in STARTS.values() if start.customer_id in (None, "unknown")]

    assert sorts[ConversationAssigned] >= 10
    assert sorts[ConversationTransferred] >= 1
    assert sorts[ConversationIdentified] >= 2
    assert len(anonymous) > sorts[ConversationIdentified]


def test_private_things_are_said_and_none_is_left() -> None:
    redacted = redacted_turns()
    left = [text for text in redacted.values() if re.search(r"\d(?:[ -]?\d){6}|@|\b(?:19[4-9]\d|20(?:0\d))\b", text)]

    assert left == []
    said = "".join(redacted.values())
    assert [kind for kind in Kind if kind.marker not in said] == [Kind.NUMBER]


def test_redaction_leaves_the_other_turns_as_they_were() -> None:
    touched = sum(text != FINALS[turn_id].text for turn_id, text in redacted_turns().items())

    assert 30 <= touched <= 0.1 * len(FINALS)


@pytest.mark.parametrize("entry", EXPECTED["live"] + EXPECTED["never"], ids=lambda entry: entry["turn"])
def test_an_expectation_is_of_a_customers_turn_and_of_known_kinds(entry: dict[str, str | list[str]]) -> None:
    turn = FINALS[str(entry["turn"])]

    assert turn.speaker is Speaker.CUSTOMER
    assert str(entry["says"]) in turn.text
    assert set(entry["kinds"]) <= set(ActionKind)


def test_quiet_conversations_are_expected_to_stay_quiet() -> None:
    quiet = {record.conversation_id for record in BY_FILE["quiet"] if isinstance(record, ConversationStarted)}

    assert set(EXPECTED["none_but_compliance"]) == quiet


def test_the_readme_lists_every_conversation() -> None:
    listed = re.findall(r"^\| `([a-z0-9-]+)` \|", (HERE / "README.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(listed) == sorted(STARTS)
