"""The whole road from turns to an artefact, in one function."""

import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.artifact import (
    ChurnRiskHead,
    IntentsHead,
    Label,
    Manifest,
    SentimentHead,
    record_file,
    write_manifest,
)
from models.serving import IntentModel
from models.training.calibration import choose_threshold, fit_binary_temperature, fit_softmax_temperature
from models.training.evaluation import evaluate
from models.training.export import OPSET, export_float32, quantize
from models.training.network import ENCODER, IntentNetwork, load_tokenizer
from models.training.targets import Targets
from models.training.taxonomy import CUSTOMER_LABELS, LABELS
from models.training.tune import embed, predict, tune
from models.training.turns import SENTIMENTS, LabelledTurn, data_revision
from models.training.variants import with_variants
from schemas.conversation import Speaker

MAX_TOKENS = 128


@dataclass(frozen=True, slots=True)
class Recipe:
    epochs: int = 4
    folds: int = 3
    """Calibration sees only what each of this many models, trained on the other parts, says of its own part."""
    seed: int = 7
    threads: int = 2


def train(
    authored: Sequence[LabelledTurn],
    public: Sequence[LabelledTurn],
    test: Sequence[LabelledTurn],
    folder: Path,
    recipe: Recipe,
    report: Callable[[str], None],
) -> Manifest:
    """Train, calibrate, export and measure a model; return its manifest as written into ``folder``.

    Args:
        authored: turns with every label known; the temperatures and thresholds are theirs.
        public: turns that add to the training alone.
        test: turns that are measured once at the end and influence nothing.
        report: told of the progress, a line at a time.
    """
    torch.set_num_threads(recipe.threads)
    logits, targets = _cross_fit(authored, public, recipe, report)
    network = _fit([*authored, *public], recipe, lambda line: report(f"final: {line}"))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        exact = Path(scratch)
        export_float32(network, exact)
        quantize(exact, folder)
        made = [
            write_manifest(at, _manifest(at, logits, targets, data_revision([*authored, *public])))
            for at in (exact, folder)
        ]
        of_float32, of_int8 = (evaluate(IntentModel.load(at), test).summary() for at in (exact, folder))
    scores = {**of_int8, "macro_f1_float32": of_float32["macro_f1"]}
    return write_manifest(folder, made[1].model_copy(update={"scores": scores}))


def _fit(turns: Sequence[LabelledTurn], recipe: Recipe, report: Callable[[str], None]) -> IntentNetwork:
    torch.manual_seed(recipe.seed)
    network = IntentNetwork(len(LABELS))
    variants = with_variants(turns, random.Random(recipe.seed))
    report(f"{len(turns):,} turns, {len(variants):,} with their variants")
    rows = embed(network, load_tokenizer(MAX_TOKENS), variants)
    tune(network, rows, recipe.epochs, recipe.seed, report)
    return network


def _cross_fit(
    authored: Sequence[LabelledTurn],
    public: Sequence[LabelledTurn],
    recipe: Recipe,
    report: Callable[[str], None],
) -> tuple[tuple[Tensor, Tensor, Tensor], Targets]:
    """Logits of the authored turns, each from a model that has not seen it, and their targets."""
    shuffled = list(authored)
    random.Random(recipe.seed).shuffle(shuffled)
    parts = [shuffled[fold :: recipe.folds] for fold in range(recipe.folds)]
    logits = []
    for fold, held_out in enumerate(parts):
        others = [turn for part in parts if part is not held_out for turn in part]
        name = f"fold {fold + 1}/{recipe.folds}"
        network = _fit([*others, *public], recipe, lambda line, name=name: report(f"{name}: {line}"))
        rows = embed(network, load_tokenizer(MAX_TOKENS), held_out)
        logits.append((predict(network, rows), rows.targets))
    intents, sentiment, churn_risk = (torch.cat(parts) for parts in zip(*(got for got, _ in logits), strict=True))
    return (intents, sentiment, churn_risk), Targets.concatenated([targets for _, targets in logits])


def _manifest(folder: Path, logits: tuple[Tensor, Tensor, Tensor], targets: Targets, trained_on: str) -> Manifest:
    intents, sentiment, churn_risk = (tensor.double().numpy() for tensor in logits)
    holds, known = targets.intents.double().numpy(), targets.known.double().numpy()
    temperature = fit_binary_temperature(intents, holds, known)
    probabilities = 1.0 / (1.0 + np.exp(-intents / temperature))
    labels = []
    for column, name in enumerate(LABELS):
        asked = known[:, column] > 0
        threshold = choose_threshold(probabilities[asked, column], holds[asked, column] > 0)
        speakers = (Speaker.CUSTOMER,) if name in CUSTOMER_LABELS else (Speaker.AGENT,)
        labels.append(Label(name=name, speakers=speakers, threshold=threshold))
    felt = targets.sentiment.numpy() >= 0
    rated = targets.churn_risk.numpy() >= 0
    levels = np.stack([targets.churn_risk.numpy() >= 1, targets.churn_risk.numpy() >= 2], axis=1).astype(float)
    return Manifest(
        format=1,
        revision="",
        files={name: record_file(folder / name) for name in ("model.onnx", "tokenizer.json")},
        opset=OPSET,
        max_tokens=MAX_TOKENS,
        intents=IntentsHead(labels=tuple(labels), temperature=temperature),
        sentiment=SentimentHead(
            labels=SENTIMENTS,
            temperature=fit_softmax_temperature(sentiment[felt], targets.sentiment.numpy()[felt]),
        ),
        churn_risk=ChurnRiskHead(
            temperature=fit_binary_temperature(churn_risk[rated], levels[rated], np.ones_like(levels[rated]))
        ),
        encoder=ENCODER,
        data_revision=trained_on,
        scores={},
    )
