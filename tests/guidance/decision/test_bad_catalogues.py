"""Bad catalogues: each refused, at its line, with its mend, at once."""

import re
from itertools import pairwise
from pathlib import Path
from time import process_time

import pytest
import yaml

from guidance.decision.catalog import parse_catalog
from guidance.decision.catalog_text import MAX_CHARS, CatalogError
from small_catalog import TEXT, small

MISTAKES = yaml.safe_load((Path(__file__).parent / "bad_catalogues.yaml").read_text(encoding="utf-8"))
AT_ONCE_S = 1.0
"""Of processor time: what is refused is refused before anybody waits."""

HOSTILE = {
    "nothing": ("", "empty"),
    "words": ("just words", "a mapping"),
    "a list": ("- a\n- b", "a mapping"),
    "no YAML": ("id: small\nname: [", "not YAML"),
    "a tab": ("id: small\n\tname: x", "not YAML"),
    "an alias": ("id: small\nname: &a b\nactions: *a", "anchors"),
    "aliases that multiply": (
        "a: &a [x,x]\n" + "\n".join(f"{b}: &{b} [*{a},*{a}]" for a, b in pairwise("abcdefghijklmnopqrst")),
        "anchors",
    ),
    "an object": ("id: !!python/object/apply:os.system [ls]", "tag"),
    "bytes": ("id: !!binary aGVsbG8=", "tag"),
    "a set": ("!!set {id, name}", "tag"),
    "a null byte": ("id: \x00", "not YAML"),
    "half a character": ("id: \ud800", "not YAML"),
    "a day that is none": (TEXT.replace("value: 200", "value: 2026-99-99"), "cannot be read"),
    "two documents": (f"{TEXT}---\n{TEXT}", "not YAML"),
    "depth": ("[" * 5000, "nested"),
    "depth of mappings": ("".join(f"{' ' * n}a:\n" for n in range(500)), "nested"),
    "a merge": (TEXT.replace("  calm:\n", "  calm:\n    <<: {title: x}\n"), "<<"),
    "a key that is a list": (TEXT.replace("id: small", "? [id]\n: small"), "not known here"),
    "a long text": ("x" * (MAX_CHARS + 1), "characters"),
    "thousands of actions": (
        "id: many\nname: Many\nactions:\n" + "".join(f"  act_{n}: {{kind: x}}\n" for n in range(9000)), "9000 actions"
    ),
    "thousands of conditions": (
        TEXT.replace("[tenure_months >= 12]", "[" + ", ".join(f"fact_{n} > {n}" for n in range(5000)) + "]"),
        "eligible_if",
    ),
    "thousands of phrases": (
        TEXT.replace("[close my account]", "[" + ", ".join(f"a{n} b" for n in range(9000)) + "]"), "phrases"
    ),
    "a text of spaces": (TEXT.replace("title: Keep them", f"title: {'a' + ' ' * 100_000 + 'b'!r}"), "title"),
}  # fmt: skip


def expanded(text: str) -> str:
    """`very_@31` is “very ” 31 times, `1@5000` a 1 as often: data that people can read."""
    return re.sub(r"(\w+_|.)@(\d+)", lambda found: found[1].replace("_", " ") * int(found[2]), text)


def refused(text: str):
    started = process_time()
    with pytest.raises(CatalogError) as error:
        parse_catalog(text)
    assert process_time() - started < AT_ONCE_S
    assert all(problem.line >= 1 and problem.what and problem.mend for problem in error.value.problems)
    return error.value.problems


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake["name"])
def test_a_mistake_is_refused_at_its_line_with_its_mend(mistake):
    old, new = mistake["old"], expanded(mistake["new"])
    assert old in TEXT
    text = TEXT.replace(old, new, 1)
    part = mistake.get("at", new.partition("\n")[0])
    lines = [number for number, line in enumerate(text.splitlines(), 1) if part in line]
    expected = lines[0] - mistake.get("line_before", 0)
    problems = refused(text)
    at_the_line = [problem for problem in problems if problem.line == expected]
    assert at_the_line, problems
    assert any(
        any(part in problem.what for part in mistake["what"].split("|"))
        and any(part in problem.mend for part in mistake["mend"].split("|"))
        for problem in at_the_line
    ), problems


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_is_refused_at_once(name):
    text, what = HOSTILE[name]
    assert any(what in problem.what for problem in refused(text))


def test_there_are_many_kinds_of_mistakes():
    assert len({mistake["name"] for mistake in MISTAKES}) == len(MISTAKES) >= 30


def test_one_that_is_refused_leaves_the_one_before_as_it_was():
    before = small()
    for mistake in MISTAKES[:5]:
        refused(TEXT.replace(mistake["old"], expanded(mistake["new"]), 1))
    assert small() == before


@pytest.mark.parametrize(
    "text", ["a" + " " * 50_000, "a a " * 20_000, "close " * 20_000, "close my " * 20_000 + "accoun"]
)
def test_no_text_makes_the_search_for_phrases_slow(text):
    catalog = parse_catalog(TEXT.replace("[close my account]", "[close my account, a a a a b, a b]"))
    (pattern,) = (trigger.phrases for trigger in catalog.by_id["review"].triggers if trigger.phrases)
    started = process_time()
    assert pattern.search(text) is None
    assert process_time() - started < AT_ONCE_S
