"""What the encoder teaches the first stage, and the teaching (Hinton et al. 2015)."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from models.training.first_stage import EMBEDDING_WIDTH, FirstStageNetwork, padded
from models.training.network import IntentNetwork, Logits
from models.training.targets import beside_none, or_none
from models.training.task import Task
from models.training.tune import Report, embed, pooled

_BATCH = 256
_RATE = 3e-3
_FEWEST_STEPS = 11
"""Of the rate's schedule: of ten, the tenth that it warms up in is one, which it divides by less one."""
_SENTIMENT_WEIGHT, _SIMILARITY_WEIGHT = 0.5, 2.0
_HARD = 0.5
"""How much a label that we know counts against what the encoder says of it."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """What there is to learn of each text, as far as it is known."""

    ids: list[list[int]]
    logits: Logits
    """What the encoder says, calibrated."""
    holds: Tensor
    """(n, labels), 1 where a label is known to hold."""
    known: Tensor
    """(n, labels), 1 where it is known whether it holds."""
    embeddings: Tensor
    """(n, 64), the pretrained encoder's, cut; a row of zeros where it was not asked."""

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: Tensor) -> "Lessons":
        return Lessons(
            [self.ids[int(row)] for row in rows],
            {name: values[rows] for name, values in self.logits.items()},
            self.holds[rows],
            self.known[rows],
            self.embeddings[rows],
        )


@torch.no_grad()
def meanings(
    vocabulary_rows: tuple[int, ...], task: Task, tokenizer: Tokenizer, texts: Sequence[str], report: Report
) -> Tensor:
    """The similarity embedding of every text, after the encoder as it was before tuning, (n, 64)."""
    untuned = IntentNetwork(task, vocabulary_rows)
    hidden = embed(untuned, tokenizer, texts, report)
    sentences = pooled(untuned, hidden, report)[:, : untuned.width]  # the mean half: what it was trained to compare by
    return F.normalize(_principal(F.normalize(sentences, dim=1), EMBEDDING_WIDTH), dim=1)


def distil(task: Task, table: Tensor, lessons: Lessons, epochs: int, seed: int, report: Report) -> FirstStageNetwork:
    """A first stage taught by ``lessons``, of which it is not yet known how sure it may be.

    ``table``: see `static_table`.
    """
    torch.manual_seed(seed)
    network = FirstStageNetwork(task, table)
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=0.01, fused=True)
    steps = epochs * math.ceil(len(lessons) / _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, _RATE, total_steps=max(_FEWEST_STEPS, steps + 1), pct_start=0.1
    )
    step = 0
    network.train()
    for _ in range(epochs):
        for batch in _like_lengths(lessons.ids):
            part = lessons[batch]
            loss = _loss(task, network.answer(*padded(part.ids)), part)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            step += 1
            report("distilling", step, steps)
    network.settle()
    return network


def _loss(task: Task, answers: Logits, lessons: Lessons) -> Tensor:
    said = lessons.logits
    weight = _HARD * (lessons.known.amax(dim=1, keepdim=True) if task.exclusive else lessons.known)
    if task.exclusive:
        holds = or_none(lessons.holds, lessons.known)
        expected = beside_none(said["intents"]).softmax(dim=1) * (1 - weight) + holds * weight
        total = F.cross_entropy(beside_none(answers["intents"]), expected)
    else:
        expected = said["intents"].sigmoid() * (1 - weight) + lessons.holds * weight
        each = F.binary_cross_entropy_with_logits(answers["intents"], expected, reduction="none")
        total = each.sum() / len(each)
    if "sentiment" in said:
        total = total + _SENTIMENT_WEIGHT * F.cross_entropy(answers["sentiment"], said["sentiment"].softmax(dim=1))
    if "churn_risk" in said:
        total = total + F.binary_cross_entropy_with_logits(answers["churn_risk"], said["churn_risk"].sigmoid())
    asked = lessons.embeddings.any(dim=1)
    if asked.any():
        unlike = 1.0 - (answers["embedding"] * lessons.embeddings).sum(dim=1)[asked].mean()
        total = total + _SIMILARITY_WEIGHT * unlike
    return total


def _like_lengths(ids: Sequence[Sequence[int]]) -> Iterator[Tensor]:
    """Batches of rows of like length, so that little is padding, in random order."""
    lengths = torch.tensor([len(each) for each in ids])
    batches = [
        batch
        for pool in torch.randperm(len(ids)).split(_BATCH * 32)
        for batch in pool[lengths[pool].argsort()].split(_BATCH)
    ]
    for index in torch.randperm(len(batches)):
        yield batches[int(index)]


def _principal(vectors: Tensor, width: int) -> Tensor:
    """``vectors`` (n, d) without their mean, on their first ``width`` principal components."""
    centred = vectors - vectors.mean(dim=0)
    _, axes = torch.linalg.eigh(centred.T @ centred)
    return centred @ axes[:, -width:].flip(1)
