"""Banking77 and CLINC150 whole, split by split, with their own classes: what is compared with published tables.

The loaders beside this one take a share of the train splits and map it onto our labels. The test splits are read from
here alone, and by the report alone.
"""

import csv
import json
from pathlib import Path
from typing import Literal

from models.training.datasets.sampling import Row

ClincSplit = Literal["train", "val", "test", "oos_train", "oos_val", "oos_test"]


def banking77_split(folder: Path, split: Literal["train", "test"]) -> list[Row]:
    """The 10,003 or 3,080 rows of one split, 77 classes; ``folder`` holds ``banking77/``.

    Raises:
        FileNotFoundError: the set is not there.
    """
    with (folder / "banking77" / f"{split}.csv").open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def clinc150_split(folder: Path, split: ClincSplit) -> list[Row]:
    """The rows of one split of the full set, 150 classes, or the class ``oos`` alone; ``folder`` holds ``clinc150/``.

    15,000 to train, 3,000 to validate, 4,500 to test; out of scope 100, 100 and 1,000.

    Raises:
        FileNotFoundError: the set is not there.
    """
    data = json.loads((folder / "clinc150" / "data_full.json").read_text(encoding="utf-8"))
    return [(text, name) for text, name in data[split]]
