"""The cascade's first stage: what each word, its neighbours and its pairs tell, looked up and added.

It learns the encoder's calibrated probabilities, what the turns themselves are labelled with, and a similarity
embedding after the pretrained encoder's own (see `distilling`). It is sure where no label that the speaker can carry is
near its threshold or in the balance.

Words are learned as vectors under linear maps, so that rare ones profit from what the maps learn of others. They ship
as what the maps make of them, which takes no multiplying.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.training.network import Logits, make_heads, mean_and_peak, pretrained_encoder
from models.training.rounding import in_bytes
from models.training.task import Task
from models.training.tune import equal_lengths
from schemas.conversation import Speaker

EMBEDDING_WIDTH = 64
PAIRS = 16_384
"""Rows of the table of word pairs, to which they are hashed: what two words mean together need not follow from each."""
PAIR_FACTOR = 104_729
"""A prime, by which the id of a word is multiplied before the next one's is added and both are hashed."""
NEAR = 128
_HIDDEN = 256
NO_DOUBT = 1e-4
"""Added to what is doubtful of every turn, for its logarithm."""


class FirstStageNetwork(nn.Module):
    """Token ids in; logits of every head, ``sure`` (n, speakers) and the unit-length ``embedding`` (n, 64) out."""

    def __init__(self, task: Task, table: Tensor) -> None:
        """``table``: static embeddings to begin with, (vocabulary, width)."""
        super().__init__()
        self.words: LearnedWords | WordTables = LearnedWords(table)
        self.pairs = nn.Embedding.from_pretrained(torch.zeros(PAIRS, NEAR), freeze=False)
        self.trunk = nn.Linear(2 * NEAR, _HIDDEN)
        self.dropout = nn.Dropout(0.2)
        self.heads = make_heads(task, _HIDDEN)
        self.exclusive = task.exclusive
        self.edges = nn.Buffer(torch.zeros(len(task.labels)))
        self.doubts = nn.Buffer(torch.ones(1 if task.exclusive else len(task.labels), len(Speaker)))
        """1 where a doubt about the label is one about the speaker's turns, which can carry it."""

    def answer(self, input_ids: Tensor, mask: Tensor) -> Logits:
        """All outputs by name; ``mask`` (n, tokens) is true at tokens, and where it is not, ``input_ids`` are 0."""
        around, meanings = self.words(F.pad(input_ids, (1, 1)))
        before, here, after = around.split(NEAR, dim=2)
        near = before[:, :-2] + here[:, 1:-1] + after[:, 2:] + self.pairs(hashed_pairs(input_ids))
        seen = torch.relu(self.trunk(self.dropout(mean_and_peak(torch.relu(near), mask))))
        answers = {name: head(seen) for name, head in self.heads.items()}
        # λ labels are expected to be answered otherwise; that none is has the probability 1 / (1 + λ).
        answers["sure"] = -torch.log(torch.sigmoid(-self.distance(answers["intents"])) @ self.doubts + NO_DOUBT)
        meant = meanings[:, 1:-1] * mask[:, :, None]
        answers["embedding"] = F.normalize(meant.sum(dim=1), dim=1)
        return answers

    def distance(self, intents: Tensor) -> Tensor:
        """How far each label is from where it would be answered otherwise, in logits, (n, labels).

        That is anywhere between its threshold, across which the encoder may be, and even odds, across which the truth
        may be; between them the distance is negative. Where labels exclude each other: of the first to the second or to
        that it is none of them, (n, 1).
        """
        if self.exclusive:
            first, second = intents.topk(2, dim=1).values.split(1, dim=1)
            return first - torch.relu(second)
        return torch.maximum(intents - self.edges.clamp(min=0.0), self.edges.clamp(max=0.0) - intents)

    @torch.no_grad()
    def know(self, edges: Tensor, carried: Tensor) -> None:
        """The labels' thresholds as logits, (labels,), and 1 where a speaker's turns can carry one, (labels, speakers).

        Each label's distance counts as it is: distances weighed by how often the label was answered otherwise on
        validation turns, or made smaller, told the turns to leave to the encoder worse.
        """
        self.edges.copy_(edges)
        self.doubts.copy_(torch.ones_like(self.doubts) if self.exclusive else carried)

    @torch.no_grad()
    def settle(self) -> None:
        """Make of all that was learned of words and of pairs the tables that ship, and halve the trunk's precision."""
        self.eval()
        if isinstance(self.words, LearnedWords):
            self.words = WordTables(*self.words.of_all())
        self.pairs.weight.data = _as_shipped(self.pairs.weight)
        self.trunk.weight.data = self.trunk.weight.half().float()


