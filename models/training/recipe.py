"""The whole road from turns to a trained model: tune the encoder, calibrate it, let it teach the first stage."""

import copy
import hashlib
import json
import pickle
import random
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from models.serving.graph import Graph
from models.training.export import write_encoder
from models.training.first_stage import (
    FirstStageNetwork,
    answers_of,
    distil,
    learn_what_is_sure,
    lessons_of,
    static_table,
)
from models.training.heads import calibrate
from models.training.network import ENCODER, IntentNetwork, Logits
from models.training.targets import Targets, targets_of
from models.training.task import Task
from models.training.thresholds import Arrays, Mask, Thresholds, choose_sure_at, choose_thresholds
from models.training.tune import Report, Rows, averaged, embed, finished, probe, tune
from models.training.turns import LabelledTurn, data_revision, digest
from models.training.variants import prefix_of, recombined, with_variants
from models.training.vocabulary import Vocabulary, vocabulary_for

MAX_TOKENS = 128
_TURNS_SEEN = 70_000
"""A run goes on for as many epochs as make this many turns."""
_RECOMBINED, _MOST_UNLABELLED = 30_000, 6_000
"""Texts that the first stage asks the encoder about, beside those that the encoder learned from."""
_FEWEST_EPOCHS, _MOST_EPOCHS = 3, 20


@dataclass(frozen=True, slots=True)
class Recipe:
    """What, besides the turns, decides what comes out."""

    epochs: int | None = None
    """Of a run. None: as many as make some 70,000 turns seen, 3 to 20."""
    runs: int = 2
    """Of tuning, the weights of which are averaged."""
    first_stage_epochs: int = 12
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
    _decide(trained, validation, report)
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
    variants: Sequence[LabelledTurn],
    work: Path,
    recipe: Recipe,
    report: Report,
) -> IntentNetwork:
    """The encoder; what its runs left in ``work`` serves again as long as they would see the same."""
    torch.manual_seed(recipe.seed)
    begun = IntentNetwork(task, vocabulary.rows)
    wanted = round(_TURNS_SEEN / len(variants))
    epochs = recipe.epochs or min(_MOST_EPOCHS, max(_FEWEST_EPOCHS, wanted))
    seen = _hash([ENCODER, data_revision(variants), vocabulary.rows, epochs, recipe.seed])
    checkpoints = [work / f"encoder-{seen}" / f"run{run}.pt" for run in range(recipe.runs)]
    checkpoints[0].parent.mkdir(parents=True, exist_ok=True)
    runs = [copy.deepcopy(begun) for _ in checkpoints]
    undone = [run for run, network in enumerate(runs) if not finished(checkpoints[run], epochs, network)]
    if undone:
        hidden = embed(begun, vocabulary.tokenizer(MAX_TOKENS), [turn.text for turn in variants], report)
        rows = Rows(hidden, targets_of(task, variants))
        probe(begun, rows, report)
        for run in undone:
            runs[run] = copy.deepcopy(begun)
            tune(runs[run], rows, epochs, recipe.seed + run, checkpoints[run], report)
    return averaged(runs)


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
    encoder = _tuned(task, vocabulary, variants, work, recipe, report)
    targets, texts = targets_of(task, validation), [turn.text for turn in validation]
    calibrate(encoder.heads, task, _read(encoder, vocabulary, texts, report), targets)

    own = sorted({turn.text for turn in variants})
    asked = sorted({*own, *recombined(own, _RECOMBINED, random.Random(recipe.seed))})
    asked += sorted(set(unlabelled) - set(asked), key=digest)[:_MOST_UNLABELLED]
    tokenizer = vocabulary.tokenizer(MAX_TOKENS)
    lessons = lessons_of(encoder, vocabulary.rows, tokenizer, asked, report)
    cls, sep = (tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))
    table = static_table(vocabulary.rows, cls, sep)
    first_stage = distil(task, table, lessons, recipe.first_stage_epochs, recipe.seed, report)
    calibrate(first_stage.heads, task, _arrays(answers_of(first_stage, _ids(tokenizer, texts))), targets)

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


def _decide(trained: Trained, validation: Sequence[LabelledTurn], report: Report) -> None:
    """Choose at what each label fires, and of what the first stage may be sure."""
    task, vocabulary = trained.task, trained.vocabulary
    texts = [turn.text for turn in validation]
    holds, carried = _as_masks(targets_of(task, validation))
    whole = _read(trained.encoder, vocabulary, texts, report)
    longer = [row for row, text in enumerate(texts) if text != prefix_of(text)]
    begun = _read(trained.encoder, vocabulary, [prefix_of(texts[row]) for row in longer], report) if longer else None
    same = {name: each[longer] for name, each in whole.items()}
    trained.thresholds = choose_thresholds(task, whole, holds, carried, begun, same)

    ids = _ids(vocabulary.tokenizer(MAX_TOKENS), texts)
    first = answers_of(trained.first_stage, ids)
    agrees = torch.tensor(trained.thresholds.same_answer(task, _arrays(first), whole, carried))
    learn_what_is_sure(trained.first_stage, torch.tensor(trained.thresholds.edges(task)), first["intents"], agrees)
    first = answers_of(trained.first_stage, ids)
    trained.sure_at, trained.scores = choose_sure_at(task, trained.thresholds, _arrays(first), whole, carried)


def _ids(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    return [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]


def _read(encoder: IntentNetwork, vocabulary: Vocabulary, texts: Sequence[str], report: Report) -> Arrays:
    """What the encoder says of ``texts`` as it serves: int8, each by itself."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.onnx"
        write_encoder(encoder, MAX_TOKENS, path, int8=True)
        graph = Graph(path.read_bytes(), {name: head.out_features for name, head in encoder.heads.items()})
    said = []
    for done, ids in enumerate(_ids(vocabulary.tokenizer(MAX_TOKENS), texts), start=1):
        said.append(graph.run(ids))
        report("reading as it serves", done, len(texts))
    return {name: np.array([each[name] for each in said], dtype=np.float64) for name in encoder.heads}


def _as_masks(targets: Targets) -> tuple[Mask, Mask]:
    return targets.intents.numpy() > 0, targets.known.numpy() > 0


def _arrays(logits: Logits) -> Arrays:
    return {name: values.double().numpy() for name, values in logits.items()}


def _fingerprint(
    turns: Sequence[LabelledTurn], validation: Sequence[LabelledTurn], unlabelled: Sequence[str], recipe: Recipe
) -> str:
    """Another whenever anything that decides the outcome is another; threads only move last digits."""
    decisive = {name: value for name, value in asdict(recipe).items() if name != "threads"}
    return _hash([ENCODER, data_revision(turns), data_revision(validation), sorted(unlabelled), decisive])


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
