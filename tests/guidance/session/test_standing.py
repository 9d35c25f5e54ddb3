"""A desk that comes in mid-call: snapshots and records joined, whichever is ahead."""

from typing import Any

from builders import at, desk_turn, issued, opened, prompt, prompt_ended, snapshot
from guidance.session import standing
from guidance.session.standing import replays
from schemas.desk import ConversationClosed


def closed(conversation_id: str = "c1") -> ConversationClosed:
    return ConversationClosed(
        record_id=f"{conversation_id}-closed", conversation_id=conversation_id, agent_id="ada", reason="ended"
    )


def stand(snapshots: list, own: list, seconds: float = 20, earlier: dict[str, list[Any]] | None = None) -> tuple:
    return replays("ada", snapshots, earlier or {}, own, at(seconds))


def test_the_transcript_and_the_live_prompt() -> None:
    (told,), unknown = stand([snapshot()], [opened(), desk_turn(), issued()])
    assert told.records == (opened(), desk_turn(), issued())
    assert told.snapshot.live_prompt == prompt()
    assert unknown == []


def test_a_prompt_that_the_records_end_is_not_live_whatever_the_snapshot_says() -> None:
    (told,), _ = stand([snapshot()], [opened(), issued(), prompt_ended()])
    assert told.snapshot.live_prompt is None


def test_a_prompt_that_only_the_records_know_is_live() -> None:
    later = prompt("other", created_at=at(15))
    (told,), _ = stand([snapshot()], [opened(), issued(), prompt_ended(), issued(later)])
    assert told.snapshot.live_prompt == later


def test_a_stale_prompt_is_not_live() -> None:
    (told,), _ = stand([snapshot()], [opened(), issued()], seconds=70)
    assert told.snapshot.live_prompt is None


def test_pinned_prompts_stand_beside_the_live_one() -> None:
    pinned = prompt("recording", pinned=True)
    (told,), _ = stand([snapshot(pinned=(pinned,))], [opened()])
    assert (told.snapshot.live_prompt, told.snapshot.pinned) == (prompt(), (pinned,))


def test_a_conversation_that_the_records_close_is_left_out() -> None:
    assert stand([snapshot()], [opened(), desk_turn(), closed()]) == ([], [])


def test_one_that_no_snapshot_knows_yet_follows_record_by_record() -> None:
    new = [
        opened(conversation_id="c2", record_id="c2-opened"),
        desk_turn(conversation_id="c2", record_id="c2-t1", turn_id="c2-t1"),
    ]
    told, unknown = stand([snapshot()], [opened(), *new])
    assert ([each.snapshot.conversation_id for each in told], unknown) == (["c1"], new)


def test_one_that_no_snapshot_knows_any_more_is_left_out() -> None:
    gone = [opened(conversation_id="c2", record_id="c2-opened"), closed("c2")]
    assert stand([], gone) == ([], [])
    assert stand([], [desk_turn()]) == ([], [])  # its opening is older than what was read: long over


def test_a_former_agents_turns_come_first_and_none_of_their_prompts() -> None:
    before = [opened(agent_id="eve"), desk_turn(agent_id="eve", record_id="e1", turn_id="e1"), issued(agent_id="eve")]
    (told,), _ = stand([snapshot(live_prompt=None)], [opened(), desk_turn()], earlier={"c1": before})
    assert told.records == (before[1], opened(), desk_turn())


def test_a_conversation_that_came_back_starts_at_its_last_opening() -> None:
    again = opened(record_id="c1-opened-again")
    (told,), _ = stand([snapshot(live_prompt=None)], [opened(), desk_turn(), closed(), again])
    assert told.records == (again,)


def test_a_turn_comes_once_as_it_ended() -> None:
    partial = desk_turn(record_id="c1-t1~0", text="I'm think", is_final=False)
    (told,), _ = stand([snapshot(live_prompt=None)], [opened(), partial, desk_turn()])
    assert told.records == (opened(), desk_turn())


def test_a_long_conversation_comes_with_its_latest_records() -> None:
    turns = [desk_turn(record_id=f"r{n}", turn_id=f"t{n}") for n in range(standing.MOST_RECORDS + 20)]
    (told,), _ = stand([snapshot(live_prompt=None)], [opened(), *turns])
    assert told.records == tuple(turns[20:])
