"""Calibration folded into a head's weights: its logits then mean what they say, and nothing else need know."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from models.training.calibration import Matrix, fit_beside_none, fit_platt, fit_temperature, level_of_none
from models.training.targets import Targets, levels_of, or_none
from models.training.task import Task
from models.training.turns import UNKNOWN

TAKEN_FOR_NONE = 0.01
"""Where labels exclude each other and every turn has one: on so many validation turns none is thought likelier. Turns
that have none tell it better, but there need not be any."""


@torch.no_grad()
def calibrate(heads: nn.ModuleDict, task: Task, logits: Mapping[str, Matrix], targets: Targets) -> None:
    """Fit on validation logits and fold in: Platt a label and a churn level, a temperature where classes exclude each
    other, and how much it takes to be one of them."""
    if task.exclusive:
        scale, shift = _fit_classes(logits["intents"], targets)
        _fold(heads["intents"], np.full(len(task.labels), scale), np.full(len(task.labels), shift))
    else:
        _fold_platt(heads["intents"], logits["intents"], targets.intents.numpy(), targets.known.numpy() > 0)
    felt = (targets.sentiment != UNKNOWN).numpy()
    if task.sentiment and felt.any():
        temperature = fit_temperature(logits["sentiment"][felt], targets.sentiment.numpy()[felt])
        width = logits["sentiment"].shape[1]
        _fold(heads["sentiment"], np.full(width, 1 / temperature), np.zeros(width))
    rated = (targets.churn_risk != UNKNOWN).numpy()
    if task.churn_risk and rated.any():
        levels = levels_of(targets.churn_risk).numpy()
        _fold_platt(heads["churn_risk"], logits["churn_risk"], levels, np.repeat(rated[:, None], 2, axis=1))


def _fit_classes(logits: Matrix, targets: Targets) -> tuple[float, float]:
    classes = or_none(targets.intents, targets.known).argmax(dim=1).numpy()
    if targets.none:
        temperature, level = fit_beside_none(logits, classes)
        return 1 / temperature, -level / temperature
    scale = 1 / fit_temperature(logits, classes)
    return scale, -level_of_none(scale * logits, TAKEN_FOR_NONE)


def _fold_platt(head: nn.Module, logits: Matrix, holds: Matrix, known: Matrix) -> None:
    fitted = [fit_platt(logits[rows, column], holds[rows, column].astype(float)) for column, rows in enumerate(known.T)]
    scales, shifts = np.array(fitted).T
    _fold(head, scales, shifts)


def _fold(head: nn.Module, scales: Matrix, shifts: Matrix) -> None:
    scale = torch.tensor(scales, dtype=torch.float32)
    head.weight.mul_(scale[:, None])
    head.bias.mul_(scale).add_(torch.tensor(shifts, dtype=torch.float32))
