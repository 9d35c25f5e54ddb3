"""How near the float32 encoder comes to what this machine's matrix products can do: the roof of Williams et al. 2009.

The roof is measured, not read off a data sheet: single-precision products of the encoder's own shapes, one thread, by
the faster of onnxruntime's kernels and the BLAS under numpy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import thread_time

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from threadpoolctl import threadpool_limits

from models.serving.graph import Graph
from models.training.graph import OPSET

Products = tuple[tuple[int, int, int], ...]
"""Matrix products in order, each (rows, inner, columns)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """MiniLM-L6's, where nothing else is said."""

    layers: int = 6
    width: int = 384
    inner: int = 1536

    def products(self, tokens: int) -> Products:
        """The products with weights of all layers, for one turn of ``tokens``."""
        wide, narrow = (tokens, self.width, self.inner), (tokens, self.inner, self.width)
        square = (tokens, self.width, self.width)  # query, key, value, and the way back from attention
        return (square, square, square, square, wide, narrow) * self.layers

    def flops(self, tokens: int) -> float:
        """Floating-point operations of one turn: the products with weights, and attention's two with itself."""
        attention = 2 * 2 * tokens * tokens * self.width * self.layers
        return float(product_flops(self.products(tokens)) + attention)


def product_flops(products: Products) -> int:
    """A multiplication and an addition for each weight and row."""
    return sum(2 * rows * inner * columns for rows, inner, columns in products)


@dataclass(frozen=True, slots=True)
class Roof:
    """One length's result."""

    tokens: int
    gflops: float
    """What the machine's products reach, 10⁹ operations a second."""
    share: float
    """What the encoder as a whole reaches of it."""


def under_roof(encoder: Graph, tokens: int, shape: Shape, rounds: int = 60) -> Roof:
    """Time ``encoder`` (float32) on one turn beside the bare products, all taking turns; medians of ``rounds``."""
    products = shape.products(tokens)
    generator = np.random.default_rng(tokens)
    ids = [int(token) for token in generator.integers(1000, 5000, tokens)]
    contenders: dict[str, Callable[[], object]] = {
        "encoder": lambda: encoder.run(ids),
        "onnxruntime": _products_in_onnxruntime(products, generator),
        "numpy": _products_in_numpy(products, generator),
    }
    with threadpool_limits(1):
        taken = {name: np.empty(rounds + 5) for name in contenders}
        for index in range(rounds + 5):
            for name, call in contenders.items():
                started_s = thread_time()
                call()
                taken[name][index] = thread_time() - started_s
    seconds = {name: float(np.median(each[5:])) for name, each in taken.items()}
    roof = product_flops(products) / min(seconds["onnxruntime"], seconds["numpy"])
    return Roof(tokens, roof / 1e9, shape.flops(tokens) / seconds["encoder"] / roof)


def _products_in_onnxruntime(products: Products, generator: np.random.Generator) -> Callable[[], object]:
    """One product after the other, each with weights of its own, as a graph of nothing else."""
    rows, first, _ = products[0]
    hidden, nodes, weights = "hidden", [], []
    for index, (_, inner, columns) in enumerate(products):
        values = (generator.standard_normal((inner, columns)) / np.sqrt(inner)).astype(np.float32)
        weights.append(numpy_helper.from_array(values, f"weight{index}"))
        nodes.append(helper.make_node("MatMul", [hidden, f"weight{index}"], [f"hidden{index}"]))
        hidden = f"hidden{index}"
    entry = helper.make_tensor_value_info("hidden", TensorProto.FLOAT, [rows, first])
    leaving = helper.make_tensor_value_info(hidden, TensorProto.FLOAT, [rows, products[-1][2]])
    graph = helper.make_graph(nodes, "products", [entry], [leaving], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feed = {"hidden": generator.standard_normal((rows, first)).astype(np.float32)}
    return lambda: session.run(None, feed)


def _products_in_numpy(products: Products, generator: np.random.Generator) -> Callable[[], object]:
    pairs = [
        (
            generator.standard_normal((rows, inner), dtype=np.float32),
            generator.standard_normal((inner, columns), dtype=np.float32),
        )
        for rows, inner, columns in products
    ]

    def multiply() -> None:
        for left, right in pairs:
            left @ right

    return multiply
