"""From which sureness on the first stage answers: where what is served is as good as the encoder alone."""

import numpy as np
from numpy.typing import NDArray

from models.training.calibration import Vector, sigmoid
from models.training.measures import share_ordered
from models.training.task import Task
from models.training.thresholds import Arrays, Mask, Thresholds
from models.training.turns import UNKNOWN
from schemas.conversation import Speaker

MOST_LOST = 0.0018
"""Of macro-F1 (where labels exclude each other, of accuracy): what the cascade may lose on the validation turns."""
MOST_LOST_BESIDE = 0.01
"""Likewise of the sentiment's accuracy and of the churn risk's AUC, which no prompt waits for."""
MOST_CHANGED = 0.05
"""Of the validation turns, for how many the first stage may give another answer, be it no worse: among few turns chance
makes up for much."""
CHANCE = 2.0
"""So many standard deviations of a fair coin: by no more may changes for the worse outnumber those for the better."""
_STEPS = np.round(np.concatenate([np.arange(0.2, 0.98, 0.01), np.arange(0.98, 1.0, 0.002)]), 3)

Classes = NDArray[np.int64]


class Truth:
    """What is known of the validation turns."""

    def __init__(self, task: Task, holds: Mask, known: Mask, sentiment: Classes, churn_risk: Classes) -> None:
        """Take ``holds`` and ``known`` (n, labels) and the two others (n,), UNKNOWN where they are not annotated."""
        self._task, self._holds, self._known = task, holds, known
        self._felt, self._rated = sentiment != UNKNOWN, churn_risk != UNKNOWN
        self._sentiment, self._churn_risk = sentiment, churn_risk

    def changed(self, thresholds: Thresholds, one: Arrays, other: Arrays) -> Mask:
        """(n,), whether one fires a label that the other does not, or finds another likeliest where they exclude each
        other and the turn has one."""
        fires = [thresholds.fires(self._task, each["intents"]) & self._known for each in (one, other)]
        changed = (fires[0] != fires[1]).any(axis=1)
        if self._task.exclusive:
            otherwise = one["intents"].argmax(axis=1) != other["intents"].argmax(axis=1)
            changed |= otherwise & self._holds.any(axis=1)
        return np.asarray(changed)

    def gained(self, thresholds: Thresholds, one: Arrays, other: Arrays) -> Vector:
        """(n,), by how many labels one is nearer to the truth than the other."""
        wrong = [self._wrong(thresholds, answers) for answers in (one, other)]
        return np.asarray(wrong[1] - wrong[0], dtype=np.float64)

    def qualities(self, thresholds: Thresholds, answers: Arrays) -> list[float]:
        """Of the intents, the sentiment and the churn risk, as far as there are any: the more, the better."""
        found = [self._of_intents(thresholds, answers)]
        if "sentiment" in answers and self._felt.any():
            said = answers["sentiment"][self._felt].argmax(axis=1)
            found.append(float((said == self._sentiment[self._felt]).mean()))
        if "churn_risk" in answers and self._rated.any():
            risk, truth = sigmoid(answers["churn_risk"][self._rated]).sum(axis=1), self._churn_risk[self._rated]
            ordered = share_ordered(risk[truth > 0], risk[truth == 0])
            found += [] if ordered is None else [ordered]
        return found

    def _wrong(self, thresholds: Thresholds, answers: Arrays) -> Classes:
        """(n,), on how many labels; where labels exclude each other, 1 or 0: about which is likeliest, or any's firing
        on a turn that has none."""
        fires = thresholds.fires(self._task, answers["intents"])
        if self._task.exclusive:
            chosen = answers["intents"].argmax(axis=1)
            other = ~self._holds[np.arange(len(chosen)), chosen]
            return np.where(self._holds.any(axis=1), other, fires.any(axis=1)).astype(np.int64)
        return np.asarray(((fires != self._holds) & self._known).sum(axis=1))

    def _of_intents(self, thresholds: Thresholds, answers: Arrays) -> float:
        if self._task.exclusive:
            return 1.0 - float(self._wrong(thresholds, answers).mean())
        fires = thresholds.fires(self._task, answers["intents"]) & self._known
        meant = fires.sum(axis=0) + self._holds.sum(axis=0)
        if not meant.any():
            return 1.0
        return float((2 * (fires & self._holds).sum(axis=0)[meant > 0] / meant[meant > 0]).mean())


def choose_sure_at(
    truth: Truth, thresholds: Thresholds, sure: Vector, first: Arrays, second: Arrays
) -> tuple[float, dict[str, float]]:
    """From which probability of ``sure`` (n,), its turn's speaker's, the first stage answers; and what it comes to."""
    changed = truth.changed(thresholds, first, second)
    gained = truth.gained(thresholds, first, second)
    alone = truth.qualities(thresholds, second)
    at, lost = 1.0, 0.0
    for step in _STEPS[::-1]:
        by_first = sure >= step
        served = {name: np.where(by_first[:, None], first[name], second[name]) for name in second}
        losses = [one - other for one, other in zip(alone, truth.qualities(thresholds, served), strict=True)]
        by_chance = CHANCE * float(np.sqrt((gained[by_first] ** 2).sum()))
        if (changed & by_first).mean() > MOST_CHANGED or -gained[by_first].sum() > by_chance:
            break
        if by_first.any() and losses[0] <= MOST_LOST and max(losses) <= MOST_LOST_BESIDE:
            at, lost = float(step), losses[0]
    by_first = sure >= at
    return at, {
        "validation.first_stage_share": float(by_first.mean()),
        "validation.first_stage_changed": float((changed & by_first).mean()),
        "validation.cascade_loss": lost,
    }


def carried_by(task: Task) -> Mask:
    """(labels, speakers), true where a turn of the speaker can carry the label; in the order of `Speaker`."""
    return np.array([[who in whose for who in Speaker] for whose in task.speakers], dtype=bool)
