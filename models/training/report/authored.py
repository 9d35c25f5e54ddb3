"""The model on the turns that we wrote: what it finds, leaves alone, mistakes, and makes of a turn's first words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from models.training.answers import Reading, Stages
from models.training.evaluation import Evaluation, compare, holds_in, said_in
from models.training.measures import agreement
from models.training.mistakes import Confusion, Mistake, confusions, worst_mistakes
from models.training.report.curve import Point, curve_of
from models.training.speech import stripped
from models.training.turns import LabelledTurn
from models.training.variants import prefix_of


@dataclass(frozen=True, slots=True)
class Authored:
    """What is told of the authored turns."""

    scores: dict[str, float]
    evaluation: Evaluation
    confusions: tuple[Confusion, ...]
    worst: tuple[Mistake, ...]
    curves: dict[str, tuple[Point, ...]]


def measure_authored(
    stages: Stages, float32: Stages | None, test: Sequence[LabelledTurn], idle: Sequence[LabelledTurn]
) -> Authored:
    """Measure the artefact as it serves on ``test``, and on ``idle`` how often it speaks up over talk of nothing.

    ``float32``: the same encoder unquantized; None leaves out what quantizing costs.
    """
    names, holds = stages.names, holds_in(test, stages.names)
    reading = stages.read(said_in(test))
    found, alone = compare(stages, reading.cascade, test), compare(stages, reading.encoder, test)
    bare = [replace(turn, text=stripped(turn.text)) for turn in test]
    of_stripped = compare(stages, stages.read(said_in(bare)).cascade, bare)
    scores = {f"authored.{name}": score for name, score in found.summary().items()}
    scores |= {
        "authored.encoder.macro_f1": alone.macro_f1,
        "authored.stripped_loss": found.macro_f1 - of_stripped.macro_f1,
    }
    if reading.first is not None:
        scores["authored.first_stage.macro_f1"] = compare(stages, reading.first, test).macro_f1
        scores |= _cascade_losses(alone, found)
        scores["cascade.share"] = float(reading.by_first.mean())
    if float32 is not None:
        exact = compare(float32, float32.read(said_in(test)).encoder, test)
        scores["authored.float32.macro_f1"] = exact.macro_f1
        scores["authored.int8_loss"] = exact.macro_f1 - alone.macro_f1
    scores |= _idle(stages, found, idle) | _partial(stages, reading, test)
    intents = reading.cascade.intents
    fires = stages.fires(intents)
    return Authored(
        scores=scores,
        evaluation=found,
        confusions=confusions(names, fires, holds),
        worst=worst_mistakes(test, names, intents, fires),
        curves={"as it serves": curve_of(intents, holds)},
    )


def _cascade_losses(alone: Evaluation, served: Evaluation) -> dict[str, float]:
    """What the encoder alone would have over the cascade; negative where it is the worse."""
    pairs = {
        "cascade.loss": (alone.macro_f1, served.macro_f1),
        "cascade.sentiment_loss": (alone.sentiment_accuracy, served.sentiment_accuracy),
        "cascade.churn_auc_loss": (alone.churn_auc, served.churn_auc),
    }
    return {name: one - other for name, (one, other) in pairs.items() if one is not None and other is not None}


def _idle(stages: Stages, found: Evaluation, idle: Sequence[LabelledTurn]) -> dict[str, float]:
    """Over the turns of ``idle`` and those of the test turns that want nothing."""
    reading = stages.read(said_in(idle))
    apart = compare(stages, reading.cascade, idle)
    turns, fired = apart.idle_turns + found.idle_turns, apart.idle_fired + found.idle_fired
    scores = {"idle.turns": float(turns), "idle.fired": fired / turns}
    if reading.first is not None:
        scores["cascade.idle_share"] = float(reading.by_first.mean())
    return scores


def _partial(stages: Stages, reading: Reading, test: Sequence[LabelledTurn]) -> dict[str, float]:
    """What the first words say of turns that go on after them."""
    rows = [row for row, turn in enumerate(test) if prefix_of(turn.text) != turn.text]
    begun = stages.read([(test[row].speaker, prefix_of(test[row].text)) for row in rows]).cascade.intents
    whole = reading.cascade.intents[rows]
    found = agreement(begun, stages.fires(begun, partial=True), whole, stages.fires(whole))
    if not found.fired:
        return {"partial.turns": float(found.turns), "partial.fires": 0.0}
    return {
        "partial.turns": float(found.turns),
        "partial.fires": found.fired / found.turns,
        "partial.among_fired": found.among_fired / found.fired,
        "partial.same_top": found.same_top / found.fired,
    }
