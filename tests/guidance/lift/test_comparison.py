"""Guided against control, from lessons and their decisions."""

from math import sqrt

import numpy as np
import pytest

from builders import at, decision, lesson
from guidance.lift.choices import Weighed, choices_of, value_of, weighed
from guidance.lift.comparison import LEAST_ACCEPTED, LEAST_PROMPTS, compare, too_few
from schemas.guidance import ActionKind, Candidate, Fate
from schemas.learning import Lesson


def lessons_of(guided: str, control: str) -> list[Lesson]:
    """One a character: 1 accepted, 0 not."""
    return [
        lesson(decision_id=f"{group}-{place}", reward=float(reward), group=group, value=None)
        for group, rewards in (("guided", guided), ("control", control))
        for place, reward in enumerate(rewards)
    ]


def told(customer: str, conversation: str, value: float = 80.0) -> Weighed:
    one = np.array([1.0])
    return Weighed(customer, conversation, ("keep_loyalty_discount",), np.array([[1.0, 0.5]]), one, one, value)


def test_difference_and_relative_lift_by_hand() -> None:
    found = compare(lessons_of("1110", "10101010"), {}, "acceptance", "prompt")
    assert found is not None
    assert (found.guided.count, found.guided.estimate.value) == (4, 0.75)
    assert (found.control.count, found.control.estimate.value) == (8, 0.5)
    errors = sqrt(0.75 * 0.25 / 3), sqrt(0.5 * 0.5 / 7)
    assert (found.guided.estimate.error, found.control.estimate.error) == pytest.approx(errors)
    assert found.difference.value == 0.25
    assert found.difference.error == pytest.approx(sqrt(errors[0] ** 2 + errors[1] ** 2))
    assert found.relative is not None
    assert found.relative.value == 0.5
    assert found.relative.error == pytest.approx(sqrt(errors[0] ** 2 + (1.5 * errors[1]) ** 2) / 0.5)


def test_nothing_is_relative_to_what_may_be_nothing() -> None:
    found = compare(lessons_of("1110", "0001"), {}, "acceptance", "prompt")
    assert found is not None
    assert found.relative is None


def test_an_empty_group_is_not_compared_and_anonymous_ones_are_left_out() -> None:
    assert compare(lessons_of("1110", ""), {}, "acceptance", "prompt") is None
    assert compare([], {}, "acceptance", "prompt") is None
    anonymous = [lesson(decision_id=f"x-{each}", group=None) for each in range(50)]
    assert compare([*lessons_of("10", "01"), *anonymous], {}, "acceptance", "prompt") == compare(
        lessons_of("10", "01"), {}, "acceptance", "prompt"
    )


def test_per_conversation_prompts_of_one_are_added_up() -> None:
    lessons = lessons_of("011", "0100")
    decisions = {
        "guided-0": told("ann", "c1"), "guided-1": told("ann", "c1"), "guided-2": told("bob", "c2"),
        "control-0": told("cyd", "c3"), "control-1": told("cyd", "c4"),
    }  # fmt: skip
    found = compare(lessons, decisions, "acceptance", "conversation")
    assert found is not None
    assert (found.guided.count, found.guided.estimate.value) == (2, 1.0)
    assert (found.control.count, found.control.estimate.value) == (2, 0.5), "two whose decision is gone are left out"
    assert (found.guided.estimate.customers, found.control.estimate.customers) == (2, 1)


def test_value_is_what_was_told_else_the_catalogues_else_not_known() -> None:
    known = told("ann", "c1")
    assert 120.0 == value_of(lesson(value=120.0), known)
    assert 80.0 == value_of(lesson(value=None), known)
    assert 0.0 == value_of(lesson(value=None, reward=0.0), None)
    assert value_of(lesson(value=None), None) is None
    lessons = [*lessons_of("11", "01"), lesson(decision_id="control-9", group="control", value=30.0)]
    found = compare(lessons, {"guided-0": known}, "value", "prompt")
    assert found is not None
    assert (found.guided.count, found.guided.estimate.value) == (1, 80.0)
    assert (found.control.count, found.control.estimate.value) == (2, 15.0)


def test_what_is_too_few() -> None:
    enough = "1" * LEAST_ACCEPTED + "0" * (LEAST_PROMPTS - LEAST_ACCEPTED)
    assert too_few(lessons_of(enough, enough)) is None
    assert too_few(lessons_of(enough, enough[1:])) == (
        f"the control group has {LEAST_PROMPTS - 1} prompts with a known outcome, {LEAST_PROMPTS} are needed"
    )
    assert too_few(lessons_of(enough[1:] + "0", enough)) == (
        f"{LEAST_ACCEPTED - 1} prompts were accepted in the guided group, {LEAST_ACCEPTED} are needed"
    )


def candidate(action_id: str, fate: Fate, chance: float | None, **fields: object) -> Candidate:
    numbers = {"propensity": 0.4, "context_weight": 1.5, "value": 80.0, "lever": 2.0, "priority": 96.0}
    return Candidate(
        action_id=action_id, kind=ActionKind.RETENTION, fate=fate, reason="because", selection_probability=chance,
        features=(1.0, 0.25), **{**numbers, **fields},
    )  # fmt: skip


def decided(*chances: float, **fields: object):
    names = ("other", "keep_loyalty_discount", "third")
    fates = (Fate.LOST, Fate.WON, Fate.LOST)
    arbitrated = [candidate(*each) for each in zip(names, fates, chances, strict=False)]
    return decision(candidates=(*arbitrated, candidate("never", Fate.INELIGIBLE, None)), **fields)


def test_a_decision_becomes_its_candidates_the_one_that_won_first() -> None:
    found = weighed(decided(0.25, 0.75))
    assert found is not None
    assert found.actions == ("keep_loyalty_discount", "other")
    assert (found.customer, found.conversation, found.value) == ("dana", "c1", 80.0)
    assert found.probability.tolist() == [0.75, 0.25]
    assert found.worth.tolist() == [240.0, 240.0]
    assert weighed(decided(0.25, 0.75, winner=None)) is None
    assert weighed(decision()) is None, "one from before probabilities were logged"


def test_lessons_become_choices_or_are_left_out() -> None:
    taught = lesson(features_revision="features@1", group="control")
    whole = weighed(decided(0.25, 0.75))
    assert whole is not None
    found = choices_of([taught], {taught.decision_id: whole}, "acceptance", "features@1")
    assert found is not None
    assert (len(found), found.actions, found.chosen.tolist()) == (1, ("keep_loyalty_discount", "other"), [0])
    assert (found.reward.tolist(), found.control.tolist(), found.features.shape) == ([1.0], [True], (2, 2))

    might_have_stayed = weighed(decided(0.1, 0.6))
    assert might_have_stayed is not None
    for lessons, decisions, revision in (
        ([taught.model_copy(update={"group": None})], {taught.decision_id: whole}, "features@1"),
        ([taught], {}, "features@1"),
        ([taught], {taught.decision_id: whole}, "features@2"),
        ([taught], {taught.decision_id: might_have_stayed}, "features@1"),
        ([taught.model_copy(update={"action_id": "third"})], {taught.decision_id: whole}, "features@1"),
    ):
        assert choices_of(lessons, decisions, "acceptance", revision) is None
    assert taught.decided_at == at(10)
