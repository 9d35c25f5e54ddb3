"""Which turns speed is measured on."""

import itertools

from models.training.report.speeds import MOST_TURNS, spread


def test_all_of_a_stream_has_its_part() -> None:
    short = [("customer", str(index)) for index in range(7)]
    long = [("customer", str(index)) for index in range(3 * MOST_TURNS + 1)]

    assert spread(short) == short
    assert spread([]) == []
    chosen = [int(text) for _, text in spread(long)]
    assert len(chosen) == MOST_TURNS
    assert {later - earlier for earlier, later in itertools.pairwise(chosen)} <= {3, 4}
    assert chosen[-1] >= len(long) - 4
