"""The count of a run: lost and doubled, by distinct ids."""

from builders import at, decision, prompt
from deploy.tally import Tally, percentiles
from schemas.guidance import PromptEnding, PromptState


def decided() -> Tally:
    tally = Tally(sent_at={"c1-t1": at(10)})
    tally.decided(decision())
    return tally


def test_a_turn_without_a_decision_is_lost() -> None:
    assert 1 == Tally(sent_at={"t1": at()}).lost


def test_a_prompt_that_came_to_nothing_is_lost() -> None:
    assert {prompt().prompt_id} == decided().unaccounted


def test_a_prompt_rendered_once_is_neither_lost_nor_doubled() -> None:
    tally = decided()
    tally.render(prompt().prompt_id, at(10.25))

    assert (0, 0) == (tally.lost, tally.duplicates)
    assert [250.0] == tally.prompt_latencies_ms


def test_a_prompt_that_a_later_decision_ended_is_not_lost() -> None:
    tally = decided()
    ending = PromptEnding(
        prompt_id=prompt().prompt_id, action_id="x", state=PromptState.SUPERSEDED, reason="something better"
    )
    tally.decided(decision(decision_id="d2", turn_id="c1-t2", prompts=(), endings=(ending,)))

    assert 0 == tally.lost


def test_a_prompt_rendered_twice_is_a_duplicate() -> None:
    tally = decided()
    tally.render(prompt().prompt_id, at(11))
    tally.render(prompt().prompt_id, at(12))

    assert 1 == tally.duplicates
    assert [1000.0] == tally.prompt_latencies_ms


def test_a_redelivered_decision_counts_once() -> None:
    tally = decided()
    tally.decided(decision())

    assert 1 == tally.summary()["decisions"]


def test_percentiles_are_values_that_were_measured() -> None:
    assert {"p50": 50.0, "p95": 95.0, "p99": 99.0} == percentiles([float(n) for n in range(1, 101)])
    assert {"p50": 7.0, "p95": 7.0, "p99": 7.0} == percentiles([7.0])
    assert {"p50": None, "p95": None, "p99": None} == percentiles([])
