"""The sources of training turns, one loader a source: each maps what is clean onto our labels and masks the rest."""

from pathlib import Path

from models.training.datasets.authored import load_authored
from models.training.datasets.banking77 import load_banking77
from models.training.datasets.clinc150 import load_clinc150
from models.training.datasets.dstc11 import load_dstc11
from models.training.datasets.goemotions import load_goemotions
from models.training.datasets.nlupp import load_nlupp
from models.training.turns import LabelledTurn

__all__ = ["load_authored", "load_public"]


def load_public(folder: Path) -> list[LabelledTurn]:
    """The training splits of all public sets under ``folder`` (one folder a set); their test splits stay unread.

    Raises:
        FileNotFoundError: a set is not there.
    """
    loaders = (load_banking77, load_clinc150, load_dstc11, load_goemotions, load_nlupp)
    return [turn for load in loaders for turn in load(folder)]
