"""The cascade's first stage: static embeddings and one convolution, taught by the encoder to answer what is easy.

A tenth of a millisecond instead of several. It learns the encoder's calibrated probabilities (Hinton et al. 2015) and
a similarity embedding after the pretrained encoder's own. It is sure where no label is near its threshold; how likely
the encoder then answers the same is fitted on validation turns.
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from models.training.calibration import fit_platt
from models.training.network import IntentNetwork, Logits, make_heads, mean_and_peak, pretrained_encoder
from models.training.task import Task
from models.training.tune import Report, equal_lengths

WIDTH = 192
EMBEDDING_WIDTH = 64
_HIDDEN = 256
_BATCH = 128
_RATE = 2e-3
_SIMILARITY_WEIGHT = 2.0


class FirstStageNetwork(nn.Module):
    """Token ids in; logits of every head, ``sure`` (n, 1) and the unit-length ``embedding`` (n, 64) out."""

    def __init__(self, task: Task, table: Tensor) -> None:
        """``table``: static embeddings to begin with, (vocabulary, WIDTH)."""
        super().__init__()
        self.words = nn.Embedding.from_pretrained(table, freeze=False)
        self.near = nn.Conv1d(WIDTH, WIDTH, 3, padding=1)
        self.trunk = nn.Linear(3 * WIDTH, _HIDDEN)
        self.dropout = nn.Dropout(0.2)
        self.heads = make_heads(task, _HIDDEN)
        self.similarity = nn.Linear(WIDTH, EMBEDDING_WIDTH, bias=False)
        self.exclusive = task.exclusive
        self.edges = nn.Buffer(torch.zeros(len(task.labels)))
        self.trust = nn.Buffer(torch.tensor([1.0, 0.0]))

    def answer(self, input_ids: Tensor, mask: Tensor | None) -> Logits:
        """All outputs by name; ``mask`` (n, tokens) is true at tokens, None where all are."""
        words = self.words(input_ids).float()
        if mask is not None:
            words = words * mask[:, :, None]
        near = torch.relu(self.near(words.transpose(1, 2))).transpose(1, 2)
        bag = words.mean(dim=1) if mask is None else words.sum(dim=1) / mask.sum(dim=1, keepdim=True)
        seen = torch.relu(self.trunk(self.dropout(torch.cat([mean_and_peak(near, mask), bag], dim=1))))
        answers = {name: head(seen) for name, head in self.heads.items()}
        scale, shift = self.trust
        answers["sure"] = scale * self.margin(answers["intents"]) + shift
        answers["embedding"] = F.normalize(self.similarity(bag), dim=1)
        return answers

    def margin(self, intents: Tensor) -> Tensor:
        """How far the answer is from being another, in logits, (n, 1).

        Of the nearest label to its threshold; where labels exclude each other, of the second to the first.
        """
        if self.exclusive:
            first, second = intents.topk(2, dim=1).values.unbind(dim=1)
            return (first - second)[:, None]
        return (intents - self.edges).abs().amin(dim=1, keepdim=True)

    def for_export(self) -> nn.Module:
        """The same, returning a tuple in the order heads, sure, embedding, with its table in half precision."""
        return _Exported(self)


class _Exported(nn.Module):
    def __init__(self, network: FirstStageNetwork) -> None:
        super().__init__()
        self.network = copy.deepcopy(network)
        self.network.words.weight.data = network.words.weight.data.half()

    def forward(self, input_ids: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network.answer(input_ids, None).values())


@dataclass(frozen=True, slots=True)
class Lessons:
    """What the encoder says of each text: calibrated logits by head, and the pretrained embedding cut to 64."""

    ids: list[list[int]]
    logits: Logits
    embeddings: Tensor


@torch.no_grad()
def lessons_of(
    teacher: IntentNetwork, vocabulary_rows: tuple[int, ...], tokenizer: Tokenizer, texts: Sequence[str], report: Report
) -> Lessons:
    """Let ``teacher``, whose heads are calibrated, and the encoder as it was before tuning read every text."""
    ids = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
    untuned = IntentNetwork(teacher.task, vocabulary_rows)
    untuned.eval()
    teacher.eval()
    said: list[Logits] = [{}] * len(ids)
    meant = torch.empty(len(ids), teacher.width)
    done = 0
    for batch in equal_lengths(ids, 128):
        hidden = teacher.embed(torch.tensor([ids[row] for row in batch]))  # tuning left these layers as they were
        answers = teacher.classify(teacher.pool(hidden, None))
        sentence = untuned.pool(hidden, None)[:, : teacher.width]  # the mean half: what it was trained to compare by
        for index, row in enumerate(batch):
            said[row] = {name: values[index] for name, values in answers.items()}
            meant[row] = sentence[index]
        done += len(batch)
        report("asking the encoder", done, len(ids))
    logits = {name: torch.stack([answers[name] for answers in said]) for name in said[0]}
    return Lessons(ids, logits, F.normalize(_principal(F.normalize(meant, dim=1), EMBEDDING_WIDTH), dim=1))


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
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=0.01)
    steps = epochs * math.ceil(len(lessons.ids) / _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps + 1, pct_start=0.1)
    step = 0
    network.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(lessons.ids)).split(_BATCH):
            ids, mask = _pad([lessons.ids[int(row)] for row in batch])
            loss = _loss(task, network.answer(ids, mask), lessons, batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            step += 1
            report("distilling", step, steps)
    network.eval()
    return network


@torch.no_grad()
def learn_what_is_sure(network: FirstStageNetwork, edges: Tensor, intents: Tensor, agrees: Tensor) -> None:
    """Fit how far ``margin`` is to be trusted.

    Args:
        edges: the labels' thresholds as logits, (labels,).
        intents: the network's own calibrated logits of validation turns, (n, labels).
        agrees: (n,), 1 where the encoder gives the same answer.
    """
    network.edges.copy_(edges)
    margin = network.margin(intents)[:, 0].double().numpy()
    network.trust.copy_(torch.tensor(fit_platt(margin, agrees.double().numpy())))


@torch.no_grad()
def answers_of(network: FirstStageNetwork, ids: Sequence[Sequence[int]]) -> Logits:
    """All outputs for every row of token ids, in order."""
    network.eval()
    found: list[Logits] = [{}] * len(ids)
    for batch in equal_lengths(ids, 256):
        answers = network.answer(torch.tensor([list(ids[row]) for row in batch]), None)
        for index, row in enumerate(batch):
            found[row] = {name: values[index] for name, values in answers.items()}
    return {name: torch.stack([each[name] for each in found]) for name in found[0]}


def _loss(task: Task, answers: Logits, lessons: Lessons, rows: Tensor) -> Tensor:
    taught = {name: values[rows] for name, values in lessons.logits.items()}
    if task.exclusive:
        total = F.cross_entropy(answers["intents"], taught["intents"].softmax(dim=1))
    else:
        each = F.binary_cross_entropy_with_logits(answers["intents"], taught["intents"].sigmoid(), reduction="none")
        total = each.sum() / len(rows)
    if "sentiment" in taught:
        total = total + 0.5 * F.cross_entropy(answers["sentiment"], taught["sentiment"].softmax(dim=1))
    if "churn_risk" in taught:
        total = total + F.binary_cross_entropy_with_logits(answers["churn_risk"], taught["churn_risk"].sigmoid())
    unlike = 1.0 - (answers["embedding"] * lessons.embeddings[rows]).sum(dim=1).mean()
    return total + _SIMILARITY_WEIGHT * unlike


def _principal(vectors: Tensor, width: int) -> Tensor:
    """``vectors`` (n, d) without their mean, on their first ``width`` principal components."""
    centred = vectors - vectors.mean(dim=0)
    _, axes = torch.linalg.eigh(centred.T @ centred)
    return centred @ axes[:, -width:].flip(1)


def _pad(ids: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    rows = torch.nn.utils.rnn.pad_sequence([torch.tensor(each) for each in ids], batch_first=True)
    lengths = torch.tensor([len(each) for each in ids])
    return rows, torch.arange(rows.shape[1])[None, :] < lengths[:, None]
