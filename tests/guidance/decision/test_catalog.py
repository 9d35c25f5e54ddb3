"""The catalogue: read whole, or refused with the line and the mend of everything wrong."""

import pytest

from guidance.decision.catalog import parse_catalog
from guidance.decision.catalog_text import CatalogError
from small_catalog import TEXT, changed, changed_text, small


def problems_of(text: str):
    with pytest.raises(CatalogError) as refused:
        parse_catalog(text)
    return refused.value.problems


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def test_the_version_is_the_id_and_a_hash_of_the_text():
    assert small().version.startswith("small@")
    assert small().version == parse_catalog(TEXT).version
    assert small().version != changed(("prior: 0.3", "prior: 0.4")).version


def test_actions_are_in_order_of_id_with_the_defaults_of_their_kind():
    catalog = small()
    assert [action.id for action in catalog.actions] == ["calm", "keep", "record", "review"]
    assert catalog.by_id["review"].retracted_by == {"declines_offer": "said no"}
    assert catalog.by_id["calm"].retracted_by == {}
    assert catalog.labels == {"cancel_service", "escalation", "apologises", "discloses_recording", "declines_offer"}


@pytest.mark.parametrize(
    ("old", "new", "what", "mend"),
    [
        ("prior: 0.5", "prior: 1.5", "prior cannot be “1.5”", "less than 1"),
        ("prior: 0.5", "prior: .nan", "prior cannot be “nan”", "a plain number"),
        ("    title: Keep them\n", "", "missing", "add title"),
        ("cooldown_minutes: 10", "cooldown_minuts: 10", "not known", "cooldown_minutes"),
        ("[tenure_months >= 12]", "[tenure_month >= 12]", "tenure_month", "did you mean tenure_months"),
        ("[tenure_months >= 12]", "[d() > 12]", "d()", "use facts"),
        ("[tenure_months >= 12]", '[tenure_months >= "x"]', "does not fit", "like with like"),
        ("[tenure_months >= 12]", '[tenure_months == "x"]', "never equal to a text", "like with like"),
        ("[tenure_months >= 12]", '[products == "tv"]', "is a list", 'contains(products, "…")'),
        ("[tenure_months >= 12]", "[vulnerable == 1]", "true or false", "not vulnerable"),
        ("[tenure_months >= 12]", "[2 > 1]", "same of everybody", "name a fact"),
        ("[tenure_months >= 12]", "[tenure_months + 1]", "neither true nor false", "compare"),
        ("[tenure_months >= 12]", "[tenure_months = 12]", "=", "=="),
        ("kind: coaching", "kind: coach", "kind", "coach"),
        ("floor(tenure_months / 12)", "floor(tenure_years / 12)", "tenure_years", "did you mean"),
        ('"I can bring your {monthly_bill} down."', '"I can bring your {bill} down."', "“bill”", "declare"),
        ('"I can bring your {monthly_bill} down."', '"I can bring your {Monthly bill} down."', "brace", "placeholders"),
        ("words: I can bring your bill down.", f"words: {'very ' * 31}", "31", "shorten"),
        ("{intent: escalation, why: wants a supervisor}", "{why: wants a supervisor}", "never says when", "intent"),
        ("why: wants a supervisor", "why: one two three four five six seven", "6 words", "shorten"),
        ("phrases: [close my account]", "phrases: []", "list of texts", "close my account"),
        ("cost: 20", "cost: 100", "never win", "raise value"),
        ("expires_after_s: 40", "expires_after_s: 4", "cannot be “4”", "greater than or equal to 5"),
        ("id: small", "id: Small One", "id cannot be “Small One”", "small letters"),
        ("retention:\n    retracted_by", "retension:\n    retracted_by", "retension", "all, retention"),
        ("  tenure_years: {type: number,", "  turns: {type: number,", "turns", "rename"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_mend(old, new, what, mend):
    found = problems_of(changed_text((old, new)))
    assert any(what in problem.what and mend in problem.mend for problem in found), found


def test_a_mistake_is_told_with_its_line():
    text = changed_text(("[tenure_months >= 12]", "[tenure_month >= 12]"), ("prior: 0.9\n    value: 200", "value: 200"))
    undeclared, missing = problems_of(text)
    assert (undeclared.line, missing.line) == (line_of(text, "eligible_if"), line_of(text, "  calm:"))
    (undeclared,) = problems_of(changed_text(("[tenure_months >= 12]", "[tenure_month >= 12]")))
    assert undeclared.line == line_of(TEXT, "eligible_if")


def test_a_mistake_in_the_defaults_is_told_once_and_where_it_stands():
    text = changed_text(("retracted_by: {declines_offer: said no}", "retracted_by: {declines_offer: 3}"))
    (told,) = problems_of(text)
    assert (told.line, told.mend) == (line_of(text, "declines_offer: 3"), "write a text; put it in quotes")


def test_every_mistake_is_told_at_once():
    text = changed_text(("prior: 0.5", "prior: 5"), ("prior: 0.3", "prior: 3"))
    assert [problem.line for problem in problems_of(text)] == [line_of(text, "prior: 5"), line_of(text, "prior: 3")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("just words", 1),
        ("- a\n- b", 1),
        ("id: small\nname: [", 2),
        ("id: small\nname: a\nname: b\nactions: {}", 3),
        ("id: small\nname: &a b\nactions: *a", 2),
        ("id: !!python/object/apply:os.system [ls]", 1),
        ("id: \x00", 1),
        ("[" * 2000, 1),
    ],
)
def test_what_is_not_a_catalogue_is_refused_where_it_goes_wrong(text, line):
    assert problems_of(text)[0].line == line
