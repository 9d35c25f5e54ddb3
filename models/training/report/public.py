"""The recipe on two public sets, each trained on its own train split: figures to hold against published tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.training.answers import Stages
from models.training.benchmarks import Answered, answered, at_threshold, paper_threshold, strictest_threshold
from models.training.datasets.sampling import Row
from models.training.datasets.splits import banking77_split, clinc150_split
from models.training.measures import Matrix
from models.training.speech import stripped


@dataclass(frozen=True, slots=True)
class Classifier:
    """An artefact of one label a turn, quantized and, where there is one, as float32."""

    stages: Stages
    float32: Stages | None

    def __post_init__(self) -> None:
        head = self.stages.manifest.intents
        if head is None or not head.exclusive:
            raise ValueError(
                "the artefact of a public set must be trained on it: one label a turn, of the set's classes"
            )

    def answers(self, texts: Sequence[str]) -> Matrix:
        """Probabilities (n, classes), as it serves."""
        return self.stages.read([("customer", text) for text in texts]).cascade.intents

    def scores(self, prefix: str, rows: Sequence[Row]) -> dict[str, float]:
        """Accuracy as it serves, by the encoder alone, with stripped texts, and unquantized."""
        texts, expected = [text for text, _ in rows], [name for _, name in rows]
        reading = self.stages.read([("customer", text) for text in texts])

        def accuracy(intents: Matrix) -> float:
            return answered(intents, self.stages.names, expected).accuracy

        served, alone = accuracy(reading.cascade.intents), accuracy(reading.encoder.intents)
        bare = accuracy(self.answers([stripped(text) for text in texts]))
        scores = {"accuracy": served, "encoder": alone, "stripped": bare, "stripped_loss": served - bare}
        if reading.first is not None:
            scores |= {"first_stage_share": float(reading.by_first.mean()), "cascade_loss": alone - served}
        if self.float32 is not None:
            exact = accuracy(self.float32.read([("customer", text) for text in texts]).encoder.intents)
            scores |= {"float32": exact, "int8_loss": exact - alone}
        return {f"{prefix}.{name}": score for name, score in scores.items()}


def measure_banking77(classifier: Classifier, data: Path) -> dict[str, float]:
    """Accuracy on the 3,080 test rows; ``data`` holds ``banking77/``."""
    return classifier.scores("banking77", banking77_split(data, "test"))


def measure_clinc150(classifier: Classifier, data: Path) -> dict[str, float]:
    """In-scope accuracy and out-of-scope recall on the test rows; ``data`` holds ``clinc150/``."""
    names = classifier.stages.names

    def both(split: str) -> tuple[Answered, Answered]:
        scope, outside = (clinc150_split(data, each) for each in (split, f"oos_{split}"))  # type: ignore[arg-type]
        return (
            answered(classifier.answers([text for text, _ in scope]), names, [name for _, name in scope]),
            answered(classifier.answers([text for text, _ in outside]), names, [name for _, name in outside]),
        )

    scores = classifier.scores("clinc150", clinc150_split(data, "test"))
    return scores | in_and_out("clinc150", both("val"), both("test"))


def in_and_out(prefix: str, validation: tuple[Answered, Answered], test: tuple[Answered, Answered]) -> dict[str, float]:
    """Test figures at the two thresholds chosen on validation; each pair is of rows in scope and rows out of it."""
    paper = at_threshold(paper_threshold(*validation), *test)
    strict = at_threshold(strictest_threshold(*validation), *test)
    return {
        f"{prefix}.in_scope": paper.in_scope,
        f"{prefix}.oos_recall": paper.oos_recall,
        f"{prefix}.strict.in_scope": strict.in_scope,
        f"{prefix}.strict.oos_recall": strict.oos_recall,
    }
