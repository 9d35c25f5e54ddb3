"""`livecue catalog check`, `test` and `diff`, as people and scripts call them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from small_catalog import TEXT, changed_text

EXAMPLES = Path(__file__).parents[2] / "guidance" / "catalogs"
TELECOM, BANKING = (str(EXAMPLES / f"{name}.yaml") for name in ("telecom", "retail_banking"))
CASES = """\
cases:
  - case: Who asks to close is asked to look at it
    story:
      - {customer: please close my account, hears: []}
    expect: {wins: review}
"""


def livecue(*arguments: str):
    return CliRunner().invoke(app, ["catalog", *arguments], env={"COLUMNS": "200"})


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_the_examples_are_whole():
    result = livecue("check", TELECOM, BANKING)
    assert result.exit_code == 0
    assert "30 actions" in result.output
    assert "20 actions" in result.output
    assert "warning" not in result.output


def test_every_mistake_has_its_file_line_and_mend(mine):
    mine.write_text(changed_text(("prior: 0.5", "prior: 5"), ("[tenure_months >= 12]", "[rand(9) > 1]")))
    result = livecue("check", TELECOM, str(mine))
    assert result.exit_code == 1
    assert f"{mine}:19: error: “rand(9) > 1” calls rand()" in result.output
    assert f"{mine}:21: error: prior cannot be “5” – it should be less than 1" in result.output


def test_a_label_that_the_model_does_not_know_is_a_warning(mine):
    text = changed_text(("intent: escalation", "intent: wants_pizza"))
    mine.write_text(text)
    line = text[: text.index("wants_pizza")].count("\n") + 1
    result = livecue("check", str(mine))
    assert result.exit_code == 0
    assert f"{mine}:{line}: warning: the model does not know “wants_pizza”" in result.output


def test_scripts_get_json(mine):
    mine.write_text(changed_text(("prior: 0.5", "prior: 5")))
    result = livecue("check", str(mine), "--json")
    (checked,) = json.loads(result.output)
    assert checked["errors"] == [{"line": 21, "what": "prior cannot be “5”", "mend": "it should be less than 1"}]
    assert (result.exit_code, checked["version"]) == (1, None)


def test_what_is_not_utf8_is_told_with_its_line(mine):
    mine.write_bytes(TEXT.encode().replace(b"Keep them", b"Keep \xff"))
    result = livecue("check", str(mine))
    assert result.exit_code == 1
    assert "this is not UTF-8" in result.output


def test_cases_beside_the_catalogue_are_played(mine):
    beside = mine.with_name("mine.tests.yaml")
    beside.write_text(CASES)
    for named in (mine, beside):
        result = livecue("test", str(named))
        assert result.exit_code == 0
        assert "1 case, all as expected" in result.output
    beside.write_text(CASES.replace("wins: review", "wins: keep"))
    result = livecue("test", str(mine))
    assert result.exit_code == 1
    assert f"{beside}:5: review wins instead of keep: nothing said calls for it" in result.output
    played = json.loads(livecue("test", str(mine), "--json").output)
    assert played["cases"][0]["winner"] == "review"


def test_turns_that_do_not_say_what_is_heard_are_put_to_the_model(mine):
    cases = mine.with_name("talk.yaml")
    cases.write_text(
        CASES.replace("please close my account, hears: []", '"Get me your manager, now!"').replace("review", "calm")
    )
    result = livecue("test", str(mine), "--cases", str(cases))
    assert (result.exit_code, "all as expected" in result.output) == (0, True)


def test_without_cases_it_says_so(mine):
    result = livecue("test", str(mine))
    assert result.exit_code == 1
    assert "there are no test cases" in result.output


def test_the_difference_is_said_action_by_action(mine, tmp_path):
    old = tmp_path / "old.yaml"
    old.write_text(TEXT)
    assert "No action, fact or policy differs." in livecue("diff", str(old), str(mine)).output
    mine.write_text(changed_text(("prior: 0.5", "prior: 0.6"), ("  calm:", "  soothe:")))
    output = livecue("diff", str(old), str(mine)).output
    assert output.splitlines() == [
        "removed action calm: Calm",
        "changed action keep",
        "    prior: 0.5 → 0.6",
        "added action soothe: Calm",
    ]
