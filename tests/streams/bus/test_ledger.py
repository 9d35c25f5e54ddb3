"""The ledger: redelivery recognised, any prefix of its writes consistent, bounded."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from builders import T0, at
from fakes import Rows
from streams.bus.ledger import HORIZON, HORIZON_INPUTS, Ledger, owners
from streams.bus.ports import Message


def message(text: str) -> Message:
    return Message("out", "k", text.encode())


def play(table: Rows, inputs: Sequence[str], owner: str = "dana") -> list[Message]:
    """A processor that counts its owner's inputs, one batch."""
    ledger, published = Ledger(table), []
    for input_id in inputs:
        account = ledger.open(0, owner)
        again = account.published(input_id)
        if again is None:
            count = int(account.state or b"0") + 1
            again = account.commit(input_id, str(count).encode(), [message(f"{input_id}={count}")], T0)
        published += again
    table.carry_out(ledger.writes())
    return published


def test_a_redelivered_input_publishes_the_same_bytes_and_changes_nothing() -> None:
    table = Rows()
    first = play(table, ["a"]) + play(table, ["b", "c"]) + play(table, ["d"])
    before = dict(table.rows)

    again = play(table, ["a", "b", "c", "d"])

    assert first == again
    assert before == table.rows


def test_twice_in_one_batch_is_a_redelivery_too() -> None:
    assert [message("a=1"), message("a=1")] == play(Rows(), ["a", "a"])


@pytest.mark.parametrize("cut", range(6))
def test_any_prefix_of_the_writes_is_consistent(cut) -> None:
    """A crash after `cut` writes, then the whole batch again: as if nothing had happened."""
    smooth, crashed = Rows(), Rows()
    for table in (smooth, crashed):
        play(table, ["a", "b"])
    before = Rows(dict(crashed.rows))
    expected = play(smooth, ["c", "d"])
    ledger = Ledger(before)
    for input_id in ("c", "d"):
        account = ledger.open(0, "dana")
        count = int(account.state or b"0") + 1
        account.commit(input_id, str(count).encode(), [message(f"{input_id}={count}")], T0)
    before.carry_out(ledger.writes()[:cut])

    assert expected == play(before, ["c", "d"])
    assert play(smooth, ["e"]) == play(before, ["e"])


def test_what_is_kept_of_an_owner_is_bounded() -> None:
    table = Rows()
    for number in range(3 * HORIZON_INPUTS):
        play(table, [f"i{number}"])

    assert len(table.rows) <= HORIZON_INPUTS + 64 + 1
    oldest_known = 2 * HORIZON_INPUTS + 1
    assert [message(f"i{oldest_known}={oldest_known + 1}")] == play(table, [f"i{oldest_known}"])


def test_a_sweep_forgets_idle_owners_and_spares_the_others() -> None:
    table = Rows()
    play(table, ["a", "b"], owner="idle")
    ledger = Ledger(table)
    ledger.open(0, "busy").commit("x", b"1", [message("x")], at(HORIZON.total_seconds() + 5))
    ledger.sweep(0, T0 + HORIZON + timedelta(seconds=5), keep_state=False)
    table.carry_out(ledger.writes())

    assert ["busy"] == [owner for owner, _ in owners(table, 0)]
    assert not list(table.scan(0, "sent/idle/"))


def test_a_sweep_can_keep_what_is_known_of_a_customer() -> None:
    table = Rows()
    play(table, ["a"])
    play(table, ["b"])
    ledger = Ledger(table)
    ledger.sweep(0, T0 + HORIZON + timedelta(seconds=5), keep_state=True)
    table.carry_out(ledger.writes())

    assert [("dana", b"2")] == list(owners(table, 0))
    assert not list(table.scan(0, "sent/"))


def test_owners_with_odd_names_do_not_meet() -> None:
    table = Rows()
    for owner in ("a", "a/b", "a%2Fb", "ä", "a b"):
        play(table, ["x"], owner=owner)

    assert {"a", "a/b", "a%2Fb", "ä", "a b"} == {owner for owner, _ in owners(table, 0)}
    assert all(state == b"1" for _, state in owners(table, 0))
