"""Turns in, scores out: onnxruntime and tokenizers, never torch."""

from models.serving.model import IntentModel
from models.serving.utterance import Utterance

__all__ = ["IntentModel", "Utterance"]
