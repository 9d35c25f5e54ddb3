"""The whole road from turns to a trained model: tune a teacher where one is wanted, let it teach the encoder, calibrate
that, let it teach the first stage, decide at what labels fire."""

import copy
import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from models.training.calibration import Matrix, sigmoid
from models.training.cascade import Truth, carried_by, choose_sure_at
from models.training.checkpoints import finished
from models.training.distilling import distil
from models.training.first_stage import answers_of, static_table
from models.training.heads import calibrate
from models.training.lessons import first_stage_lessons, only_heard
from models.training.network import ENCODER, IntentNetwork
from models.training.partials import Beginnings, choose_partial
from models.training.reading import MAX_TOKENS, arrays, read, token_ids
from models.training.targets import Targets, targets_of
from models.training.task import Task
from models.training.teacher import opinions, taught_by
from models.training.thresholds import Mask, Thresholds, choose_thresholds, probabilities_of, unseen_thresholds
from models.training.trained import Recipe, Trained, keep, load
from models.training.tune import Pace, Report, Rows, averaged, embed, probe, tune
from models.training.turns import LabelledTurn, data_revision, digest
from models.training.variants import prefix_of, with_variants
from models.training.vocabulary import Vocabulary, vocabulary_for
from schemas.conversation import Speaker

_TURNS_SEEN, _TAUGHT_SEEN = 70_000, 120_000
"""A run goes on for as many epochs as make this many turns; the second where a teacher makes more of each."""
_RUNS, _ONE_RUN_FROM = 2, 40_000
"""Of tuning, the weights of which are averaged; from so many turns on one run has to do, for its time."""
_BATCH, _SMALL_BATCH, _SMALL_SET = 48, 32, 5_000
"""Fewer turns than the last are learned in small batches, so that there are steps enough."""
_ENCODER_RATE, _HEADS_RATE = 2.5e-4, 1e-3
_SMOOTHING = 0.1
_MOST_BEGINNINGS = 16_000
_FEWEST_EPOCHS, _MOST_EPOCHS = 3, 20


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
        unlabelled: further texts, of which the first stage asks the encoder, and the encoder its teacher.
        work: folder of what is half done: the same call goes on where it was cut off, tuning by the epoch and all else
            by what is whole.

    Raises:
        ValueError: the turns do not make a task (see `Task.of`), or validation is empty or has other labels.
        EncoderMissing: a pretrained encoder (the teacher, where one is wanted) is not installed.
    """
    if not validation:
        raise ValueError("no validation turns: calibration needs some that training does not see")
    known = Task.of(turns).labels
    if strange := sorted({label for turn in validation for label in turn.labels} - set(known)):
        raise ValueError(f"no turn to learn from has {', '.join(strange)}, which validation turns have")
    # Churn risk is asked of customers alone, so it is calibrated on what they say.
    validation = [replace(turn, churn_risk=None) if turn.speaker == "agent" else turn for turn in validation]
    torch.set_num_threads(recipe.threads)
    place = work / _fingerprint(turns, validation, unlabelled, recipe)
    place.mkdir(parents=True, exist_ok=True)
    kept = place / "trained.pickle"
    if not kept.exists():
        keep(_taught(turns, validation, unlabelled, work, recipe, report), kept)
    trained = load(kept)
    _decide(trained, turns, validation, report)
    keep(trained, kept)
    return trained


def _tuned(
    task: Task,
    vocabulary: Vocabulary,
    turns: Sequence[LabelledTurn],
    variants: Sequence[LabelledTurn],
    unlabelled: Sequence[str],
    work: Path,
    recipe: Recipe,
    report: Report,
) -> IntentNetwork:
    """The encoder; what its runs left in ``work`` serves again as long as they would see the same."""
    torch.manual_seed(recipe.seed)
    begun = IntentNetwork(task, vocabulary.rows)
    heard = only_heard(turns, unlabelled, random.Random(recipe.seed)) if recipe.teacher else []
    lessons = [*variants, *heard]
    pace = _pace(len(lessons), recipe)
    teacher = taught_by(len(turns)) if recipe.teacher else None
    seen = _hash([ENCODER, data_revision(lessons), vocabulary.rows, asdict(pace), recipe.seed, teacher])
    runs = 1 if len(lessons) >= _ONE_RUN_FROM else _RUNS
    checkpoints = [work / f"encoder-{seen}" / f"run{run}.pt" for run in range(runs)]
    checkpoints[0].parent.mkdir(parents=True, exist_ok=True)
    tuned = [copy.deepcopy(begun) for _ in checkpoints]
    undone = [run for run, network in enumerate(tuned) if not finished(checkpoints[run], pace.epochs, network)]
    if undone:
        texts = [turn.text for turn in lessons]
        said = opinions(task, turns, texts, work, recipe.seed, report) if recipe.teacher else None
        hidden = embed(begun, vocabulary.tokenizer(MAX_TOKENS), texts, report)
        rows = Rows(hidden, targets_of(task, lessons), said)
        probe(begun, rows, pace.smoothing, report)
        for run in undone:
            tuned[run] = copy.deepcopy(begun)
            tune(tuned[run], rows, pace, recipe.seed + run, checkpoints[run], report)
    return averaged(tuned)


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
    encoder = _tuned(task, vocabulary, turns, variants, unlabelled, work, recipe, report)
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
    trained.first_stage.know(torch.tensor(thresholds.edges(task)), torch.tensor(carried_by(task)).float())
    said = arrays(answers_of(trained.first_stage, token_ids(vocabulary.tokenizer(MAX_TOKENS), texts)))
    speakers = list(Speaker)
    sure = sigmoid(said["sure"])[np.arange(len(texts)), [speakers.index(Speaker(t.speaker)) for t in validation]]
    as_new = Thresholds(unseen_thresholds(task, second["intents"], holds, known), partial)
    trained.sure_at, of_cascade = choose_sure_at(truth, as_new, sure, said, second)
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
    """Another whenever what is given is another; threads only move last digits. The recipe's own constants are not in
    it: who changes them trains in another work folder."""
    decisive = {name: value for name, value in asdict(recipe).items() if name != "threads"}
    return _hash([ENCODER, data_revision(turns), data_revision(validation), sorted(unlabelled), decisive])


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
