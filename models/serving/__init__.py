"""Texts in, scores out: onnxruntime and tokenizers, never torch."""

from models.serving.model import IntentModel

__all__ = ["IntentModel"]
