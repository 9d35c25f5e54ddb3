"""The tuned encoder as an ONNX graph, written op by op in the fused ops that onnxruntime has kernels for.

An exporter traces attention into two dozen small ops a layer, which the runtime's optimizer no longer recognises. Here
a layer is one `Attention`, three `MatMul`, two `SkipLayerNormalization` and one `BiasGelu`, before and after
quantization.
"""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from models.training.network import IntentNetwork
from models.training.rounding import in_bytes

OPSET = 18
_FUSED = "com.microsoft"
_IR_VERSION = 10


class Writer:
    """Nodes and constants in the order of writing; every method returns the name of what it wrote."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, values: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def weight(self, name: str, parameter: nn.Parameter) -> str:
        return self.constant(name, parameter.detach().numpy())

    def op(self, kind: str, inputs: list[str], output: str, domain: str = "", **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes))
        return output


def encoder_graph(network: IntentNetwork, max_tokens: int) -> onnx.ModelProto:
    """``network`` as float32: ``input_ids`` (rows, tokens) in, one output of logits a head. It takes no padding.

    Its word embeddings are int8, of which they lose nothing (see `pretrained_encoder`).
    """
    write = Writer()
    hidden = _embeddings(write, network, max_tokens)
    for index, layer in enumerate(network.encoder.encoder.layer):
        hidden = _layer(write, layer, f"layer{index}", hidden, network.encoder.config.num_attention_heads)
    over_tokens = write.constant("over_tokens", np.array([1], np.int64))
    mean = write.op("ReduceMean", [hidden, over_tokens], "mean", keepdims=0)
    peak = write.op("ReduceMax", [hidden, over_tokens], "peak", keepdims=0)
    pooled = write.op("Concat", [mean, peak], "pooled", axis=1)
    outputs = []
    for name, head in network.heads.items():
        write.op("Gemm", [pooled, *_linear(write, name, head)], name, transB=1)
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", head.out_features]))
    tokens = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["rows", "tokens"])
    graph = helper.make_graph(write.nodes, "intents", [tokens], outputs, write.constants)
    imports = [helper.make_opsetid("", OPSET), helper.make_opsetid(_FUSED, 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=_IR_VERSION)


def _embeddings(write: Writer, network: IntentNetwork, max_tokens: int) -> str:
    table = network.encoder.embeddings
    codes, scales = in_bytes(table.word_embeddings.weight.detach())
    steps = write.op("Gather", [write.constant("words", codes.numpy()), "input_ids"], "steps")
    scale = write.op("Gather", [write.constant("word_scales", scales.numpy()), "input_ids"], "scale_of_steps")
    whole = write.op("Cast", [steps], "whole_steps", to=TensorProto.FLOAT)
    words = write.op("Mul", [whole, scale], "words_of_turn")
    # All tokens are of the first type, so its vector is a part of the position's.
    placed = table.position_embeddings.weight[:max_tokens] + table.token_type_embeddings.weight[0]
    positions = write.constant("positions", placed.detach().numpy())
    length = write.op("Shape", ["input_ids"], "length", start=1, end=2)
    start = write.constant("start", np.array([0], np.int64))
    places = write.op("Slice", [positions, start, length], "places")
    summed = write.op("Add", [words, places], "placed")
    return write.op(
        "LayerNormalization",
        [summed, *_normalization(write, "embeddings", table.LayerNorm)],
        "embeddings",
        axis=-1,
        epsilon=table.LayerNorm.eps,
    )


def _layer(write: Writer, layer: nn.Module, name: str, hidden: str, head_count: int) -> str:
    attention, wide, narrow = layer.attention, layer.intermediate.dense, layer.output
    parts = (attention.self.query, attention.self.key, attention.self.value)
    weights = np.concatenate([part.weight.detach().numpy().T for part in parts], axis=1)
    biases = np.concatenate([part.bias.detach().numpy() for part in parts])
    attended = write.op(
        "Attention",
        [hidden, write.constant(f"{name}.qkv", weights), write.constant(f"{name}.qkv_bias", biases)],
        f"{name}.attended",
        _FUSED,
        num_heads=head_count,
    )
    hidden = _back(write, f"{name}.mix", attended, hidden, attention.output)
    widened = write.op("MatMul", [hidden, _transposed(write, f"{name}.wide", wide)], f"{name}.widened")
    bent = write.op("BiasGelu", [widened, write.weight(f"{name}.wide_bias", wide.bias)], f"{name}.bent", _FUSED)
    return _back(write, f"{name}.narrow", bent, hidden, narrow)


def _back(write: Writer, name: str, inner: str, outer: str, output: nn.Module) -> str:
    """Project ``inner`` back, add it to ``outer`` and normalize."""
    projected = write.op("MatMul", [inner, _transposed(write, name, output.dense)], f"{name}.projected")
    scale, shift = _normalization(write, name, output.LayerNorm)
    bias = write.weight(f"{name}.bias", output.dense.bias)
    return write.op(
        "SkipLayerNormalization",
        [projected, outer, scale, shift, bias],
        f"{name}.normalized",
        _FUSED,
        epsilon=output.LayerNorm.eps,
    )


def _transposed(write: Writer, name: str, linear: nn.Linear) -> str:
    return write.constant(f"{name}.weight", linear.weight.detach().numpy().T)


def _normalization(write: Writer, name: str, norm: nn.LayerNorm) -> tuple[str, str]:
    return write.weight(f"{name}.norm_scale", norm.weight), write.weight(f"{name}.norm_shift", norm.bias)


def _linear(write: Writer, name: str, head: nn.Linear) -> tuple[str, str]:
    return write.weight(f"{name}.weight", head.weight), write.weight(f"{name}.bias", head.bias)
