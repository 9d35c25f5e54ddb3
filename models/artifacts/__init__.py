"""The models that ship, one folder each."""

from pathlib import Path

INTENT = Path(__file__).parent / "intent"
"""The intent model: manifest.json, model.onnx, tokenizer.json."""
