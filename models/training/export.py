"""The tuned networks as ONNX: int8 to ship, float32 to hold the int8 against."""

from pathlib import Path

import onnx

from models.training.first_stage import FirstStageNetwork
from models.training.first_stage_graph import first_stage_graph
from models.training.graph import encoder_graph
from models.training.network import IntentNetwork


def write_encoder(network: IntentNetwork, max_tokens: int, path: Path, *, int8: bool) -> None:
    """Write the encoder to ``path``."""
    network.eval()
    onnx.save(encoder_graph(network, max_tokens, int8=int8), str(path))


def write_first_stage(network: FirstStageNetwork, path: Path) -> None:
    """Write the first stage to ``path``, its tables of words and of pairs in int8."""
    network.eval()
    onnx.save(first_stage_graph(network), str(path))
