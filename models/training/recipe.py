"""The whole road from turns to a trained model: tune the encoder, calibrate it, let it teach the first stage."""

import copy
import hashlib
import json
import pickle
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from models.training.calibration import Matrix, sigmoid
from models.training.cascade import Truth, carried_by, choose_sure_at
from models.training.distilling import distil
from models.training.first_stage import FirstStageNetwork, answers_of, learn_what_is_sure, static_table
from models.training.heads import calibrate
from models.training.lessons import first_stage_lessons, only_heard
from models.training.network import ENCODER, IntentNetwork
from models.training.partials import Beginnings, choose_partial
from models.training.reading import MAX_TOKENS, arrays, read, token_ids
from models.training.targets import Targets, targets_of
from models.training.task import Task
from models.training.teacher import opinions
from models.training.thresholds import Mask, Thresholds, choose_thresholds, probabilities_of
from models.training.tune import Pace, Report, Rows, averaged, embed, finished, probe, tune
from models.training.turns import LabelledTurn, data_revision, digest
from models.training.variants import prefix_of, with_variants
from models.training.vocabulary import Vocabulary, vocabulary_for
from schemas.conversation import Speaker

_TURNS_SEEN, _TAUGHT_SEEN = 70_000, 120_000
"""A run goes on for as many epochs as make this many turns; the second where a teacher makes more of each."""
_RUNS = 2
"""Of tuning, the weights of which are averaged."""
_BATCH, _SMALL_BATCH, _SMALL_SET = 48, 32, 5_000
"""Fewer turns than the last are learned in small batches, so that there are steps enough."""
_ENCODER_RATE, _HEADS_RATE = 2.5e-4, 1e-3
_SMOOTHING = 0.1
_MOST_BEGINNINGS = 4_000
_FEWEST_EPOCHS, _MOST_EPOCHS = 3, 20


@dataclass(frozen=True, slots=True)
class Recipe:
    """What, besides the turns, decides what comes out."""

    epochs: int | None = None
    """Of a run. None: as many as make some 70,000 turns seen, 3 to 20."""
    teacher: bool = False
    """Whether a larger encoder is tuned first, to teach the one that ships: it takes longer than that itself."""
    questions: int = 170_000
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


def train(
    turns: Sequence[LabelledTurn],
    validation: Sequence[LabelledTurn],
    unlabelled: Sequence[str],
    work: Path,
    recipe: Recipe,
    report: Report,
) -> Trained:
    """Train on ``turns``, calibrate and choose thresholds on ``validation``.

    Args:
        unlabelled: further texts, which the first stage learns from by asking the encoder.
        work: folder of what is half done: the same call goes on where it was cut off, by the epoch.

    Raises:
        ValueError: the turns do not make a task (see `Task.of`), or validation is empty.
        EncoderMissing: the pretrained encoder is not installed.
    """
    if not validation:
        raise ValueError("no validation turns: calibration needs some that training does not see")
    torch.set_num_threads(recipe.threads)
    place = work / _fingerprint(turns, validation, unlabelled, recipe)
    place.mkdir(parents=True, exist_ok=True)
    kept = place / "trained.pickle"
    trained = load(kept) if kept.exists() else _taught(turns, validation, unlabelled, work, recipe, report)
    _decide(trained, turns, validation, report)
    kept.write_bytes(pickle.dumps(trained))
    return trained


def load(path: Path) -> Trained:
    """What `train` left in its work folder. Only of one's own making: a pickle runs what it says."""
    trained = pickle.loads(path.read_bytes())
    if not isinstance(trained, Trained):
        raise TypeError(f"{path} is not a trained model")
    return trained


def _tuned(
    task: Task,
    vocabulary: Vocabulary,
    turns: Sequence[LabelledTurn],
    unlabelled: Sequence[str],
    work: Path,
    recipe: Recipe,
    report: Report,
) -> IntentNetwork:
    """The encoder; what its runs left in ``work`` serves again as long as they would see the same."""
    torch.manual_seed(recipe.seed)
    begun = IntentNetwork(task, vocabulary.rows)
    lessons = with_variants(turns, random.Random(recipe.seed))
    if recipe.teacher:
        lessons += only_heard(turns, unlabelled, random.Random(recipe.seed))
    pace = _pace(len(lessons), recipe)
    seen = _hash([ENCODER, data_revision(lessons), vocabulary.rows, asdict(pace), recipe.seed, recipe.teacher])
    checkpoints = [work / f"encoder-{seen}" / f"run{run}.pt" for run in range(_RUNS)]
    checkpoints[0].parent.mkdir(parents=True, exist_ok=True)
    runs = [copy.deepcopy(begun) for _ in checkpoints]
    undone = [run for run, network in enumerate(runs) if not finished(checkpoints[run], pace, network)]
    if undone:
        texts = [turn.text for turn in lessons]
        said = opinions(task, turns, texts, work, recipe.seed, report) if recipe.teacher else None
        hidden = embed(begun, vocabulary.tokenizer(MAX_TOKENS), texts, report)
        rows = Rows(hidden, targets_of(task, lessons), said)
        probe(begun, rows, pace.smoothing, report)
        for run in undone:
            runs[run] = copy.deepcopy(begun)
            tune(runs[run], rows, pace, recipe.seed + run, checkpoints[run], report)
    return averaged(runs)


