"""The bookkeeping that makes the consumer gap-free."""

import random

from hypothesis import given
from hypothesis import strategies as st

from streams.engine.positions import HOLE_AFTER, Positions, Verdict


def started(offset: int = 5) -> Positions[str]:
    positions: Positions[str] = Positions()
    positions.start("p", offset)
    return positions


def test_delivers_exactly_what_is_due() -> None:
    positions = started(5)
    assert [Verdict.DELIVER, Verdict.DELIVER] == [positions.judge("p", 5), positions.judge("p", 6)]
    assert positions.due("p") == 7


def test_nothing_is_delivered_before_the_seek() -> None:
    positions: Positions[str] = Positions()
    assert positions.judge("p", 0) is Verdict.DROP
    assert not positions.ack("p", 0)
    assert positions.to_commit() == {}


def test_what_comes_again_is_dropped() -> None:
    positions = started(5)
    positions.judge("p", 5)
    assert positions.judge("p", 5) is Verdict.DROP
    assert positions.judge("p", 3) is Verdict.DROP
    assert positions.due("p") == 6


def test_a_leap_is_sought_back_and_changes_nothing() -> None:
    positions = started(5)
    assert positions.judge("p", 9) is Verdict.SEEK_BACK
    assert positions.due("p") == 5
    assert positions.judge("p", 5) is Verdict.DELIVER


def test_only_a_hole_seen_repeatedly_is_stepped_over() -> None:
    positions = started(5)
    leaps = [positions.judge("p", 9) for _ in range(HOLE_AFTER)]
    assert leaps == [Verdict.SEEK_BACK] * HOLE_AFTER
    assert positions.judge("p", 9) is Verdict.HOLE
    assert positions.due("p") == 10
    assert positions.ack("p", 9)
    assert positions.to_commit() == {"p": 10}


def test_leaps_are_counted_anew_after_each_delivery() -> None:
    positions = started(5)
    for offset in range(5, 5 + 2 * HOLE_AFTER):
        assert positions.judge("p", offset + 2) is Verdict.SEEK_BACK
        assert positions.judge("p", offset) is Verdict.DELIVER


def test_a_hole_behind_records_in_hand_is_crossed_once_they_are_done() -> None:
    positions = started(5)
    positions.judge("p", 5)
    for _ in range(HOLE_AFTER):
        positions.judge("p", 9)
    assert positions.judge("p", 9) is Verdict.HOLE
    assert positions.to_commit() == {}
    assert positions.ack("p", 5)
    assert positions.to_commit() == {"p": 9}
    assert positions.ack("p", 9)
    assert positions.to_commit() == {"p": 10}


def test_acks_count_only_in_order() -> None:
    positions = started(5)
    assert not positions.ack("p", 6)
    assert positions.ack("p", 5)
    assert not positions.ack("p", 5)
    assert positions.to_commit() == {"p": 6}


def test_a_commit_that_failed_is_to_be_made_again() -> None:
    positions = started(5)
    positions.ack("p", 5)
    assert positions.to_commit() == positions.to_commit() == {"p": 6}
    positions.committed({"p": 6})
    assert positions.to_commit() == {}


def test_after_a_revocation_nothing_of_before_counts() -> None:
    positions = started(5)
    positions.judge("p", 5)
    epoch = positions.epoch
    positions.forget()
    assert positions.epoch == epoch + 1
    assert not positions.ack("p", 5)
    assert positions.judge("p", 6) is Verdict.DROP
    positions.committed({"p": 6})
    assert positions.done() == {}


@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(0, 20))
def test_whatever_is_lost_on_the_way_all_is_delivered_once_and_in_order(seed: int, end: int, start: int) -> None:
    """A client that loses, repeats and leaps at will, but reads truly after a seek."""
    rng, positions, delivered, position = random.Random(seed), started(start), [], start
    sought = False
    for _ in range(2_000):
        if (due := positions.due("p")) is not None and due >= start + end:
            break
        fetched = list(range(position, min(position + rng.randint(0, 8), start + end)))
        position = fetched[-1] + 1 if fetched else position
        if not sought:
            fetched = fetched[rng.choice([0, 0, 0, 2]) :]  # the head is lost, and the position has moved
        sought = False
        for offset in fetched:
            verdict = positions.judge("p", offset)
            if verdict is Verdict.DELIVER:
                delivered.append(offset)
            elif verdict is Verdict.SEEK_BACK:
                position, sought = positions.due("p") or 0, True
                break
        if rng.random() < 0.05:  # a rebalance
            done = start + rng.randint(0, len(set(delivered)))
            positions.forget()
            positions.start("p", done)
            delivered, position = [o for o in delivered if o < done], done
        if position >= start + end and (positions.due("p") or 0) < start + end:
            position = positions.due("p") or 0  # more traffic would show the leap; here the log has ended
    assert delivered == list(range(start, start + end))
