"""A trained model as an artefact: graphs, tokenizer, and the manifest that holds them together."""

from pathlib import Path

from models.artifact import (
    FirstStage,
    IntentsHead,
    Label,
    Manifest,
    SentimentHead,
    record_file,
    write_manifest,
)
from models.training.export import write_encoder, write_first_stage
from models.training.first_stage import EMBEDDING_WIDTH
from models.training.graph import OPSET
from models.training.network import ENCODER
from models.training.partials import NEVER
from models.training.reading import MAX_TOKENS
from models.training.trained import Trained
from models.training.turns import SENTIMENTS


def write_artifact(trained: Trained, folder: Path, *, int8: bool = True) -> Manifest:
    """Export ``trained`` into ``folder`` and return its manifest as written.

    Args:
        int8: False writes the encoder as float32, four times the size, to hold the int8 one against.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_encoder(trained.encoder, MAX_TOKENS, folder / "model.onnx", int8=int8)
    write_first_stage(trained.first_stage, folder / "first_stage.onnx")
    (folder / "tokenizer.json").write_text(trained.vocabulary.tokenizer_json, encoding="utf-8")
    task = trained.task
    labels = tuple(
        Label(
            name=name,
            speakers=speakers,
            threshold=round(float(whole), 4),
            partial_threshold=None if begun == NEVER else round(float(begun), 4),
        )
        for name, speakers, whole, begun in zip(
            task.labels, task.speakers, trained.thresholds.whole, trained.thresholds.partial, strict=True
        )
    )
    manifest = Manifest(
        format=3,
        revision="",
        files={name: record_file(folder / name) for name in ("model.onnx", "first_stage.onnx", "tokenizer.json")},
        opset=OPSET,
        max_tokens=MAX_TOKENS,
        intents=IntentsHead(labels=labels, exclusive=task.exclusive),
        sentiment=SentimentHead(labels=SENTIMENTS) if task.sentiment else None,
        churn_risk=task.churn_risk,
        first_stage=FirstStage(sure_at=trained.sure_at, embedding_width=EMBEDDING_WIDTH),
        encoder=ENCODER,
        data=trained.data,
        seed=trained.recipe.seed,
        scores={name: round(score, 4) for name, score in trained.scores.items()},
    )
    return write_manifest(folder, manifest)
