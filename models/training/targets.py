"""What a turn teaches, as tensors: targets, and masks over what its source does not annotate."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from models.training.taxonomy import AGENT_LABELS, CUSTOMER_LABELS, LABELS
from models.training.turns import SENTIMENTS, LabelledTurn

_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Targets:
    """One row a turn, in the turns' order."""

    intents: Tensor
    """(n, labels), 1 where the label holds."""
    known: Tensor
    """(n, labels), 1 where it is known whether it holds."""
    sentiment: Tensor
    """(n,), index into SENTIMENTS, or -1 where not known."""
    churn_risk: Tensor
    """(n,), 0 to 2, or -1 where not known."""

    def __getitem__(self, rows: Tensor) -> "Targets":
        return Targets(self.intents[rows], self.known[rows], self.sentiment[rows], self.churn_risk[rows])

    @classmethod
    def concatenated(cls, parts: Sequence["Targets"]) -> "Targets":
        return cls(
            intents=torch.cat([part.intents for part in parts]),
            known=torch.cat([part.known for part in parts]),
            sentiment=torch.cat([part.sentiment for part in parts]),
            churn_risk=torch.cat([part.churn_risk for part in parts]),
        )


def targets_of(turns: Sequence[LabelledTurn]) -> Targets:
    intents = torch.zeros(len(turns), len(LABELS))
    known = torch.zeros(len(turns), len(LABELS))
    for row, turn in enumerate(turns):
        of_speaker = CUSTOMER_LABELS if turn.speaker == "customer" else AGENT_LABELS
        for label in of_speaker if turn.known is None else turn.known:
            known[row, LABELS.index(label)] = 1.0
        for label in turn.labels:
            intents[row, LABELS.index(label)] = 1.0
    return Targets(
        intents=intents,
        known=known,
        sentiment=torch.tensor([SENTIMENTS.index(t.sentiment) if t.sentiment else _UNKNOWN for t in turns]),
        churn_risk=torch.tensor([_UNKNOWN if t.churn_risk is None else t.churn_risk for t in turns]),
    )


def loss_of(logits: tuple[Tensor, Tensor, Tensor], targets: Targets) -> Tensor:
    """The three heads' losses, added; each averages over what is known."""
    intents, sentiment, churn_risk = logits
    each = F.binary_cross_entropy_with_logits(intents, targets.intents, reduction="none") * targets.known
    total = each.sum() / len(intents)
    if (targets.sentiment != _UNKNOWN).any():
        total = total + 0.3 * F.cross_entropy(sentiment, targets.sentiment, ignore_index=_UNKNOWN)
    rated = targets.churn_risk != _UNKNOWN
    if rated.any():
        levels = torch.stack([targets.churn_risk[rated] >= 1, targets.churn_risk[rated] >= 2], dim=1).float()
        total = total + 0.5 * F.binary_cross_entropy_with_logits(churn_risk[rated], levels)
    return total
