"""What a turn teaches, as tensors: targets, and masks over what its source does not annotate."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from models.training.network import Logits
from models.training.task import Task
from models.training.turns import SENTIMENTS, UNKNOWN, LabelledTurn

_TEMPERATURE = 2.0
"""At which a teacher's classes are compared."""
_SENTIMENT_WEIGHT, _CHURN_WEIGHT = 0.3, 0.5


@dataclass(frozen=True, slots=True)
class Targets:
    """One row a turn, in the turns' order."""

    intents: Tensor
    """(n, labels), 1 where the label holds."""
    known: Tensor
    """(n, labels), 1 where it is known whether it holds."""
    sentiment: Tensor
    """(n,), index into SENTIMENTS, or UNKNOWN."""
    churn_risk: Tensor
    """(n,), 0 to 2, or UNKNOWN."""
    exclusive: bool
    """At most one label holds on each turn, and is learned as a class."""
    none: bool
    """Some turns have none of the classes that exclude each other: that is learned as one more, with a logit of 0."""

    def __getitem__(self, rows: Tensor) -> "Targets":
        return replace(
            self,
            intents=self.intents[rows],
            known=self.known[rows],
            sentiment=self.sentiment[rows],
            churn_risk=self.churn_risk[rows],
        )


def targets_of(task: Task, turns: Sequence[LabelledTurn]) -> Targets:
    """The targets of ``turns``, in their order.

    Raises:
        KeyError: a turn has a label that the task has not.
    """
    column = {label: index for index, label in enumerate(task.labels)}
    carried = {who: task.labels_of(who) for who in ("customer", "agent")}
    intents = torch.zeros(len(turns), len(task.labels))
    known = torch.zeros(len(turns), len(task.labels))
    for row, turn in enumerate(turns):
        of_speaker = carried[turn.speaker]
        for label in of_speaker if turn.known is None else turn.known & of_speaker:
            known[row, column[label]] = 1.0
        for label in turn.labels:
            intents[row, column[label]] = 1.0
    return Targets(
        intents=intents,
        known=known,
        sentiment=torch.tensor([SENTIMENTS.index(t.sentiment) if t.sentiment else UNKNOWN for t in turns]),
        churn_risk=torch.tensor([UNKNOWN if t.churn_risk is None else t.churn_risk for t in turns]),
        exclusive=task.exclusive,
        none=task.exclusive and any(turn.known is None and not turn.labels for turn in turns),
    )


def beside_none(classes: Tensor) -> Tensor:
    """Logits (n, classes + 1): that of none of the classes, 0, beside theirs."""
    return F.pad(classes, (0, 1))


def or_none(holds: Tensor, known: Tensor) -> Tensor:
    """(n, classes + 1), 1 at the class that holds, or at the end where it is known that none does."""
    none = known.amax(dim=1) - holds.sum(dim=1)
    return torch.cat([holds, none.clamp(min=0.0)[:, None]], dim=1)


def levels_of(churn_risk: Tensor) -> Tensor:
    """Ordinal targets (n, 2) of risks 0 to 2: at least some, and high."""
    return torch.stack([churn_risk >= 1, churn_risk >= 2], dim=1).float()


def loss_of(logits: Logits, targets: Targets, smoothing: float) -> Tensor:
    """The heads' losses, added; each averages over the turns of which something is known.

    Args:
        smoothing: of classes that exclude each other, the share of certainty that goes to all of them (0 to 1).
    """
    total = 0.0 * logits["intents"].sum()  # a batch of which nothing is known has a gradient, too
    labelled = targets.known.any(dim=1)
    if targets.exclusive and labelled.any():
        classes = or_none(targets.intents[labelled], targets.known[labelled]).argmax(dim=1)
        said = beside_none(logits["intents"]) if targets.none else logits["intents"]
        total = F.cross_entropy(said[labelled], classes, label_smoothing=smoothing)
    elif labelled.any():
        each = F.binary_cross_entropy_with_logits(logits["intents"], targets.intents, reduction="none")
        total = (each * targets.known).sum() / labelled.sum()
    if "sentiment" in logits and (targets.sentiment != UNKNOWN).any():
        felt = F.cross_entropy(logits["sentiment"], targets.sentiment, ignore_index=UNKNOWN)
        total = total + _SENTIMENT_WEIGHT * felt
    rated = targets.churn_risk != UNKNOWN
    if "churn_risk" in logits and rated.any():
        levels = levels_of(targets.churn_risk[rated])
        risk = F.binary_cross_entropy_with_logits(logits["churn_risk"][rated], levels)
        total = total + _CHURN_WEIGHT * risk
    return total


def distillation_loss(logits: Logits, teacher: Logits, *, exclusive: bool, none: bool = False) -> Tensor:
    """How far ``logits`` are from those of a ``teacher`` for the same turns (Hinton et al. 2015); heads weigh as in
    `loss_of`, and every label counts, whoever can carry it.

    Where labels exclude each other both are softened, so that the teacher's second thoughts count; ``none`` is as in
    `Targets`.
    """
    if exclusive:
        both = logits["intents"], teacher["intents"]
        total = _softened_loss(*map(beside_none, both)) if none else _softened_loss(*both)
    else:
        each = F.binary_cross_entropy_with_logits(logits["intents"], teacher["intents"].sigmoid(), reduction="none")
        total = each.sum() / len(each)
    if "sentiment" in logits:
        total = total + _SENTIMENT_WEIGHT * F.cross_entropy(logits["sentiment"], teacher["sentiment"].softmax(dim=1))
    if "churn_risk" in logits:
        risk = F.binary_cross_entropy_with_logits(logits["churn_risk"], teacher["churn_risk"].sigmoid())
        total = total + _CHURN_WEIGHT * risk
    return total


def _softened_loss(logits: Tensor, teacher: Tensor) -> Tensor:
    expected = (teacher / _TEMPERATURE).softmax(dim=1)
    return _TEMPERATURE**2 * F.cross_entropy(logits / _TEMPERATURE, expected)
