"""Differences of catalogues, in words."""

import pytest

from guidance.decision.catalog_diff import Difference, differences
from small_catalog import TEXT, changed_text


def of(*pairs: tuple[str, str]) -> tuple[Difference, ...]:
    return differences(TEXT, changed_text(*pairs))


def test_comments_order_and_defaults_said_twice_are_no_difference():
    assert of(("name: Small", "name: Small  # as it is")) == ()
    assert of(("    kind: retention\n    title: Keep them", "    title: Keep them\n    kind: retention")) == ()
    assert of(("    title: Keep them", "    title: Keep them\n    retracted_by: {declines_offer: said no}")) == ()


@pytest.mark.parametrize(
    ("old", "new", "part", "name", "what"),
    [
        ("prior: 0.5", "prior: 0.6", "action", "keep", ("prior: 0.5 → 0.6",)),
        ("title: Keep them", "title: Hold them", "action", "keep", ("title: “Keep them” → “Hold them”",)),
        ("    cooldown_minutes: 10\n", "", "action", "keep", ("cooldown_minutes: no longer 10",)),
        ("prior: 0.3", "prior: 0.3\n    once_only: true", "action", "review", ("once_only: now true",)),
        (
            "[tenure_months >= 12]", "[tenure_months >= 6, not vulnerable]", "action", "keep",
            (
                "eligible_if: without “tenure_months >= 12”", "eligible_if: with “tenure_months >= 6”",
                "eligible_if: with “not vulnerable”",
            ),
        ),
        (
            "words: Let us look at your plan together.", "words: Let us look.", "action", "review",
            ("treatments, words: “Let us look at your plan together.” → “Let us look.”",),
        ),
        (
            "{phrases: [close my account], why: asks to close}", "{phrases: [close my account], why: closes}", "action",
            "review", ("triggers 2, why: “asks to close” → “closes”",),
        ),
        ("most_prompts_per_conversation: 4", "most_prompts_per_conversation: 5", "policy", "policy",
         ("most_prompts_per_conversation: 4 → 5",)),
        ("name: Small", "name: Smaller", "catalogue", "name", ("“Small” → “Smaller”",)),
        ("about: months a customer", "about: months here", "fact", "tenure_months",
         ("about: “months a customer” → “months here”",)),
    ],
)  # fmt: skip
def test_a_change_is_said_in_words(old, new, part, name, what):
    assert of((old, new)) == (Difference(part, name, "changed", what),)


def test_actions_come_and_go():
    text = changed_text(("  calm:", "  soothe:"))
    assert [(each.name, each.change, each.what) for each in differences(TEXT, text)] == [
        ("calm", "removed", ("Calm",)),
        ("soothe", "added", ("Calm",)),
    ]


def test_a_default_that_changes_changes_every_action_that_has_it():
    assert [each.name for each in of(("{declines_offer: said no}", "{declines_offer: nope}"))] == ["keep", "review"]
