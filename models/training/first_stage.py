"""The cascade's first stage: static embeddings, a window of three words and of pairs, taught by the encoder.

A tenth of a millisecond instead of several. It learns the encoder's calibrated probabilities (Hinton et al. 2015), what
the turns themselves are labelled with, and a similarity embedding after the pretrained encoder's own. It is sure where
no label that the speaker can carry is near its threshold; which labels it may be trusted with, validation turns tell.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from models.training.network import IntentNetwork, Logits, make_heads, mean_and_peak, pretrained_encoder
from models.training.rounding import in_bytes
from models.training.task import Task
from models.training.tune import Report, embed, equal_lengths, pooled
from schemas.conversation import Speaker

WIDTH = 192
EMBEDDING_WIDTH = 64
PAIRS = 16_384
"""Rows of the table of word pairs, to which they are hashed: what two words mean together need not follow from each."""
PAIR_FACTORS = (7_919, 104_729)
"""Primes, by which the ids of a word and of the next are multiplied before they are hashed together."""
_NEAR = 128
_HIDDEN = 256
_BATCH = 256
_RATE = 3e-3
_SIMILARITY_WEIGHT = 2.0
_HARD = 0.5
"""How much a label that we know counts against what the encoder says of it."""
NO_DOUBT = 1e-6
"""Added to what is doubtful of every turn, for its logarithm."""
_PRIOR = 3.0
"""So many changes are believed of each label before any is seen, where so many are to be expected."""


class FirstStageNetwork(nn.Module):
    """Token ids in; logits of every head, ``sure`` (n, speakers) and the unit-length ``embedding`` (n, 64) out."""

    def __init__(self, task: Task, table: Tensor) -> None:
        """``table``: static embeddings to begin with, (vocabulary, WIDTH)."""
        super().__init__()
        self.words = nn.Embedding.from_pretrained(table, freeze=False)
        self.near = nn.Linear(3 * WIDTH, _NEAR)
        self.pairs = nn.Embedding.from_pretrained(torch.zeros(PAIRS, _NEAR), freeze=False)
        self.trunk = nn.Linear(2 * _NEAR + WIDTH, _HIDDEN)
        self.dropout = nn.Dropout(0.2)
        self.heads = make_heads(task, _HIDDEN)
        self.similarity = nn.Linear(WIDTH, EMBEDDING_WIDTH, bias=False)
        self.exclusive = task.exclusive
        self.edges = nn.Buffer(torch.zeros(len(task.labels)))
        self.doubts = nn.Buffer(torch.ones(1 if task.exclusive else len(task.labels), len(Speaker)))

    def answer(self, input_ids: Tensor, mask: Tensor) -> Logits:
        """All outputs by name; ``mask`` (n, tokens) is true at tokens."""
        seen, bag = self._see(input_ids, mask)
        answers = {name: head(seen) for name, head in self.heads.items()}
        # λ labels are expected to be answered otherwise; that none is has the probability 1 / (1 + λ).
        answers["sure"] = -torch.log(torch.sigmoid(-self.distance(answers["intents"])) @ self.doubts + NO_DOUBT)
        answers["embedding"] = F.normalize(self.similarity(bag), dim=1)
        return answers

    def distance(self, intents: Tensor) -> Tensor:
        """How far each label is from being answered otherwise, in logits, (n, labels).

        Of a label to its threshold; where labels exclude each other, of the first to the second, (n, 1).
        """
        if self.exclusive:
            first, second = intents.topk(2, dim=1).values.unbind(dim=1)
            return (first - second)[:, None]
        return (intents - self.edges).abs()

    def _see(self, input_ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """What the heads see of each turn, and the mean of its words."""
        words = self.words(input_ids) * mask[:, :, None]
        around = F.pad(words, (0, 0, 1, 1))
        window = torch.cat([around[:, :-2], words, around[:, 2:]], dim=2)
        near = torch.relu(self.near(window) + self.pairs(hashed_pairs(input_ids)))
        bag = words.sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return torch.relu(self.trunk(self.dropout(torch.cat([mean_and_peak(near, mask), bag], dim=1)))), bag


def hashed_pairs(input_ids: Tensor) -> Tensor:
    """For every token the row of PAIRS that it and the one before it have; the first has [PAD] before it."""
    before = F.pad(input_ids[:, :-1], (1, 0))
    return (before * PAIR_FACTORS[0] + input_ids * PAIR_FACTORS[1]) % PAIRS


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


@torch.no_grad()
def static_table(vocabulary_rows: tuple[int, ...], cls: int, sep: int) -> Tensor:
    """A vector for every token: what the encoder makes of it alone, cut to WIDTH by principal components."""
    encoder = pretrained_encoder(vocabulary_rows)
    encoder.eval()
    alone = [
        encoder(
            torch.stack([torch.full_like(part, cls), part, torch.full_like(part, sep)], dim=1)
        ).last_hidden_state.mean(dim=1)
        for part in torch.arange(len(vocabulary_rows)).split(256)
    ]
    table = _principal(torch.cat(alone), WIDTH)
    return table / table.std()


def distil(task: Task, table: Tensor, lessons: Lessons, epochs: int, seed: int, report: Report) -> FirstStageNetwork:
    """A first stage taught by ``lessons``, of which it is not yet known how sure it may be."""
    torch.manual_seed(seed)
    network = FirstStageNetwork(task, table)
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=0.01, fused=True)
    steps = epochs * math.ceil(len(lessons) / _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps + 1, pct_start=0.1)
    step = 0
    network.train()
    for _ in range(epochs):
        for batch in _like_lengths(lessons.ids):
            part = lessons[batch]
            loss = _loss(task, network.answer(*_pad(part.ids)), part)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            step += 1
            report("distilling", step, steps)
    network.eval()
    for table in (network.words, network.pairs):  # as they ship
        codes, scales = in_bytes(table.weight.detach())
        table.weight.data = codes * scales
    return network


@torch.no_grad()
def learn_what_is_sure(
    network: FirstStageNetwork, edges: Tensor, carried: Tensor, intents: Tensor, known: Tensor, changed: Tensor
) -> None:
    """Fit how far the distance of each label is to be trusted.

    Args:
        edges: the labels' thresholds as logits, (labels,).
        carried: (labels, speakers), 1 where a turn of the speaker can carry the label.
        intents: the network's own calibrated logits of validation turns, (n, labels).
        known: (n, labels), 1 where the turn's speaker can carry the label.
        changed: (n, labels), 1 where the encoder answers a label otherwise; (n, 1) where labels exclude each other.
    """
    network.edges.copy_(edges)
    asked = torch.ones(1, 1) if network.exclusive else known
    expected = (torch.sigmoid(-network.distance(intents)) * asked).sum(dim=0)
    weights = (changed.sum(dim=0) + _PRIOR) / (expected + _PRIOR)
    network.doubts.copy_(weights[:, None] * (torch.ones(1, len(Speaker)) if network.exclusive else carried))


@torch.no_grad()
def answers_of(network: FirstStageNetwork, ids: Sequence[Sequence[int]]) -> Logits:
    """All outputs for every row of token ids, in order."""
    network.eval()
    found: list[Logits] = [{}] * len(ids)
    for batch in equal_lengths(ids, 256):
        answers = network.answer(*_pad([ids[row] for row in batch]))
        for index, row in enumerate(batch):
            found[row] = {name: values[index] for name, values in answers.items()}
    return {name: torch.stack([each[name] for each in found]) for name in found[0]}


def _loss(task: Task, answers: Logits, lessons: Lessons) -> Tensor:
    said = lessons.logits
    weight = _HARD * lessons.known
    if task.exclusive:
        weight = weight[:, :1]
        expected = said["intents"].softmax(dim=1) * (1 - weight) + lessons.holds * weight
        total = F.cross_entropy(answers["intents"], expected)
    else:
        expected = said["intents"].sigmoid() * (1 - weight) + lessons.holds * weight
        each = F.binary_cross_entropy_with_logits(answers["intents"], expected, reduction="none")
        total = each.sum() / len(each)
    if "sentiment" in said:
        total = total + 0.5 * F.cross_entropy(answers["sentiment"], said["sentiment"].softmax(dim=1))
    if "churn_risk" in said:
        total = total + F.binary_cross_entropy_with_logits(answers["churn_risk"], said["churn_risk"].sigmoid())
    asked = lessons.embeddings.any(dim=1)
    if asked.any():
        unlike = 1.0 - (answers["embedding"] * lessons.embeddings).sum(dim=1)[asked].mean()
        total = total + _SIMILARITY_WEIGHT * unlike
    return total


def _like_lengths(ids: Sequence[Sequence[int]]) -> Iterator[Tensor]:
    """Batches of rows of like length, so that little is padding, in random order."""
    batches = [
        batch
        for pool in torch.randperm(len(ids)).split(_BATCH * 32)
        for batch in pool[torch.tensor([len(ids[int(row)]) for row in pool]).argsort()].split(_BATCH)
    ]
    for index in torch.randperm(len(batches)):
        yield batches[int(index)]


def _principal(vectors: Tensor, width: int) -> Tensor:
    """``vectors`` (n, d) without their mean, on their first ``width`` principal components."""
    centred = vectors - vectors.mean(dim=0)
    _, axes = torch.linalg.eigh(centred.T @ centred)
    return centred @ axes[:, -width:].flip(1)


def _pad(ids: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    rows = torch.nn.utils.rnn.pad_sequence([torch.tensor(each) for each in ids], batch_first=True)
    lengths = torch.tensor([len(each) for each in ids])
    return rows, torch.arange(rows.shape[1])[None, :] < lengths[:, None]
