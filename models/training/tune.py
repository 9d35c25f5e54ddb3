"""Tuning the upper layers and the heads, on what the lower layers say, which is computed once.

The heads start from a probe fitted by L-BFGS on the encoder as it is, so that the first steps move the layers towards
the task instead of towards random heads. Where a network can round (see `make_rounded`), its lower layers calculate as
their int8 export will, and its upper ones in the last epoch. Several runs from one probe differ by what chance they
had; the mean of their weights is better than any.
"""

import copy
import math
from collections.abc import Callable, Iterator, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from tokenizers import Tokenizer
from torch import Tensor

from models.training.checkpoints import resume, save
from models.training.network import HALF_PRECISION, Logits, TunedNetwork
from models.training.rounding import set_rounded
from models.training.targets import Targets, distillation_loss, loss_of

AnyTuned = TypeVar("AnyTuned", bound=TunedNetwork)
Report = Callable[[str, int, int], None]
"""Told of the progress: of what, how much is done, of how much."""

_LAYER_DECAY = 0.85
"""Each lower layer learns this much as fast as the one above it."""
_WARM_UP_SHARE = 0.1
_PROBE_PENALTY = 1e-4
TAUGHT = 0.7
"""How much the teacher's opinion counts beside the labels, where there is a teacher."""
_ROUNDED_EPOCHS = 1
"""At the end, so many epochs see what int8 makes of weights and activations."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long and how fast to learn."""

    epochs: int
    batch: int
    encoder: float
    """Rate of the highest layer; each lower one learns somewhat slower."""
    heads: float
    smoothing: float
    """See `loss_of`."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Turns made ready: each one's frozen hidden states, shape (tokens, width), and what they teach."""

    hidden: list[Tensor]
    targets: Targets
    teacher: Logits | None = None
    """What a teacher says of them; None: nobody taught."""

    def __len__(self) -> int:
        return len(self.hidden)


def embed(
    network: TunedNetwork, tokenizer: Tokenizer, texts: Sequence[str], report: Report, *, rounded: bool = True
) -> list[Tensor]:
    """The frozen layers' output of every text, (tokens, width) each; texts of one length run together.

    ``rounded``: as int8 leaves it, where the network can round; without, it takes a third of the time.
    """
    ids = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
    hidden: list[Tensor] = [torch.empty(0)] * len(texts)
    done = 0
    network.eval()
    set_rounded(network, rounded)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=HALF_PRECISION and not rounded):
        for batch in equal_lengths(ids):
            for row, states in zip(batch, network.embed(torch.tensor([ids[row] for row in batch])), strict=True):
                hidden[row] = states.clone()
            done += len(batch)
            report("embedding", done, len(texts))
    set_rounded(network, False)
    return hidden


