"""The card's tables, one function each."""

from models.artifact import Manifest
from models.training.report.record import Report
from models.training.report.speeds import ROOF_TOKENS
from models.training.report.telling import Figures, table
from models.training.speed import LENGTHS

_STAGES = ("first_stage", "encoder")


def authored(figures: Figures) -> str:
    """The model beside the linear models, and its heads' calibration."""
    beside = table(
        (f"{figures.count('authored.turns')} test turns, macro-F1", ""),
        [
            ("**as it serves**", f"**{figures.plain('authored.macro_f1')}**"),
            ("encoder alone, int8", figures.plain("authored.encoder.macro_f1")),
            ("encoder alone, float32", figures.plain("authored.float32.macro_f1")),
            ("first stage alone", figures.plain("authored.first_stage.macro_f1")),
            ("TF-IDF, linear SVM", figures.plain("authored.tfidf_svm.macro_f1")),
            ("frozen encoder, logistic regression", figures.plain("authored.frozen_encoder.macro_f1")),
        ],
    )
    heads = table(
        ("head", "calibration error (ECE)", "by chance alone", ""),
        [
            ("intents, all labels together", *_calibration(figures, "intents"), ""),
            (
                "intents, the worst label",
                figures.plain("authored.ece.worst_label"),
                "",
                "bins of a handful of turns",
            ),
            (
                "sentiment, its top class",
                *_calibration(figures, "sentiment"),
                f"accuracy {figures.share('authored.sentiment_accuracy')}",
            ),
            (
                "churn risk, some or high",
                *_calibration(figures, "churn_some"),
                f"AUC against none {figures.plain('authored.churn_auc')}",
            ),
            ("churn risk, high", *_calibration(figures, "churn_high"), ""),
        ],
    )
    chance = (
        "By chance alone: what a perfectly calibrated model that says the same probabilities would show on as many "
        "turns, for a handful in a bin is never quite as probable as it was said to be; the mean of 200 draws."
    )
    quiet = (
        f"Of {figures.count('idle.turns')} turns that want nothing (holds, small talk, details read out, thanks, "
        f"agents thinking aloud) something that calls for action fires on {figures.share('idle.fired')}."
    )
    note = (
        "The linear models learn from the authored training turns alone, and each label's threshold is the one of best "
        "F1 on validation."
    )
    return "\n\n".join((beside, note, heads, chance, quiet))


def _calibration(figures: Figures, head: str) -> tuple[str, str]:
    return figures.plain(f"authored.ece.{head}"), figures.plain(f"authored.ece_by_chance.{head}")


def labels(manifest: Manifest, report: Report) -> str:
    """Every label's precision, recall and F1, and what it fires at."""
    heads = {label.name: label for label in manifest.intents.labels} if manifest.intents else {}
    return table(
        ("label", "turns", "precision", "recall", "F1", "threshold", "partial"),
        [
            (
                f"`{score.name}`",
                str(score.support),
                f"{score.precision:.2f}",
                f"{score.recall:.2f}",
                f"{score.f1:.2f}",
                f"{heads[score.name].threshold:.2f}",
                _or_never(heads[score.name].partial_threshold),
            )
            for score in report.labels
        ],
    )


def confusions(report: Report) -> str:
    rows = [(f"`{each.missed}`", f"`{each.fired}`", str(each.turns)) for each in report.confusions]
    return table(("held, missed", "fired instead", "turns"), rows)


def worst(report: Report) -> str:
    return table(
        ("", "turn", "labels", "wrong about", "it gave"),
        [
            (
                str(number),
                f"“{mistake.text}”" + ("" if mistake.speaker == "customer" else f" ({mistake.speaker})"),
                ", ".join(f"`{label}`" for label in mistake.wanted) or "none",
                f"`{mistake.label}`, {'missed' if mistake.label in mistake.wanted else 'fired'}",
                f"{mistake.probability:.3f}",
            )
            for number, mistake in enumerate(report.worst, start=1)
        ],
    )


def banking77(figures: Figures) -> str:
    return table(
        ("Banking77, 3,080 test rows, 77 classes", "accuracy"),
        [
            ("**as it serves, int8**", f"**{figures.share('banking77.accuracy')}**"),
            ("case, punctuation and apostrophes taken away", figures.share("banking77.stripped")),
            ("encoder alone, int8", figures.share("banking77.encoder")),
            ("encoder alone, float32", figures.share("banking77.float32")),
            ("TF-IDF, linear SVM", figures.share("banking77.tfidf_svm")),
            ("frozen encoder, logistic regression", figures.share("banking77.frozen_encoder")),
        ],
    )


