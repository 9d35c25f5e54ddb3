"""The first stage as an ONNX graph, written op by op: at this size every op that an exporter adds is felt."""

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor

from models.training.first_stage import NO_DOUBT, PAIR_FACTORS, PAIRS, FirstStageNetwork
from models.training.graph import OPSET
from models.training.rounding import in_bytes
from models.training.writer import Writer

_IR_VERSION = 10
_TOO_LONG = 1 << 30


def first_stage_graph(network: FirstStageNetwork) -> onnx.ModelProto:
    """``network``, its tables in int8: ``input_ids`` (rows, tokens) in, outputs by name. It takes no padding."""
    write = _Writer()
    words = write.look_up("words", network.words.weight, "input_ids")
    write.op("Pad", [words, write.integers("around", 0, 1, 0, 0, 1, 0)], "around_words")
    before = write.cut("around_words", "before_words", 0, -2)
    after = write.cut("around_words", "after_words", 2, _TOO_LONG)
    window = write.op("Concat", [before, words, after], "window", axis=2)
    heard = write.op("MatMul", [window, write.constant("near", network.near.weight.detach().numpy().T)], "heard")
    heard = write.op("Add", [heard, write.weight("near_bias", network.near.bias)], "heard_biased")
    pairs = write.look_up("pairs", network.pairs.weight, _hashed_pairs(write))
    near = write.op("Relu", [write.op("Add", [heard, pairs], "heard_in_pairs")], "near_words")

    over_tokens = write.integers("over_tokens", 1)
    mean = write.op("ReduceMean", [near, over_tokens], "mean", keepdims=0)
    peak = write.op("ReduceMax", [near, over_tokens], "peak", keepdims=0)
    bag = write.op("ReduceMean", [words, over_tokens], "bag", keepdims=0)
    seen = write.linear(write.op("Concat", [mean, peak, bag], "pooled", axis=1), "trunk", network.trunk)
    seen = write.op("Relu", [seen], "seen")
    widths = {}
    for name, head in network.heads.items():
        write.linear(seen, f"{name}_head", head, output=name)
        widths[name] = head.out_features
    _sure(write, network)
    meaning = write.linear(bag, "similarity", network.similarity)
    write.op("LpNormalization", [meaning], "embedding", axis=1, p=2)
    widths |= {"sure": network.doubts.shape[1], "embedding": network.similarity.out_features}

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
        steps = self.op("Gather", [self.constant(f"{name}_table", codes.numpy()), rows], f"{name}_steps")
        scale = self.op("Gather", [self.constant(f"{name}_scales", scales.numpy()), rows], f"{name}_scale")
        whole = self.op("Cast", [steps], f"{name}_whole_steps", to=TensorProto.FLOAT)
        return self.op("Mul", [whole, scale], f"{name}_of_turn")

    def linear(self, features: str, name: str, layer: torch.nn.Linear, output: str | None = None) -> str:
        weights = [self.weight(f"{name}_weight", layer.weight)]
        if layer.bias is not None:
            weights.append(self.weight(f"{name}_bias", layer.bias))
        return self.op("Gemm", [features, *weights], output or f"{name}_of_turn", transB=1)


def _hashed_pairs(write: _Writer) -> str:
    earlier = write.cut("input_ids", "earlier_ids", 0, -1)
    before = write.op("Pad", [earlier, write.integers("one_before", 0, 1, 0, 0)], "before_ids")
    first = write.op("Mul", [before, write.integers("first_factor", PAIR_FACTORS[0])], "first_part")
    second = write.op("Mul", ["input_ids", write.integers("second_factor", PAIR_FACTORS[1])], "second_part")
    both = write.op("Add", [first, second], "both_parts")
    return write.op("Mod", [both, write.integers("pair_rows", PAIRS)], "pair_ids")


def _sure(write: _Writer, network: FirstStageNetwork) -> None:
    if network.exclusive:
        write.nodes.append(
            helper.make_node("TopK", ["intents", write.integers("two", 2)], ["likeliest", "places"], axis=1)
        )
        first = write.cut("likeliest", "likeliest_one", 0, 1)
        distance = write.op("Sub", [write.cut("likeliest", "second_one", 1, 2), first], "distance")
    else:
        edges = write.constant("edges", network.edges.numpy())
        apart = write.op("Abs", [write.op("Sub", ["intents", edges], "over_edges")], "distance_up")
        distance = write.op("Neg", [apart], "distance")
    open_to = write.op("Sigmoid", [distance], "open_to_change")
    doubt = write.op("MatMul", [open_to, write.constant("doubts", network.doubts.numpy())], "doubt")
    least = write.constant("no_doubt", np.array(NO_DOUBT, np.float32))
    write.op("Neg", [write.op("Log", [write.op("Add", [doubt, least], "some_doubt")], "log_doubt")], "sure")
