"""The model card: made of the manifest and a report alone, and in the repository as they give it."""

from importlib.resources import files
from pathlib import Path

import pytest

from models.artifact import Manifest, load_manifest
from models.artifacts import INTENT
from models.training.measures import LabelScore
from models.training.mistakes import Confusion, Mistake
from models.training.report import Report, read_explanations, read_report, render, write_report
from models.training.report.bars import BARS, Bar, Claim
from models.training.report.record import digests_of
from models.training.report.telling import Figures, table
from tiny_artifact import write_artifact

MODELS = Path(str(files("models")))
REPORT = MODELS / "training" / "report"


def report_of(manifest: Manifest, **scores: float) -> Report:
    return Report(
        files=digests_of(manifest),
        scores=scores,
        labels=(LabelScore("wants_out", support=4, fired=2, right=1),),
        confusions=(Confusion("wants_out", "greets", 3),),
        worst=(
            Mistake("a | b", "agent", (), "greets", 0.98),
            Mistake("so long", "customer", ("greets",), "greets", 0.01),
        ),
        curves={},
        device="an abacus",
    )


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return write_artifact(tmp_path / "model")


def test_the_card_in_the_repository_is_what_its_manifest_and_report_give() -> None:
    explanations = read_explanations(REPORT / "errors.md")

    assert render(load_manifest(INTENT), read_report(REPORT / "report.json"), explanations) == (
        MODELS / "README.md"
    ).read_text(encoding="utf-8")


def test_the_manifest_in_the_repository_has_the_scores_of_its_report() -> None:
    scores = load_manifest(INTENT).scores
    measured = read_report(REPORT / "report.json").scores

    assert {name: scores.get(name) for name in measured} == measured


def test_figures_stand_where_they_belong(manifest: Manifest) -> None:
    card = render(manifest, report_of(manifest, **{"banking77.accuracy": 0.9412, "idle.turns": 1721.0}), "")

    assert "| Banking77 test, int8 | ≥ 94.0 % | 94.1 % | yes |" in card
    assert "Of 1,721 turns that want nothing" in card
    assert "| `wants_out` | 4 | 0.50 | 0.25 | 0.33 | 0.50 | 0.90 |" in card
    assert "| `wants_out` | `greets` | 3 |" in card
    assert "| 1 | “a \\| b” (agent) | none | `greets`, fired | 0.980 |" in card
    assert "| 2 | “so long” | `greets` | `greets`, missed | 0.010 |" in card
    assert "an abacus" in card
    assert "$" not in card.replace("$0", "")


def test_what_somebody_wrote_of_the_errors_is_in_it(manifest: Manifest) -> None:
    assert "It has never met an abacus.\n" in render(manifest, report_of(manifest), "\nIt has never met an abacus.\n")


def test_a_report_of_another_model_is_refused(manifest: Manifest) -> None:
    other = report_of(manifest).model_copy(update={"files": {**digests_of(manifest), "model.onnx": "0" * 64}})

    with pytest.raises(ValueError, match="of another model"):
        render(manifest, other, "")


def test_a_report_is_read_as_it_was_written(manifest: Manifest, tmp_path: Path) -> None:
    written = report_of(manifest, **{"speed.roof": 0.7512})
    write_report(tmp_path / "report.json", written)

    assert read_report(tmp_path / "report.json") == written


CLAIM = Claim(("one", "two"), "at most", 0.02, "plain")
FLOOR = Claim(("three",), "at least", 0.9, "%")


@pytest.mark.parametrize(
    ("scores", "figure", "met"),
    [
        ({"one": 0.01, "two": 0.02}, 0.02, True),
        ({"one": 0.01, "two": 0.021}, 0.021, False),
        ({"two": 0.021}, 0.021, False),
        ({"one": 0.01}, 0.01, None),
        ({}, None, None),
    ],
    ids=["all within", "one beyond", "beyond, the other unknown", "within, the other unknown", "unknown"],
)
def test_the_worst_score_counts_and_all_must_be_measured(
    scores: dict[str, float], figure: float | None, met: bool | None
) -> None:
    assert (CLAIM.figure(scores), CLAIM.met(scores)) == (figure, met)


@pytest.mark.parametrize(
    ("scores", "row"),
    [
        ({"one": 0.01, "two": 0.01, "three": 0.9}, ("0.010 / 90.0 %", "yes")),
        ({"one": 0.01, "two": 0.01, "three": 0.89}, ("0.010 / 89.0 %", "**no**")),
        ({"three": 0.89}, ("– / 89.0 %", "**no**")),
        ({"three": 0.95}, ("– / 95.0 %", "not measured")),
    ],
)
def test_a_bar_is_met_where_all_its_claims_are(scores: dict[str, float], row: tuple[str, str]) -> None:
    assert Bar("both", (CLAIM, FLOOR)).row(scores) == ("both", "≤ 0.020 / ≥ 90.0 %", *row)


def test_a_figure_just_under_its_bar_is_not_rounded_up_to_it() -> None:
    assert Bar("", (FLOOR,)).row({"three": 0.8996})[2:] == ("90.0 %", "**no**")


def test_every_bar_has_a_row() -> None:
    assert [bar.row({})[3] for bar in BARS] == ["not measured"] * len(BARS)


def test_what_was_not_measured_is_a_dash() -> None:
    figures = Figures({"some": 0.126})

    assert (figures.share("some"), figures.points("some"), figures.plain("some")) == ("12.6 %", "+12.60", "0.126")
    assert figures.share("other") == "–"


def test_a_bar_in_a_cell_parts_no_columns() -> None:
    assert table(("a", "b"), [("x|y", "z")]) == "| a | b |\n| --- | --- |\n| x\\|y | z |"