def probe(network: TunedNetwork, rows: Rows, smoothing: float, report: Report) -> None:
    """Fit the heads to the untuned features: a convex problem, solved in a second."""
    features = pooled(network, rows.hidden, report)
    heads = list(network.heads.parameters())
    solver = torch.optim.LBFGS(heads, max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        solver.zero_grad()
        logits = {name: head(features) for name, head in network.heads.items()}
        loss = loss_of(logits, rows.targets, smoothing) + _PROBE_PENALTY * sum((each**2).sum() for each in heads)
        loss.backward()
        return loss

    solver.step(closure)


def tune(
    network: TunedNetwork, rows: Rows, pace: Pace, seed: int, checkpoint: Path, report: Report, what: str = "tuning"
) -> None:
    """Train ``network``'s upper layers and heads in place; the same seed gives the same weights on one machine.

    The heads should come from `probe`. After every epoch all there is goes into ``checkpoint``; where that file is
    there already, tuning goes on from it.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(_groups(network, pace), weight_decay=0.01, fused=True)
    batches = math.ceil(len(rows) / pace.batch)
    steps = pace.epochs * batches
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / (_WARM_UP_SHARE * steps), max(0.0, 1 - step / steps))
    )
    epoch = resume(checkpoint, network, optimizer, schedule, generator)
    while epoch < pace.epochs:
        network.train()
        network.encoder.embeddings.eval()
        set_rounded(network, epoch >= pace.epochs - _ROUNDED_EPOCHS)
        for done, batch in enumerate(_shuffled_batches(rows, pace.batch, generator), start=1):
            hidden, mask = _pad([rows.hidden[int(row)] for row in batch])
            with torch.autocast("cpu", torch.bfloat16, enabled=HALF_PRECISION):
                pooled = network.pool(hidden, mask)
            loss = _loss(network.classify(pooled.float()), rows, batch, pace.smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            report(what, epoch * batches + done, steps)
        epoch += 1
        save(checkpoint, epoch, network, optimizer, schedule, generator)
    set_rounded(network, False)
    network.eval()


@torch.no_grad()
def averaged(networks: Sequence[AnyTuned]) -> AnyTuned:
    """One network whose every weight is the mean of theirs, which must have begun as one (Wortsman et al. 2022)."""
    mean = copy.deepcopy(networks[0])
    weights = [dict(network.named_parameters()) for network in networks]
    for name, parameter in mean.named_parameters():
        parameter.copy_(torch.stack([each[name] for each in weights]).mean(dim=0))
    return mean


@torch.no_grad()
def pooled(network: TunedNetwork, hidden: Sequence[Tensor], report: Report) -> Tensor:
    """The features that the heads see of every row of ``embed``'s output, in order, (n, 2 × width)."""
    network.eval()
    features: list[Tensor] = [torch.empty(0)] * len(hidden)
    done = 0
    for batch in equal_lengths(hidden):
        with torch.autocast("cpu", torch.bfloat16, enabled=HALF_PRECISION):
            pooled_rows = network.pool(torch.stack([hidden[row] for row in batch]), None).float()
        for row, found in zip(batch, pooled_rows, strict=True):
            features[row] = found
        done += len(batch)
        report("reading", done, len(hidden))
    return torch.stack(features)


@torch.no_grad()
def predict(network: TunedNetwork, hidden: Sequence[Tensor], report: Report) -> Logits:
    """Logits of every row of ``embed``'s output, in order, (n, columns) a head."""
    return network.classify(pooled(network, hidden, report))


def equal_lengths(ids: Sequence[Sized], most: int = 128) -> Iterator[list[int]]:
    """Rows of one length together, short ones first, at most ``most`` at once: no padding, no masks."""
    batch: list[int] = []
    for row in sorted(range(len(ids)), key=lambda row: len(ids[row])):
        if batch and (len(batch) == most or len(ids[row]) != len(ids[batch[0]])):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _loss(logits: Logits, rows: Rows, batch: Tensor, smoothing: float) -> Tensor:
    loss = loss_of(logits, rows.targets[batch], smoothing)
    if rows.teacher is None:
        return loss
    teacher = {name: values[batch] for name, values in rows.teacher.items()}
    exclusive, none = rows.targets.exclusive, rows.targets.none
    return (1 - TAUGHT) * loss + TAUGHT * distillation_loss(logits, teacher, exclusive=exclusive, none=none)


def _groups(network: TunedNetwork, pace: Pace) -> list[dict[str, object]]:
    groups: list[dict[str, object]] = [{"params": list(network.heads.parameters()), "lr": pace.heads}]
    for below_top, layer in enumerate(reversed(network.tuned_layers)):
        groups.append({"params": list(layer.parameters()), "lr": pace.encoder * _LAYER_DECAY**below_top})
    return groups


def _shuffled_batches(rows: Rows, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Batches of rows of like length, so that little is padding, in random order."""
    shuffled = torch.randperm(len(rows), generator=generator)
    pools = shuffled.split(size * 32)
    batches = [
        batch
        for pool in pools
        for batch in pool[torch.tensor([len(rows.hidden[int(row)]) for row in pool]).argsort()].split(size)
    ]
    for index in torch.randperm(len(batches), generator=generator):
        yield batches[int(index)]


def _pad(states: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    lengths = torch.tensor([len(row) for row in states])
    hidden = torch.nn.utils.rnn.pad_sequence(list(states), batch_first=True)
    return hidden, torch.arange(hidden.shape[1])[None, :] < lengths[:, None]
