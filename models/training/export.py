"""The tuned networks as ONNX: int8 to ship, float32 to hold the int8 against."""

import tempfile
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from models.training.first_stage import FirstStageNetwork
from models.training.graph import OPSET, encoder_graph
from models.training.network import IntentNetwork

_QUANTIZED = ["Attention", "MatMul"]
"""Not the heads: they are small, and calibrated to the last digit."""
_MEANING = "meaning"
"""What the embedding is called while it is exported: the exporter calls the look-up of words "embedding"."""


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
    """Write the first stage to ``path``, its table of embeddings in half precision."""
    network.eval()
    names = [*network.heads, "sure", _MEANING]
    rows, tokens = torch.export.Dim("rows", min=1), torch.export.Dim("tokens", min=2, max=512)
    program = torch.onnx.export(
        network.for_export(),
        (torch.ones(2, 7, dtype=torch.long),),
        dynamo=True,
        opset_version=OPSET,
        input_names=["input_ids"],
        output_names=names,
        dynamic_shapes={"input_ids": {0: rows, 1: tokens}},
        verbose=False,
    )
    graph = program.model_proto
    rename(graph, {"embedding": "words_of_turn", _MEANING: "embedding"})
    onnx.save(graph, str(path))


def rename(model: onnx.ModelProto, names: dict[str, str]) -> None:
    """Give values of ``model``'s graph other names, all at once."""
    for value in model.graph.output:
        value.name = names.get(value.name, value.name)
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
