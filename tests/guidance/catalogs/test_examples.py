"""The example catalogues: all their test cases hold, and every action of theirs has one in which it is prompted."""

from functools import cache
from pathlib import Path

import pytest

from guidance.decision.case_run import Played, play
from guidance.decision.cases import read_cases
from guidance.decision.catalog import Catalog, parse_catalog, read_catalog
from guidance.decision.catalog_advice import advise
from models.artifact import load_manifest
from models.artifacts import INTENT
from schemas.guidance import ActionKind

FOLDER = Path(__file__).parents[3] / "guidance" / "catalogs"
SIZES = {"telecom": 30, "retail_banking": 20}


def text_of(name: str) -> str:
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


@cache
def example(name: str) -> Catalog:
    return parse_catalog(text_of(name))


@cache
def played(name: str) -> tuple[Played, ...]:
    catalog = example(name)
    return tuple(play(read_cases((FOLDER / f"{name}.tests.yaml").read_text(encoding="utf-8"), catalog), catalog))


def test_every_catalogue_that_ships_is_tested_here():
    assert {path.stem for path in FOLDER.glob("*.yaml") if not path.name.endswith(".tests.yaml")} == set(SIZES)


@pytest.mark.parametrize(("name", "case"), [(name, each) for name in SIZES for each in played(name)], ids=str)
def test_a_case_is_as_expected(name, case):
    assert case.mismatches == ()


@pytest.mark.parametrize("name", SIZES)
def test_it_has_so_many_actions_of_all_kinds(name):
    assert len(example(name).actions) == SIZES[name]
    assert {action.kind for action in example(name).actions} == set(ActionKind)


@pytest.mark.parametrize("name", SIZES)
def test_every_action_is_prompted_in_a_case(name):
    prompted = {each.winner for each in played(name)} | {action for each in played(name) for action in each.pinned}
    unseen = set(example(name).by_id) - prompted
    assert unseen == set()


@pytest.mark.parametrize("name", SIZES)
def test_there_is_nothing_to_warn_of(name):
    catalog, lines = read_catalog(text_of(name))
    labels = {label.name: frozenset(label.speakers) for label in load_manifest(INTENT).intents.labels}
    assert advise(catalog, lines, labels) == ()


def test_they_show_all_that_the_language_has():
    actions = [action for name in SIZES for action in example(name).actions]
    triggers = [trigger for action in actions for trigger in action.triggers]
    treatments = [treatment for action in actions for treatment in action.treatments]
    assert all(
        any(getattr(action, field) for action in actions)
        for field in (
            "unless", "eligible_if", "applicable_if", "suitable_if", "reasons", "context", "cooldown_minutes",
            "most_per_customer", "once_only", "fulfilled_by", "retracted_by",
        )
    )  # fmt: skip
    assert all(any(getattr(each, field) for each in triggers) for field in ("at_least", "phrases", "absent", "when"))
    assert any(each.after_turns > 1 for each in triggers)
    assert any(each.within_turns > 1 for each in triggers)
    assert any(each.honours_offer for each in treatments)
    assert {each.language for each in treatments} == {"en", "de"}