def _pace(lessons: int, recipe: Recipe) -> Pace:
    wanted = round((_TAUGHT_SEEN if recipe.teacher else _TURNS_SEEN) / lessons)
    epochs = recipe.epochs or min(_MOST_EPOCHS, max(_FEWEST_EPOCHS, wanted))
    batch = _SMALL_BATCH if lessons < _SMALL_SET else _BATCH
    return Pace(epochs, batch, encoder=_ENCODER_RATE, heads=_HEADS_RATE, smoothing=_SMOOTHING)


def _taught(
    turns: Sequence[LabelledTurn],
    validation: Sequence[LabelledTurn],
    unlabelled: Sequence[str],
    work: Path,
    recipe: Recipe,
    report: Report,
) -> Trained:
    """Both stages, tuned and calibrated, before it is decided at what they fire."""
    task = Task.of(turns)
    variants = with_variants(turns, random.Random(recipe.seed))
    vocabulary = vocabulary_for(sorted({turn.text for turn in (*variants, *validation)} | set(unlabelled)))
    encoder = _tuned(task, vocabulary, turns, unlabelled, work, recipe, report)
    targets, texts = targets_of(task, validation), [turn.text for turn in validation]
    calibrate(encoder.heads, task, read(encoder, vocabulary, texts, report), targets)

    tokenizer = vocabulary.tokenizer(MAX_TOKENS)
    rng = random.Random(recipe.seed)
    lessons = first_stage_lessons(encoder, vocabulary, turns, variants, unlabelled, rng, recipe.questions, report)
    cls, sep = (tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))
    table = static_table(vocabulary.rows, cls, sep)
    first_stage = distil(task, table, lessons, recipe.first_stage_epochs, recipe.seed, report)
    calibrate(first_stage.heads, task, arrays(answers_of(first_stage, token_ids(tokenizer, texts))), targets)

    sources = sorted({turn.source for turn in turns})
    undecided = np.ones(len(task.labels))
    return Trained(
        task=task,
        vocabulary=vocabulary,
        encoder=encoder,
        first_stage=first_stage,
        thresholds=Thresholds(undecided, undecided),
        sure_at=1.0,
        data={source: data_revision(turn for turn in turns if turn.source == source) for source in sources},
        recipe=recipe,
        scores={},
    )


def _decide(
    trained: Trained, turns: Sequence[LabelledTurn], validation: Sequence[LabelledTurn], report: Report
) -> None:
    """Choose at what each label fires, and of what the first stage may be sure."""
    task, vocabulary = trained.task, trained.vocabulary
    texts, targets = [turn.text for turn in validation], targets_of(task, validation)
    holds, known = _as_masks(targets)
    second = read(trained.encoder, vocabulary, texts, report)
    fires_at = choose_thresholds(task, second["intents"], holds, known)
    partial, of_partials = choose_partial(_beginnings(trained, [*validation, *turns], report), fires_at)
    thresholds = trained.thresholds = Thresholds(fires_at, partial)

    truth = Truth(task, holds, known, targets.sentiment.numpy(), targets.churn_risk.numpy())
    ids = token_ids(vocabulary.tokenizer(MAX_TOKENS), texts)
    first = answers_of(trained.first_stage, ids)
    changed = truth.changed(thresholds, arrays(first), second)
    edges, carried = torch.tensor(thresholds.edges(task)), torch.tensor(carried_by(task)).float()
    learn_what_is_sure(
        trained.first_stage, edges, carried, first["intents"], targets.known, torch.tensor(changed).float()
    )
    said = arrays(answers_of(trained.first_stage, ids))
    speakers = list(Speaker)
    sure = sigmoid(said["sure"])[np.arange(len(texts)), [speakers.index(Speaker(t.speaker)) for t in validation]]
    trained.sure_at, of_cascade = choose_sure_at(truth, thresholds, sure, said, second)
    trained.scores = of_partials | of_cascade


def _beginnings(trained: Trained, turns: Sequence[LabelledTurn], report: Report) -> Beginnings:
    """What the encoder says of the first words of turns, of which all labels are known, and of their whole."""
    longer = [turn for turn in turns if turn.known is None and prefix_of(turn.text) != turn.text]
    longer = sorted(longer, key=lambda turn: digest(turn.text))[:_MOST_BEGINNINGS]
    _, carried = _as_masks(targets_of(trained.task, longer))

    def said(texts: Sequence[str]) -> Matrix:
        intents = read(trained.encoder, trained.vocabulary, texts, report)["intents"]
        return np.where(carried, probabilities_of(trained.task, intents), 0.0)

    return Beginnings.of(said([prefix_of(turn.text) for turn in longer]), said([turn.text for turn in longer]))


def _as_masks(targets: Targets) -> tuple[Mask, Mask]:
    return targets.intents.numpy() > 0, targets.known.numpy() > 0


def _fingerprint(
    turns: Sequence[LabelledTurn], validation: Sequence[LabelledTurn], unlabelled: Sequence[str], recipe: Recipe
) -> str:
    """Another whenever anything that decides the outcome is another; threads only move last digits."""
    decisive = {name: value for name, value in asdict(recipe).items() if name != "threads"}
    return _hash([ENCODER, data_revision(turns), data_revision(validation), sorted(unlabelled), decisive])


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
