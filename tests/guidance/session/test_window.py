"""What a gateway keeps in memory, who is at which desk, and what a cursor names."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import at, desk_turn, outcome
from guidance.session import reported
from guidance.session.cursor import Place
from guidance.session.reported import Reported
from guidance.session.roster import Roster
from guidance.session.window import DeskWindow, Entry
from schemas.guidance import PromptState


def entry(offset: int, agent_id: str = "ada", partition: int = 0, seconds: float = 0) -> Entry:
    return Entry(partition, offset, at(seconds), desk_turn(record_id=f"{partition}-{offset}", agent_id=agent_id))


def window(most: int = 100) -> DeskWindow:
    return DeskWindow({0: 5, 1: 0}, keep=timedelta(minutes=1), most=most)


def test_it_holds_each_agents_records_in_order() -> None:
    kept = window()
    for each in (entry(5), entry(6, "eve"), entry(7)):
        kept.add(each)
    assert [each.offset for each in kept.of("ada")] == [5, 7]
    assert [each.offset for each in kept.of("ada", 6)] == [7]
    assert (kept.begins(0), kept.ends(0), kept.begins(1), kept.ends(1)) == (5, 8, 0, 0)
    assert kept.of("nobody") == []


def test_what_could_not_be_read_is_passed_over() -> None:
    kept = window()
    kept.skip(0, 5)
    assert (kept.begins(0), kept.ends(0)) == (5, 6)


def test_the_old_is_let_go_and_its_place_is_known() -> None:
    kept = window()
    kept.add(entry(5, seconds=0))
    kept.add(entry(6, seconds=61))
    kept.forget(at(61))
    assert (kept.begins(0), [each.offset for each in kept.of("ada")]) == (6, [6])


@given(st.lists(st.tuples(st.sampled_from([0, 1]), st.sampled_from(["ada", "eve", "bo"])), max_size=60))
def test_nothing_between_begin_and_end_is_missing(written: list[tuple[int, str]]) -> None:
    kept, offsets, everything = window(most=10), {0: 5, 1: 0}, []
    for partition, agent_id in written:
        everything.append(entry(offsets[partition], agent_id, partition))
        offsets[partition] += 1
        kept.add(everything[-1])
    for agent_id in ("ada", "eve", "bo"):
        expected = [e for e in everything if e.record.agent_id == agent_id and e.offset >= kept.begins(e.partition)]
        assert kept.of(agent_id) == expected
    assert len([e for agent_id in ("ada", "eve", "bo") for e in kept.of(agent_id)]) <= 10


def test_a_cursor_comes_back_as_the_place_it_was_made_of() -> None:
    place = Place("f3a1-b", 11, 90210)
    assert Place.read(place.cursor) == place


@pytest.mark.parametrize("cursor", ["", "x", "a/b/c", "/1/2", "t/1", "t/-1/2", "t/1/2/3", "t/1/٣", "t/1/" + "9" * 30])
def test_what_is_no_cursor_names_no_place(cursor: str) -> None:
    assert Place.read(cursor) is None


def test_all_of_an_agents_desks_are_found_and_only_theirs() -> None:
    roster: Roster[str] = Roster()
    roster.add("ada", "left screen")
    roster.add("ada", "right screen")
    roster.add("eve", "laptop")
    roster.remove("ada", "left screen")
    roster.remove("ada", "never added")
    assert (list(roster.of("ada")), list(roster.of("eve")), list(roster.of("bo"))) == (["right screen"], ["laptop"], [])


def test_a_state_is_news_once() -> None:
    seen = Reported()
    assert seen.is_news(outcome(PromptState.DELIVERED))
    seen.add(outcome(PromptState.DELIVERED))
    assert not seen.is_news(outcome(PromptState.DELIVERED))
    assert seen.is_news(outcome(PromptState.ACCEPTED))


def test_a_prompt_that_some_desktop_got_does_not_expire_at_another() -> None:
    seen = Reported()
    assert seen.is_news(outcome(PromptState.EXPIRED))
    seen.add(outcome(PromptState.DELIVERED))
    assert not seen.is_news(outcome(PromptState.EXPIRED))


def test_what_was_reported_is_forgotten_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reported, "KEPT", 1)
    seen = Reported()
    seen.add(outcome(PromptState.DELIVERED))
    seen.add(outcome(PromptState.SHOWN))
    assert seen.is_news(outcome(PromptState.DELIVERED))
    assert not seen.is_news(outcome(PromptState.SHOWN))
