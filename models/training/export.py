"""The tuned networks as ONNX: int8 to ship, float32 to hold the int8 against."""

import tempfile
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from models.training.first_stage import FirstStageNetwork
from models.training.first_stage_graph import first_stage_graph
from models.training.graph import encoder_graph
from models.training.network import IntentNetwork

_QUANTIZED = ["Attention", "MatMul"]
"""Not the heads: they are small, and calibrated to the last digit."""


def write_encoder(network: IntentNetwork, max_tokens: int, path: Path, *, int8: bool) -> None:
    """Write the encoder to ``path``; int8: weights per channel, activations as they come."""
    network.eval()
    graph = encoder_graph(network, max_tokens)
    if not int8:
        onnx.save(graph, str(path))
        return
    with tempfile.TemporaryDirectory() as scratch:
        exact = str(Path(scratch) / "float32.onnx")
        onnx.save(graph, exact)
        quantize_dynamic(
            exact,
            str(path),
            weight_type=QuantType.QInt8,
            op_types_to_quantize=_QUANTIZED,
            per_channel=True,
            reduce_range=True,  # without VNNI, products of full-range weights overflow their 16-bit sums
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )


def write_first_stage(network: FirstStageNetwork, path: Path) -> None:
    """Write the first stage to ``path``, its tables of words and of pairs in int8."""
    network.eval()
    onnx.save(first_stage_graph(network), str(path))