class LearnedWords(nn.Module):
    """Of each token what it adds before, at and after its place, (n, tokens, 3 · NEAR), and what it means, (…, 64)."""

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        width = table.shape[1]
        self.vectors = nn.Embedding.from_pretrained(table, freeze=False)
        self.near = nn.Linear(width, 3 * NEAR)
        nn.init.normal_(self.near.weight, 0.0, (3 * width) ** -0.5)
        self.similarity = nn.Linear(width, EMBEDDING_WIDTH, bias=False)

    def forward(self, input_ids: Tensor) -> tuple[Tensor, Tensor]:
        met, places = input_ids.unique(return_inverse=True)  # each token is multiplied once, however often it comes
        vectors = self.vectors(met)
        return F.embedding(places, self.near(vectors)), F.embedding(places, self.similarity(vectors))

    def of_all(self) -> tuple[Tensor, Tensor]:
        """The same of the whole vocabulary."""
        return self.near(self.vectors.weight), self.similarity(self.vectors.weight)


class WordTables(nn.Module):
    """The same, looked up in tables that int8 loses nothing of."""

    def __init__(self, near: Tensor, similarity: Tensor) -> None:
        super().__init__()
        self.near = nn.Buffer(torch.cat([_as_shipped(part) for part in near.split(NEAR, dim=1)], dim=1))
        self.similarity = nn.Buffer(_as_shipped(similarity))

    def forward(self, input_ids: Tensor) -> tuple[Tensor, Tensor]:
        return F.embedding(input_ids, self.near), F.embedding(input_ids, self.similarity)


def hashed_pairs(input_ids: Tensor) -> Tensor:
    """For every token the row of PAIRS that it and the one before it have; the first has [PAD] before it."""
    return (F.pad(input_ids[:, :-1], (1, 0)) * PAIR_FACTOR + input_ids) % PAIRS


@torch.no_grad()
def static_table(vocabulary_rows: tuple[int, ...], cls: int, sep: int) -> Tensor:
    """A vector for every token: what the encoder makes of it alone, about 0 and of a deviation of 1."""
    encoder = pretrained_encoder(vocabulary_rows)
    encoder.eval()
    alone = [
        encoder(
            torch.stack([torch.full_like(part, cls), part, torch.full_like(part, sep)], dim=1)
        ).last_hidden_state.mean(dim=1)
        for part in torch.arange(len(vocabulary_rows)).split(256)
    ]
    table = torch.cat(alone)
    table -= table.mean(dim=0)
    return table / table.std()


@torch.no_grad()
def answers_of(network: FirstStageNetwork, ids: Sequence[Sequence[int]]) -> Logits:
    """All outputs for every row of token ids, in order."""
    network.eval()
    found: list[Logits] = [{}] * len(ids)
    for batch in equal_lengths(ids, 256):
        answers = network.answer(*padded([ids[row] for row in batch]))
        for index, row in enumerate(batch):
            found[row] = {name: values[index] for name, values in answers.items()}
    return {name: torch.stack([each[name] for each in found]) for name in found[0]}


def padded(ids: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Token ids (n, tokens), 0 where a row has ended, and the mask of where it has not."""
    rows = torch.nn.utils.rnn.pad_sequence([torch.tensor(each) for each in ids], batch_first=True)
    lengths = torch.tensor([len(each) for each in ids])
    return rows, torch.arange(rows.shape[1])[None, :] < lengths[:, None]


def _as_shipped(table: Tensor) -> Tensor:
    codes, scales = in_bytes(table.detach())
    return codes * scales
