"""The tuned encoder as an ONNX graph, written op by op in the fused ops that onnxruntime has kernels for.

Written by hand, for an exported layer has two dozen small ops, which the runtime's optimizer does not fuse. Here a
layer is one attention, three products and a handful of small ops, in float32 or with weights per output in int8 and
activations scaled as they come.
"""

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from torch import nn

from models.training.network import IntentNetwork
from models.training.rounding import in_bytes
from models.training.writer import FUSED, InFloat32, InInt8, Products, Writer

OPSET = 18
_IR_VERSION = 10


def encoder_graph(network: IntentNetwork, max_tokens: int, *, int8: bool) -> onnx.ModelProto:
    """``network``: ``input_ids`` (rows, tokens) in, one output of logits a head. It takes no padding.

    Its word embeddings are int8, of which they lose nothing (see `pretrained_encoder`). Its heads are not: they are
    small, and calibrated to the last digit.
    """
    write, products = Writer(), InInt8() if int8 else InFloat32()
    hidden = _embeddings(write, network, max_tokens)
    for index, layer in enumerate(network.encoder.encoder.layer):
        hidden = _layer(write, products, layer, f"layer{index}", hidden, network.encoder.config.num_attention_heads)
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
    imports = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)]
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


def _layer(write: Writer, products: Products, layer: nn.Module, name: str, hidden: str, head_count: int) -> str:
    attention = layer.attention.self
    parts = (attention.query, attention.key, attention.value)
    weight, bias = torch.cat([part.weight for part in parts]), torch.cat([part.bias for part in parts])
    attended = products.attention(write, f"{name}.attended", hidden, weight, bias, head_count)
    mixed = products.linear(write, f"{name}.mixed", attended, layer.attention.output.dense)
    hidden = _joined(write, f"{name}.mix", mixed, hidden, layer.attention.output.LayerNorm)
    widened = products.linear(write, f"{name}.widened", hidden, layer.intermediate.dense)
    bent = write.op("Gelu", [widened], f"{name}.bent", FUSED)
    narrowed = products.linear(write, f"{name}.narrowed", bent, layer.output.dense)
    return _joined(write, f"{name}.narrow", narrowed, hidden, layer.output.LayerNorm)


def _joined(write: Writer, name: str, inner: str, outer: str, norm: nn.LayerNorm) -> str:
    """Sum of ``inner`` and ``outer``, normalized. There is one op for both, which takes three times as long."""
    summed = write.op("Add", [inner, outer], f"{name}.summed")
    inputs = [summed, *_normalization(write, name, norm)]
    return write.op("LayerNormalization", inputs, f"{name}.normalized", axis=-1, epsilon=norm.eps)


def _normalization(write: Writer, name: str, norm: nn.LayerNorm) -> tuple[str, str]:
    return write.weight(f"{name}.norm_scale", norm.weight), write.weight(f"{name}.norm_shift", norm.bias)


def _linear(write: Writer, name: str, head: nn.Linear) -> tuple[str, str]:
    return write.weight(f"{name}.weight", head.weight), write.weight(f"{name}.bias", head.bias)
