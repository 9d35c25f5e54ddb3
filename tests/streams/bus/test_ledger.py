"""The ledger: redelivery recognised, any prefix of its writes consistent, bounded."""

import zlib
from collections.abc import Sequence
from datetime import timedelta

import pytest

from builders import T0, at
from fakes import Rows
from streams.bus.ledger import HORIZON, HORIZON_INPUTS, Ledger, owners, read_account
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


def keep(table: Rows, *inputs: tuple[str, bytes | None], cut: int | None = None) -> list[str]:
    """A batch of inputs, each of which puts something aside or (None) leaves it alone; the rows written, by kind."""
    ledger = Ledger(table)
    for input_id, aside in inputs:
        account = ledger.open(0, "dana")
        if account.published(input_id) is None:
            state = b"%d" % (int(account.state or b"0") + 1)
            account.commit(input_id, state, [message(input_id)], T0, aside=aside)
    writes = ledger.writes()[:cut]
    table.carry_out(writes)
    return [write.key.partition("/")[0] for write in writes]


def aside_of(table: Rows) -> tuple[bytes | None, bytes | None]:
    account = read_account(table, 0, "dana")
    return account.state, account.aside


def test_what_is_aside_is_written_only_where_it_has_changed() -> None:
    table = Rows()
    assert keep(table, ("a", b"one")) == ["state"]
    assert keep(table, ("b", None)) == ["sent", "aside", "state"]
    assert keep(table, ("c", None), ("d", None)) == ["sent", "state"]
    assert b"one" not in zlib.decompress(table.rows[0, "state/dana"])
    assert aside_of(table) == (b"4", b"one")
    keep(table, ("e", b"two"), ("f", None))
    keep(table, ("g", b"three"))
    assert aside_of(table) == (b"7", b"three")


@pytest.mark.parametrize("cut", range(5))
@pytest.mark.parametrize("before", [b"one", None])
@pytest.mark.parametrize("change", [b"two", None])
def test_a_crash_never_parts_a_state_from_what_is_aside(cut, before, change) -> None:
    table = Rows()
    keep(table, ("a", b"zero"))
    keep(table, ("b", before))
    old, new = (b"2", before or b"zero"), (b"4", change or before or b"zero")
    batch = (("c", None), ("d", change))
    keep(table, *batch, cut=cut)
    assert aside_of(table) in (old, new)
    keep(table, *batch)
    assert aside_of(table) == new
    keep(table, ("e", None))
    assert aside_of(table) == (b"5", new[1])


def test_a_sweep_spares_or_forgets_what_is_aside_with_its_state() -> None:
    for pending in (False, True):
        for keep_state in (False, True):
            table = Rows()
            keep(table, ("a", b"one"))
            if not pending:
                keep(table, ("b", None))
            ledger = Ledger(table)
            ledger.sweep(0, T0 + HORIZON + timedelta(seconds=5), keep_state=keep_state)
            table.carry_out(ledger.writes())
            assert aside_of(table)[1] == (b"one" if keep_state else None)
            assert keep_state or not table.rows
