"""`livecue explain` and `livecue whatif` without Kafka, as people and scripts meet them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from builders import decision
from deploy.cli import app
from deploy.explaining import DecisionId, find_in
from deploy.since import since
from deploy.whatif import read_catalog, read_levers
from deploy.workers import catalog_text
from guidance.decision.catalog import parse_catalog
from schemas.codec import encode

ROOT = Path(__file__).parents[2]
CHURN = str(ROOT / "deploy" / "samples" / "churn.ndjson")
LINE = "    prior: 0.45\n    value: 240\n"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def livecue(*arguments: str) -> str:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def refusal(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    return str(result.exception)


@pytest.fixture(scope="module")
def decisions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("why") / "decisions.ndjson"
    path.write_text(livecue("replay", CHURN, "--offline", "--decisions"), encoding="utf-8")
    return path


def test_a_decision_out_of_a_file_is_explained_candidate_by_candidate(decisions):
    written = [json.loads(line) for line in decisions.read_text(encoding="utf-8").splitlines()]
    wanted = next(each for each in written if each["winner"] and any(c["fate"] == "lost" for c in each["candidates"]))

    shown = livecue("explain", wanted["decision_id"], "--file", str(decisions))
    told = json.loads(livecue("explain", wanted["prompts"][0]["prompt_id"], "--file", str(decisions), "--json"))

    assert told == {"decision": wanted, "made_on": None}
    for candidate in wanted["candidates"]:
        row = next(line for line in shown.splitlines() if f"│ {candidate['action_id']} " in line)
        assert candidate["fate"].replace("_", " ") in row
        assert candidate["reason"][:20] in row
        if candidate["priority"] is not None:
            assert f"{candidate['priority']:.2f}" in row
    assert wanted["versions"]["catalog"] in shown
    assert wanted["prompts"][0]["words"][:40] in shown


def test_an_id_that_the_file_does_not_have_is_answered_with_what_it_has(decisions):
    told = refusal("explain", "003-1764150000000-0123456789ab", "--file", str(decisions))
    assert "it has 76 others, of 2026-01-05 09:00:" in told
    assert "no decision's id" in refusal("explain", "d1", "--file", str(decisions))


def test_a_line_that_is_no_decision_is_named(tmp_path):
    path = tmp_path / "mixed.ndjson"
    path.write_bytes(encode(decision()) + b"\n\n{}\n")
    with pytest.raises(ValueError, match=r"mixed.ndjson, line 3: decision_id"):
        find_in(path, DecisionId.parse("003-1764150000000-0123456789ab"))


def test_a_what_if_on_a_recording_is_told_to_people_and_to_scripts(tmp_path):
    new = tmp_path / "new.yaml"
    new.write_text(catalog_text(None).replace(LINE, LINE.replace("0.45", "0.05")), encoding="utf-8")

    told = json.loads(livecue("whatif", "--catalog", str(new), "--file", CHURN, "--json"))
    shown = livecue("whatif", "--catalog", str(new), "--file", CHURN, "--examples", "1")

    assert told["decisions"] == 76
    assert (told["recorded_differently"], told["left_out"]) == (0, {})
    assert told["changed"] == len(told["changes"]) == sum(told["by_kind"].values()) > 1
    counts = told["by_action"]["keep_loyalty_discount"]
    assert counts["before"] - counts["lost"] + counts["gained"] == counts["after"]
    first = told["changes"][0]
    assert first["before"] != first["after"]
    assert f"{told['changed']} of 76 decisions would have shown something else" in shown
    assert first["text"][:60] in shown
    assert f"… and {told['changed'] - 1} more" in shown
    assert "byte for byte" in shown


def test_levers_alone_can_be_tried(tmp_path):
    levers = tmp_path / "levers.yaml"
    levers.write_text("by_action: {keep_loyalty_discount: 0.25}\nby_kind: {upsell: 2}\n", encoding="utf-8")

    told = json.loads(livecue("whatif", "--levers", str(levers), "--file", CHURN, "--json"))

    assert told["by_action"]["keep_loyalty_discount"]["lost"] > 0
    assert told["recorded_differently"] == 0


def test_a_catalogue_with_mistakes_is_refused_with_their_places(tmp_path):
    text = catalog_text(None)
    bad = tmp_path / "bad.yaml"
    bad.write_text(text.replace(LINE, LINE.replace("0.45", "1.45")), encoding="utf-8")
    line = text[: text.index(LINE)].count("\n") + 1

    told = refusal("whatif", "--catalog", str(bad), "--file", CHURN)

    assert told.startswith(f"{bad}, line {line}: prior")
    with pytest.raises(ValueError, match=f"line {line}"):
        read_catalog(bad)


def test_levers_with_mistakes_are_refused(tmp_path):
    path = tmp_path / "levers.yaml"
    for text, words in (
        ("by_action: {no_such_action: 2}", "no action is called “no_such_action”"),
        ("by_kind: {retentoin: 2}", "no kind is called “retentoin”"),
        ("by_kind: {retention: 99}", "by_kind.retention"),
        ("retention: 2", "levers are by_action:, by_kind: and by_metric:"),
        ("by_kind: {", "is not YAML"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=words):
            read_levers(path, parse_catalog(catalog_text(None)))


def test_what_is_to_be_tried_must_be_named():
    assert "--catalog FILE, --levers FILE, or both" in refusal("whatif")


def test_how_far_back():
    assert since("90m", NOW) == NOW - timedelta(minutes=90)
    assert since("24h", NOW) == NOW - timedelta(hours=24)
    assert since("7d", NOW) == NOW - timedelta(days=7)
    assert since("2026-11-26T09:00", NOW) == NOW - timedelta(hours=3)
    assert since("2026-11-26T09:00+02:00", NOW) == NOW - timedelta(hours=5)
    for text, words in (("yesterday", "is no time"), ("2026-11-26T13:00", "in the future"), ("-3h", "is no time")):
        with pytest.raises(ValueError, match=words):
            since(text, NOW)