def clinc150(figures: Figures) -> str:
    def row(name: str, prefix: str, accuracy: str) -> tuple[str, ...]:
        by_rule = (figures.share(f"{prefix}.in_scope"), figures.share(f"{prefix}.oos_recall"))
        strict = (figures.share(f"{prefix}.strict.in_scope"), figures.share(f"{prefix}.strict.oos_recall"))
        return (name, figures.share(accuracy), " / ".join(by_rule), " / ".join(strict))

    return table(
        (
            "CLINC150, 4,500 test rows in scope, 150 classes, and 1,000 out of it",
            "accuracy in scope, no threshold",
            "paper's threshold: in scope / recall of out-of-scope",
            "strictest threshold: in scope / recall",
        ),
        [
            row("**as it serves, int8**", "clinc150", "clinc150.accuracy"),
            ("case, punctuation and apostrophes taken away", figures.share("clinc150.stripped"), "", ""),
            ("encoder alone, int8", figures.share("clinc150.encoder"), "", ""),
            ("encoder alone, float32", figures.share("clinc150.float32"), "", ""),
            row("TF-IDF, linear SVM", "clinc150.tfidf_svm", "clinc150.tfidf_svm.accuracy"),
            row("frozen encoder, logistic regression", "clinc150.frozen_encoder", "clinc150.frozen_encoder.accuracy"),
        ],
    )


def cascade(figures: Figures) -> str:
    return table(
        ("", "answered by the first stage", "points lost against the encoder alone"),
        [
            ("authored test turns: macro-F1", figures.share("cascade.share"), figures.points("cascade.loss")),
            ("… their sentiment: accuracy", "", figures.points("cascade.sentiment_loss")),
            ("… their churn risk: AUC", "", figures.points("cascade.churn_auc_loss")),
            ("authored turns that want nothing", figures.share("cascade.idle_share"), ""),
            (
                "Banking77, accuracy",
                figures.share("banking77.first_stage_share"),
                figures.points("banking77.cascade_loss"),
            ),
            (
                "CLINC150, accuracy",
                figures.share("clinc150.first_stage_share"),
                figures.points("clinc150.cascade_loss"),
            ),
            ("the sample conversations", figures.share("speed.cascade_share"), ""),
        ],
    )


def partial(figures: Figures) -> str:
    return table(
        (f"of {figures.count('partial.turns')} test turns that go on after their first words", ""),
        [
            ("something fires on the first words", figures.share("partial.fires")),
            ("… and it is the whole turn's likeliest intent", figures.share("partial.same_top")),
            ("… and it is among what the whole turn fires", figures.share("partial.among_fired")),
        ],
    )


def speed(figures: Figures) -> str:
    return table(
        ("times the turns a second", "int8 encoder", "as it serves"),
        [
            (
                "against torch eager",
                figures.times("speed.encoder_over_torch"),
                figures.times("speed.served_over_torch"),
            ),
            (
                "against the transformers pipeline",
                figures.times("speed.encoder_over_pipeline"),
                figures.times("speed.served_over_pipeline"),
            ),
            ("against the same service without its first stage", "", figures.times("speed.cascade")),
        ],
    )


def latency(figures: Figures) -> str:
    """Of each stage by itself, by the number of tokens."""
    columns = ("p50_ms", "p99_ms", "worked_ms")
    heads = ("p50, ms", "p99", "processor time")
    return table(
        ("tokens", *(f"{stage} {head}" for stage in ("first stage", "encoder") for head in heads)),
        [
            (
                str(tokens),
                *(figures.ms(f"latency.{stage}.{tokens}.{name}") for stage in _STAGES for name in columns),
            )
            for tokens in LENGTHS
        ],
    )


def roof(figures: Figures) -> str:
    return table(
        ("tokens, one turn", "measured roof, GFLOP/s", "float32 encoder, of the roof"),
        [
            (str(tokens), figures.count(f"roof.{tokens}.gflops"), figures.share(f"roof.{tokens}.share"))
            for tokens in ROOF_TOKENS
        ],
    )


def _or_never(threshold: float | None) -> str:
    return "never" if threshold is None else f"{threshold:.2f}"
