"""The first stage as an ONNX graph, written op by op: at this size every op that an exporter adds is felt.

What reads the tables' int8 and the trunk's halves reads constants alone, so that the runtime does it once, as it loads:
of each table one `Gather` of floats is left in a turn.
"""

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor

from models.training.first_stage import (
    NEAR,
    NO_DOUBT,
    PAIR_FACTOR,
    PAIRS,
    FirstStageNetwork,
    WordTables,
)
from models.training.graph import OPSET
from models.training.rounding import in_bytes
from models.training.writer import Writer

_IR_VERSION = 10
_TOO_LONG = 1 << 30


def first_stage_graph(network: FirstStageNetwork) -> onnx.ModelProto:
    """``network``, its tables in int8: ``input_ids`` (rows, tokens) in, outputs by name. It takes no padding.

    Raises:
        TypeError: it has not settled.
    """
    tables = network.words
    if not isinstance(tables, WordTables):
        raise TypeError("what is still being learned has no tables to ship: settle the network first")
    write = _Writer()
    write.op("Pad", ["input_ids", write.integers("one_around", 0, 1, 0, 1)], "with_ends")  # by 0, which is [PAD]
    earlier = write.cut("with_ends", "earlier_ids", 0, -2)
    later = write.cut("with_ends", "later_ids", 2, _TOO_LONG)
    before, here, after = tables.near.split(NEAR, dim=1)
    near = [
        write.look_up("before", before, earlier),
        write.look_up("here", here, "input_ids"),
        write.look_up("after", after, later),
        write.look_up("pairs", network.pairs.weight, _hashed_pairs(write, earlier)),
    ]
    heard = write.op("Relu", [write.op("Sum", near, "near")], "heard")
    over_tokens = write.integers("over_tokens", 1)
    mean = write.op("ReduceMean", [heard, over_tokens], "mean", keepdims=0)
    peak = write.op("ReduceMax", [heard, over_tokens], "peak", keepdims=0)
    seen = write.linear_of_halves(write.op("Concat", [mean, peak], "pooled", axis=1), "trunk", network.trunk)
    widths = _heads(write, network, write.op("Relu", [seen], "seen"))
    _sure(write, network)
    meant = write.look_up("meanings", tables.similarity, "input_ids")
    meaning = write.op("ReduceMean", [meant, over_tokens], "meaning", keepdims=0)
    write.op("LpNormalization", [meaning], "embedding", axis=1, p=2)
    widths |= {"sure": network.doubts.shape[1], "embedding": tables.similarity.shape[1]}

    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", width]) for name, width in widths.items()
    ]
    tokens = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["rows", "tokens"])
    graph = helper.make_graph(write.nodes, "first_stage", [tokens], outputs, write.constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=_IR_VERSION)


class _Writer(Writer):
    def integers(self, name: str, *values: int) -> str:
        return self.constant(name, np.array(values, np.int64))

    def cut(self, tokens: str, output: str, start: int, end: int) -> str:
        """From ``start`` to ``end`` of the tokens, which are the second axis."""
        bounds = [self.integers(f"{output}_start", start), self.integers(f"{output}_end", end)]
        return self.op("Slice", [tokens, *bounds, self.integers(f"{output}_axis", 1)], output)

    def look_up(self, name: str, table: Tensor, rows: str) -> str:
        codes, scales = in_bytes(table.detach())
        steps = self.op("Cast", [self.constant(f"{name}_steps", codes.numpy())], f"{name}_whole", to=TensorProto.FLOAT)
        whole = self.op("Mul", [steps, self.constant(f"{name}_scales", scales.numpy())], f"{name}_table")
        return self.op("Gather", [whole, rows], f"{name}_of_turn")

    def linear_of_halves(self, features: str, name: str, layer: torch.nn.Linear) -> str:
        """A layer whose weights half precision holds, and so half the bytes; what runs is float32."""
        halves = self.constant(f"{name}_halves", layer.weight.detach().half().numpy())
        weights = self.op("Cast", [halves], f"{name}_weight", to=TensorProto.FLOAT)
        bias = self.weight(f"{name}_bias", layer.bias)
        return self.op("Gemm", [features, weights, bias], f"{name}_product", transB=1)


def _hashed_pairs(write: _Writer, earlier: str) -> str:
    spread = write.op("Mul", [earlier, write.integers("pair_factor", PAIR_FACTOR)], "spread_ids")
    both = write.op("Add", [spread, "input_ids"], "both_ids")
    return write.op("Mod", [both, write.integers("pair_rows", PAIRS)], "pair_ids")


def _heads(write: _Writer, network: FirstStageNetwork, seen: str) -> dict[str, int]:
    """All heads in one product, and the number of columns of each.

    In the same product, where labels do not exclude each other: how far each is within where it is in doubt, from above
    and from below.
    """
    parts = {name: (head.weight, head.bias) for name, head in network.heads.items()}
    widths = {name: len(bias) for name, (_, bias) in parts.items()}
    if not network.exclusive:
        weight, bias = parts["intents"]
        parts["from_above"] = -weight, network.edges.clamp(min=0.0) - bias
        parts["from_below"] = weight, bias - network.edges.clamp(max=0.0)
    weights, biases = (torch.cat(each).detach().numpy() for each in zip(*parts.values(), strict=True))
    product = [seen, write.constant("heads_weight", weights), write.constant("heads_bias", biases)]
    answers = write.op("Gemm", product, "heads", transB=1)
    columns = write.integers("columns", *(len(bias) for _, bias in parts.values()))
    write.nodes.append(helper.make_node("Split", [answers, columns], list(parts), axis=1))
    return widths


def _sure(write: _Writer, network: FirstStageNetwork) -> None:
    if network.exclusive:
        write.nodes.append(
            helper.make_node("TopK", ["intents", write.integers("two", 2)], ["likeliest", "places"], axis=1)
        )
        first = write.cut("likeliest", "likeliest_one", 0, 1)
        second = write.op("Relu", [write.cut("likeliest", "second_one", 1, 2)], "second_or_none")
        nearness = write.op("Sub", [second, first], "nearness")
    else:
        nearness = write.op("Min", ["from_above", "from_below"], "nearness")
    doubts = network.doubts.numpy()
    doubtful = [write.op("Sigmoid", [nearness], "doubtful"), write.constant("doubts", doubts)]
    least = write.constant("least_doubt", np.full(doubts.shape[1], NO_DOUBT, np.float32))
    doubt = write.op("Gemm", [*doubtful, least], "doubt")
    write.op("Neg", [write.op("Log", [doubt], "log_doubt")], "sure")
