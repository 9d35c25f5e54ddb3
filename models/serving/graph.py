"""One ONNX graph of the artefact in onnxruntime: checked against the manifest, on one thread, without spinning."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

Logits = NDArray[np.float32]
_INPUT = "input_ids"
_SLOWER_FUSED = "SkipLayerNormFusion"
"""An optimization that is none: its kernel takes three times as long as the addition and the normalization by
themselves, a quarter of a turn's whole time (onnxruntime 1.32)."""


class GraphRefused(Exception):
    """The graph is not the one that the manifest describes. ``str(error)`` says in what, not where."""


class Graph:
    """Runs one turn at a time. Safe to call from any thread; each call keeps one core busy until it returns."""

    def __init__(self, content: bytes, widths: Mapping[str, int]) -> None:
        """Open the graph.

        Args:
            content: the bytes of the ONNX file, weights included.
            widths: the outputs that it must have, no others, and each one's number of columns.

        Raises:
            GraphRefused: its input or outputs are others.
            Exception: onnxruntime cannot read it; onnxruntime has no class of its own for this.
        """
        self._session = _open_session(content)
        _check_input(self._session)
        _check_outputs(self._session, widths)
        self._outputs = list(widths)

    def run(self, token_ids: list[int]) -> dict[str, Logits]:
        """One turn's outputs by name, each of shape ``(columns,)``; ``token_ids`` includes [CLS] and [SEP].

        A turn is run by itself: int8 activations are scaled by the largest value of their run, so that in a batch each
        turn's answer would depend on its neighbours; and on one core a batch of short turns gains little.
        """
        rows = self._session.run(self._outputs, {_INPUT: np.array([token_ids], dtype=np.int64)})
        return {name: row[0] for name, row in zip(self._outputs, rows, strict=True)}


def _open_session(content: bytes) -> Any:
    # Denormals as zero, no memory arena, no memory pattern, IOBinding: none was measured to pay on a turn by itself.
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors only: its warnings about graph clean-up are not for operators
    return ort.InferenceSession(
        content, options, providers=["CPUExecutionProvider"], disabled_optimizers=[_SLOWER_FUSED]
    )


def _check_input(session: Any) -> None:
    inputs = [(each.name, each.type, len(each.shape)) for each in session.get_inputs()]
    if inputs != [(_INPUT, "tensor(int64)", 2)]:
        raise GraphRefused(f"takes {inputs} where one input, {_INPUT} of int64 (rows, tokens), is fed")


def _check_outputs(session: Any, widths: Mapping[str, int]) -> None:
    actual = {output.name: output.shape for output in session.get_outputs()}
    for name, width in widths.items():
        shape = actual.pop(name, None)
        if shape is None:
            raise GraphRefused(f"gives no {name} where the manifest has {width}")
        if len(shape) != 2 or shape[1] != width:
            raise GraphRefused(f"gives {name} of shape {tuple(shape)} where the manifest has {width} a turn")
    if actual:
        raise GraphRefused(f"gives {', '.join(sorted(actual))}, of which the manifest knows nothing")
