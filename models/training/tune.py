"""Tuning the upper layers and the heads on hidden states computed once."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor

from models.training.network import IntentNetwork
from models.training.targets import Targets, loss_of, targets_of
from models.training.turns import LabelledTurn

_BATCH = 32
_ENCODER_RATE = 2e-4
_HEADS_RATE = 2e-3
_WARM_UP_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Rows:
    """Turns made ready: each one's frozen hidden states, shape (tokens, width), and what they teach."""

    hidden: list[Tensor]
    targets: Targets

    def __len__(self) -> int:
        return len(self.hidden)


def embed(network: IntentNetwork, tokenizer: Tokenizer, turns: Sequence[LabelledTurn]) -> Rows:
    """Run the frozen layers once over ``turns``, those of one length together."""
    ids = [encoding.ids for encoding in tokenizer.encode_batch([turn.text for turn in turns])]
    hidden: list[Tensor] = [torch.empty(0)] * len(turns)
    order = sorted(range(len(turns)), key=lambda row: len(ids[row]))
    network.eval()
    with torch.inference_mode():
        for batch in _equal_lengths(order, ids):
            for row, states in zip(batch, network.embed(torch.tensor([ids[row] for row in batch])), strict=True):
                hidden[row] = states.clone()
    return Rows(hidden, targets_of(turns))


def tune(network: IntentNetwork, rows: Rows, epochs: int, seed: int, report: Callable[[str], None]) -> None:
    """Train ``network``'s upper layers and heads in place; the same seed gives the same weights on one machine."""
    generator = torch.Generator().manual_seed(seed)
    heads = [*network.intents.parameters(), *network.sentiment.parameters(), *network.churn_risk.parameters()]
    upper = [parameter for parameter in network.encoder.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        [{"params": upper, "lr": _ENCODER_RATE}, {"params": heads, "lr": _HEADS_RATE}], weight_decay=0.01
    )
    steps = epochs * math.ceil(len(rows) / _BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / (_WARM_UP_SHARE * steps), max(0.0, 1 - step / steps))
    )
    network.train()
    for epoch in range(1, epochs + 1):
        total = 0.0
        for batch in _shuffled_batches(rows, generator):
            hidden, mask = _pad([rows.hidden[int(row)] for row in batch])
            loss = loss_of(network.classify(hidden, mask), rows.targets[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item() * len(batch)
        report(f"epoch {epoch}/{epochs}: loss {total / len(rows):.3f}")
    network.eval()


@torch.inference_mode()
def predict(network: IntentNetwork, rows: Rows) -> tuple[Tensor, Tensor, Tensor]:
    """Logits of every row, in the rows' order."""
    network.eval()
    outputs = [network.classify(states[None], None) for states in rows.hidden]
    return (
        torch.cat([intents for intents, _, _ in outputs]),
        torch.cat([sentiment for _, sentiment, _ in outputs]),
        torch.cat([churn_risk for _, _, churn_risk in outputs]),
    )


def _equal_lengths(order: Sequence[int], ids: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    batch: list[int] = []
    for row in order:
        if batch and (len(batch) == 2 * _BATCH or len(ids[row]) != len(ids[batch[0]])):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _shuffled_batches(rows: Rows, generator: torch.Generator) -> Iterator[Tensor]:
    """Batches of rows of like length, so that little is padding, in random order."""
    shuffled = torch.randperm(len(rows), generator=generator)
    pools = shuffled.split(_BATCH * 32)
    batches = [
        batch
        for pool in pools
        for batch in pool[torch.tensor([len(rows.hidden[int(row)]) for row in pool]).argsort()].split(_BATCH)
    ]
    for index in torch.randperm(len(batches), generator=generator):
        yield batches[int(index)]


def _pad(states: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    lengths = torch.tensor([len(row) for row in states])
    hidden = torch.nn.utils.rnn.pad_sequence(list(states), batch_first=True)
    return hidden, torch.arange(hidden.shape[1])[None, :] < lengths[:, None]
