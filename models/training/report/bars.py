"""What the model has to reach, and whether it does: the table that the model card opens with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Side = Literal["at least", "at most"]
Form = Literal["%", "points", "×", "MB", "plain", "count"]


@dataclass(frozen=True, slots=True)
class Claim:
    """One figure and its bound; of several scores the worst counts, each that was measured."""

    scores: tuple[str, ...]
    side: Side
    bound: float
    form: Form

    def figure(self, scores: Mapping[str, float]) -> float | None:
        """None: none of them was measured."""
        found = [scores[name] for name in self.scores if name in scores]
        if not found:
            return None
        return min(found) if self.side == "at least" else max(found)

    def met(self, scores: Mapping[str, float]) -> bool | None:
        """None where some of its scores were not measured, and those that were are within the bound."""
        figure = self.figure(scores)
        if figure is None:
            return None
        if not (figure >= self.bound if self.side == "at least" else figure <= self.bound):
            return False
        return True if all(name in scores for name in self.scores) else None

    def told(self, figure: float) -> str:
        """``figure`` as the card has it; shares as percent, differences of shares as points."""
        match self.form:
            case "%":
                return f"{figure * 100:.1f} %"
            case "points":
                return f"{figure * 100:.2f}"
            case "×":
                return f"{figure:.1f}×"
            case "count":
                return f"{figure:,.0f}"
            case "MB":
                return f"{figure:.1f} MB"
            case "plain":
                return f"{figure:.3f}"


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: met where all its claims are."""

    what: str
    claims: tuple[Claim, ...]

    def row(self, scores: Mapping[str, float]) -> tuple[str, str, str, str]:
        """What, the bounds, the figures, and ``yes``, ``no`` or ``not measured``."""
        signs = {"at least": "≥", "at most": "≤"}
        bounds = " / ".join(f"{signs[claim.side]} {claim.told(claim.bound)}" for claim in self.claims)
        figures = [(claim, claim.figure(scores)) for claim in self.claims]
        told = " / ".join("–" if figure is None else claim.told(figure) for claim, figure in figures)
        verdicts = [claim.met(scores) for claim in self.claims]
        verdict = "**no**" if False in verdicts else "not measured" if None in verdicts else "yes"
        return self.what, bounds, told, verdict


def _one(
    what: str,
    side: Side,
    bound: float,
    form: Form,
    *scores: str,
) -> Bar:
    return Bar(what, (Claim(scores, side, bound, form),))


BARS = (
    _one("Banking77 test, int8", "at least", 0.940, "%", "banking77.accuracy"),
    Bar(
        "CLINC150 test, int8: in-scope accuracy by the paper's threshold rule / out-of-scope recall at an in-scope"
        " accuracy of",
        (
            Claim(("clinc150.in_scope",), "at least", 0.969, "%"),
            Claim(("clinc150.strict.oos_recall",), "at least", 0.65, "%"),
            Claim(("clinc150.strict.in_scope",), "at least", 0.96, "%"),
        ),
    ),
    _one(
        "int8 against float32, points lost (the worst of the three test sets)",
        "at most",
        0.003,
        "points",
        "authored.int8_loss",
        "banking77.int8_loss",
        "clinc150.int8_loss",
    ),
    _one(
        "case, punctuation and apostrophes taken away, points lost (the worst of the three)",
        "at most",
        0.005,
        "points",
        "authored.stripped_loss",
        "banking77.stripped_loss",
        "clinc150.stripped_loss",
    ),
    _one(
        "calibration error (ECE, 10 bins), the worst head",
        "at most",
        0.02,
        "plain",
        "authored.ece.intents",
        "authored.ece.sentiment",
        "authored.ece.churn_some",
        "authored.ece.churn_high",
    ),
    _one("authored test turns: macro-F1", "at least", 0.85, "plain", "authored.macro_f1"),
    _one("authored test turns: churn AUC", "at least", 0.95, "plain", "authored.churn_auc"),
    Bar(
        "turns that want nothing on which something fires that calls for action / such turns",
        (Claim(("idle.fired",), "at most", 0.03, "%"), Claim(("idle.turns",), "at least", 1500, "count")),
    ),
    _one(
        "first 7 words against the whole turn: same top intent, where they fire",
        "at least",
        0.90,
        "%",
        "partial.same_top",
    ),
    _one("turns a second, int8 encoder against torch eager", "at least", 5.0, "×", "speed.encoder_over_torch"),
    _one(
        "turns a second, int8 encoder against the transformers pipeline",
        "at least",
        6.0,
        "×",
        "speed.encoder_over_pipeline",
    ),
    Bar(
        "turns a second, with the cascade against the int8 encoder alone / macro-F1 points lost by it",
        (Claim(("speed.cascade",), "at least", 2.5, "×"), Claim(("cascade.loss",), "at most", 0.002, "points")),
    ),
    _one("float32 encoder against the measured sgemm roof, one turn", "at least", 0.70, "%", "speed.roof"),
    _one("everything that ships", "at most", 25.0, "MB", "size_mb"),
)
"""In the order of the card's table."""
