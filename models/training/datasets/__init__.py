"""The sources of training turns, one loader a source: each maps what is clean onto our labels and masks the rest."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from models.training.datasets.authored import load_authored
from models.training.datasets.banking77 import load_banking77
from models.training.datasets.clinc150 import load_clinc150
from models.training.datasets.dstc11 import load_dstc11
from models.training.datasets.goemotions import load_goemotions
from models.training.datasets.nlupp import load_nlupp
from models.training.turns import LabelledTurn

__all__ = ["load_authored", "load_public", "load_unlabelled"]


def load_public(folder: Path) -> list[LabelledTurn]:
    """The training splits of all public sets under ``folder`` (one folder a set); their test splits stay unread.

    Raises:
        FileNotFoundError: a set is not there.
    """
    loaders = (load_banking77, load_clinc150, load_dstc11, load_goemotions, load_nlupp)
    return [turn for load in loaders for turn in load(folder)]


def load_unlabelled(folder: Path) -> list[str]:
    """Texts of the train splits whatever they mean, some 20,000: what the first stage asks the encoder
    about, and the encoder its teacher."""
    return sorted(set(_texts(folder)))


def _texts(folder: Path) -> Iterator[str]:
    with (folder / "banking77" / "train.csv").open(encoding="utf-8", newline="") as file:
        yield from [row["text"] for row in csv.DictReader(file)][::2]
    clinc = json.loads((folder / "clinc150" / "data_full.json").read_text(encoding="utf-8"))
    yield from [text for text, _ in clinc["train"]][::3]
    with (folder / "goemotions" / "train.tsv").open(encoding="utf-8") as file:
        yield from [line.split("\t")[0] for line in file][::6]
