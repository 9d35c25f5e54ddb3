"""A trained model before it is an artefact, and what decided what came out."""

import pickle
from dataclasses import dataclass
from pathlib import Path

from models.training.first_stage import FirstStageNetwork
from models.training.network import IntentNetwork
from models.training.task import Task
from models.training.thresholds import Thresholds
from models.training.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Recipe:
    """What, besides the turns, decides what comes out."""

    epochs: int | None = None
    """Of a run of the encoder. None: as many as make some 70,000 turns seen, 120,000 with a teacher; 3 to 20."""
    teacher: bool = False
    """Whether a larger encoder is tuned first, to teach the one that ships: it takes longer than that itself."""
    questions: int = 250_000
    """New texts that the encoder is asked about, for the first stage to learn from; fewer where there are few turns."""
    first_stage_epochs: int = 4
    seed: int = 7
    threads: int = 2


@dataclass(slots=True)
class Trained:
    """A trained model before export; its heads are calibrated."""

    task: Task
    vocabulary: Vocabulary
    encoder: IntentNetwork
    first_stage: FirstStageNetwork
    thresholds: Thresholds
    sure_at: float
    data: dict[str, str]
    """Revision of the turns of each source."""
    recipe: Recipe
    scores: dict[str, float]
    """On the validation turns."""


def load(path: Path) -> Trained:
    """What `train` left in its work folder. Only of one's own making: a pickle runs what it says."""
    trained = pickle.loads(path.read_bytes())
    if not isinstance(trained, Trained):
        raise TypeError(f"{path} is not a trained model")
    return trained


def keep(trained: Trained, path: Path) -> None:
    """Write ``trained`` to ``path``, which is there whole or not at all."""
    written = path.with_suffix(".part")
    written.write_bytes(pickle.dumps(trained))
    written.replace(path)
