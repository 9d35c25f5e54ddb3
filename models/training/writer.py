"""Writes ONNX graphs node by node, and the products of a layer in float32 or in int8."""

from typing import Any, Protocol

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch import Tensor, nn

from models.training.rounding import in_steps

FUSED = "com.microsoft"
"""The domain of onnxruntime's own ops."""


class Writer:
    """Nodes and constants in the order of writing; every method returns the name of what it wrote."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, values: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def weight(self, name: str, parameter: Tensor) -> str:
        return self.constant(name, parameter.detach().numpy())

    def op(self, kind: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes))
        return output


class Products(Protocol):
    """What an encoder layer multiplies, in one arithmetic or another. ``hidden`` is (rows, tokens, width)."""

    def linear(self, write: Writer, name: str, hidden: str, layer: nn.Linear) -> str:
        """``hidden`` through ``layer``, its bias included."""
        ...

    def attention(self, write: Writer, name: str, hidden: str, weight: Tensor, bias: Tensor, head_count: int) -> str:
        """Self-attention; ``weight`` (3 × width, width) and ``bias`` are of queries, keys and values in this order."""
        ...


class InFloat32:
    """As it was trained."""

    def linear(self, write: Writer, name: str, hidden: str, layer: nn.Linear) -> str:
        product = write.op("MatMul", [hidden, write.weight(f"{name}.weight", layer.weight.T)], f"{name}.product")
        return write.op("Add", [product, write.weight(f"{name}.bias", layer.bias)], name)

    def attention(self, write: Writer, name: str, hidden: str, weight: Tensor, bias: Tensor, head_count: int) -> str:
        inputs = [hidden, write.weight(f"{name}.weight", weight.T), write.weight(f"{name}.bias", bias)]
        return write.op("Attention", inputs, name, FUSED, num_heads=head_count)


class InInt8:
    """Weights with one scale an output, activations scaled as they come; sums and all else in float32."""

    def linear(self, write: Writer, name: str, hidden: str, layer: nn.Linear) -> str:
        weight, scale = _in_int8(write, name, layer.weight)
        inputs = [hidden, weight, scale, "", write.weight(f"{name}.bias", layer.bias)]
        return write.op("DynamicQuantizeMatMul", inputs, name, FUSED)

    def attention(self, write: Writer, name: str, hidden: str, weight: Tensor, bias: Tensor, head_count: int) -> str:
        weights, scales = _in_int8(write, name, weight)
        steps = [f"{name}.steps", f"{name}.step", f"{name}.zero"]
        write.nodes.append(helper.make_node("DynamicQuantizeLinear", [hidden], steps, name=steps[0]))
        zeros = write.constant(f"{name}.weight_zero", np.zeros(len(bias), np.int8))
        biases = write.weight(f"{name}.bias", bias)
        inputs = [steps[0], weights, biases, steps[1], scales, "", steps[2], zeros]
        return write.op("QAttention", inputs, name, FUSED, num_heads=head_count)


def _in_int8(write: Writer, name: str, weight: Tensor) -> tuple[str, str]:
    steps, scales = in_steps(weight.detach())
    return write.constant(f"{name}.weight", steps.numpy().T), write.weight(f"{name}.scale", scales.squeeze(1))
