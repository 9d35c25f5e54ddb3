"""Test cases of catalogues: read whole or refused by line; what is not as expected is told by line."""

import pytest

from builders import scores
from guidance.decision.case_run import play
from guidance.decision.cases import read_cases
from guidance.decision.catalog_text import CatalogError
from small_catalog import changed, small

CASES = """\
customers:
  dana: {tenure_months: 74, monthly_bill: 48}
cases:
  - case: Who wants to leave is kept
    customer: dana
    story:
      - {customer: I'm off, hears: {cancel_service: 0.9, escalation: 0.4}}
    expect: {wins: keep, pins: [record], says: $48, because: {review: lost to keep, calm: nothing said}}
"""


def played(text: str, catalog=None, score=None):
    catalog = catalog or small()
    return list(play(read_cases(text, catalog), catalog, score))


def changed_cases(old: str, new: str) -> str:
    assert old in CASES
    return CASES.replace(old, new, 1)


def test_what_is_as_expected_has_no_mismatch():
    (result,) = played(CASES)
    assert (result.winner, result.pinned, result.line, result.mismatches) == ("keep", ("record",), 4, ())


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("wins: keep", "wins: review", "keep wins instead of review: lost to keep"),
        ("wins: keep", "wins: none", "keep wins instead of none"),
        ("pins: [record]", "pins: []", "pinned are record instead of none"),
        ("says: $48", "says: $49", "without “$49”"),
        ("review: lost to keep", "review: cooling", "review: lost to keep 36.00 with 27.00; expected “cooling”"),
    ],
)
def test_what_is_not_as_expected_is_told_at_the_expectations_line(old, new, what):
    (result,) = played(changed_cases(old, new))
    (mismatch,) = result.mismatches
    assert what in mismatch.what
    assert mismatch.line == 8


def test_a_catalogue_that_changes_fails_its_cases():
    (result,) = played(CASES, changed(("prior: 0.5", "prior: 0.05")))
    assert "review wins instead of keep" in result.mismatches[0].what


@pytest.mark.parametrize(
    ("old", "new", "line", "what", "mend"),
    [
        ("customer: dana", "customer: dina", 5, "no customer is called “dina”", "customers:"),
        ("tenure_months: 74", "tenur_months: 74", 2, "“tenur_months”", "did you mean tenure_months"),
        ("tenure_months: 74", "tenure_years: 6", 2, "“tenure_years”", ""),
        ("wins: keep", "wins: kep", 8, "no action is called “kep”", "did you mean keep"),
        ("because: {review", "because: {revew", 8, "no action is called “revew”", "did you mean review"),
        ("expect: {wins: keep, pins", "expects: {wins: keep, pins", 8, "not known here", "did you mean expect"),
        ("{customer: I'm off, hears", "{agent: hm, customer: I'm off, hears", 7, "one thing", "write one of"),
        ("{customer: I'm off, hears", "{pause: 3 d, hears", 7, "no length of time", "5 days"),
        ("hears: {cancel_service: 0.9", "hears: {cancel_service: 9", 7, "cancel_service cannot be “9”", "less than"),
        ("customer: I'm off, hears", "pause: 3 h, hears", 7, "pause does not go with hears", "step of its own"),
        ("cases:\n", "cases: []\nmore:\n", 3, "“cases” is empty", "say at least one"),
    ],
)
def test_a_mistake_is_refused_with_its_line_and_mend(old, new, line, what, mend):
    with pytest.raises(CatalogError) as refused:
        read_cases(changed_cases(old, new), small())
    assert any(
        problem.line == line and what in problem.what and mend in problem.mend for problem in refused.value.problems
    ), refused.value.problems


def test_a_case_without_a_turn_or_an_expectation_is_refused():
    for old, new in (
        ("customer: I'm off, hears: {cancel_service: 0.9, escalation: 0.4}", "pause: 3 h"),
        ("    expect", "#"),
    ):
        with pytest.raises(CatalogError):
            read_cases(changed_cases(old, new), small())


def test_a_turn_that_does_not_say_what_is_heard_is_put_to_the_model():
    asked = []

    def score(speaker, text):
        asked.append((speaker.value, text))
        return scores("escalation")

    (result,) = played(changed_cases(", hears: {cancel_service: 0.9, escalation: 0.4}", ""), score=score)
    assert (result.winner, asked) == ("calm", [("customer", "I'm off")])


def test_a_story_may_go_over_time_channels_and_outcomes():
    story = """\
cases:
  - case: dismissed twice
    story:
      - {customer: close my account, hears: [], expect: {wins: review}}
      - {dismisses: review, reason: not_suitable}
      - {conversation: chat}
      - {pause: 2 days}
      - {customer: close my account, hears: [], expect: {wins: review}}
      - {dismisses: review}
      - {pause: 2 h}
      - {customer: close my account, hears: []}
    expect: {wins: none, because: {review: dismissed 2× within 7 days}}
"""
    assert played(story)[0].mismatches == ()


def test_nobody_can_take_a_prompt_that_is_not_there():
    story = """\
cases:
  - case: x
    story:
      - {accepts: keep}
      - {customer: a, hears: []}
    expect: {wins: none}
"""
    (mismatch,) = played(story)[0].mismatches
    assert (mismatch.line, mismatch.what) == (4, "no prompt of keep is on the desk to act on")
