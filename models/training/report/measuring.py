"""Everything that is told of a model, measured in one go. The test splits are read here and nowhere else.

What needs the training environment (linear models, torch and the pipeline beside ours, the roof) is left out without
it, and what no artefact or data was given for, too: the card then says that it was not measured.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from models.serving import IntentModel
from models.training.answers import Said, Stages
from models.training.datasets import load_public
from models.training.datasets.authored import load_authored
from models.training.report.authored import measure_authored
from models.training.report.public import Classifier, measure_banking77, measure_clinc150
from models.training.report.record import Report, digests_of
from models.training.report.speeds import device, measure_against_peers, measure_speeds, measure_under_roof

Say = Callable[[str], None]
"""Told of what is measured next."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What to measure. Beside a folder ``DIR`` its float32 twin is taken from ``DIR.float32``, where there is one."""

    artifact: Path
    banking77: Path | None = None
    """An artefact trained on Banking77's train split."""
    clinc150: Path | None = None
    """Likewise on CLINC150's."""
    data: Path | None = None
    """Folder of the public sets, one folder a set; without it nothing public is measured."""


def measure(what: Measured, stream: Sequence[Said], say: Say) -> Report:
    """Measure all that can be measured here.

    Args:
        stream: turns as they come in conversations, to measure speed on.

    Raises:
        ArtifactError: an artefact does not load.
        FileNotFoundError: a test set is not there.
    """
    stages, float32 = _with_twin(what.artifact)
    can_train = all(find_spec(name) for name in ("torch", "transformers", "sklearn", "onnx"))
    say("authored turns")
    test = load_authored("test")
    authored = measure_authored(stages, float32, test, load_authored("idle"))
    scores, curves = dict(authored.scores), dict(authored.curves)
    scores["size_mb"] = sum(record.size_bytes for record in stages.manifest.files.values()) / 1e6
    if can_train:
        from models.training.report.cheap import authored_beside

        say("linear models on the authored turns")
        figures, drawn = authored_beside(stages, load_authored("train"), load_authored("validation"), test)
        scores, curves = scores | figures, curves | drawn
    scores |= _public(what, can_train, say)
    say("speed")
    scores |= measure_speeds(stages, stream)
    if can_train:
        say("torch and transformers beside it")
        scores |= measure_against_peers(stages, stream)
        if float32 is not None:
            scores |= measure_under_roof(float32)
    return Report(
        files=digests_of(stages.manifest),
        scores={name: round(score, 4) for name, score in sorted(scores.items())},
        labels=authored.evaluation.labels,
        confusions=authored.confusions,
        worst=authored.worst,
        curves=curves,
        device=device(),
    )


def _public(what: Measured, can_train: bool, say: Say) -> dict[str, float]:
    if what.data is None:
        return {}
    counts = Counter(turn.source for turn in [*load_public(what.data), *load_authored("train")])
    scores = {f"turns.{source}": float(count) for source, count in counts.items()}
    if what.banking77 is not None:
        say("Banking77")
        scores |= measure_banking77(Classifier(*_with_twin(what.banking77)), what.data)
    if what.clinc150 is not None:
        say("CLINC150")
        scores |= measure_clinc150(Classifier(*_with_twin(what.clinc150)), what.data)
    if can_train:
        from models.training.report.cheap import banking77_beside, clinc150_beside

        say("linear models on Banking77 and CLINC150")
        scores |= banking77_beside(what.data) | clinc150_beside(what.data)
    return scores


def _with_twin(folder: Path) -> tuple[Stages, Stages | None]:
    twin = folder.with_name(f"{folder.name}.float32")
    exact = Stages(IntentModel.load(twin)) if twin.is_dir() else None
    return Stages(IntentModel.load(folder)), exact
