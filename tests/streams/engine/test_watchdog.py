"""When a worker counts as stuck."""

from streams.engine.watchdog import Progress


def test_records_waiting_and_none_done_is_stuck_since_it_was_first_seen() -> None:
    progress = Progress()
    for now in (0.0, 10.0, 31.0):
        progress.observe({"p": 5}, {"p": 9}, now)
    assert progress.stuck_s == 31.0


def test_moving_however_slowly_is_not_stuck() -> None:
    progress = Progress()
    for now in range(100):
        progress.observe({"p": now}, {"p": 1_000}, float(now))
    assert progress.stuck_s == 0.0


def test_standing_at_the_end_is_not_stuck() -> None:
    progress = Progress()
    for now in (0.0, 100.0):
        progress.observe({"p": 9}, {"p": 9}, now)
    assert progress.stuck_s == 0.0


def test_one_stuck_partition_among_moving_ones_is_seen() -> None:
    progress = Progress()
    for now in range(40):
        progress.observe({"p": now, "q": 3}, {"p": 100, "q": 4}, float(now))
    assert progress.stuck_s == 39.0


def test_a_partition_given_away_and_back_starts_anew() -> None:
    progress = Progress()
    progress.observe({"p": 5}, {"p": 9}, 0.0)
    progress.observe({}, {}, 20.0)
    progress.observe({"p": 5}, {"p": 9}, 40.0)
    assert progress.stuck_s == 0.0
