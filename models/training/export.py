"""The tuned network as ONNX with its tokenizer: int8 to ship, float32 to hold the int8 against."""

import shutil
import tempfile
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process

from models.training.network import IntentNetwork, pretrained_folder

OPSET = 18
_OUTPUTS = ["intents", "sentiment", "churn_risk"]


def export_float32(network: IntentNetwork, folder: Path) -> None:
    """Write ``model.onnx`` as trained, and ``tokenizer.json``. Its batch and length are free; it takes no padding."""
    network.eval()
    rows, tokens = torch.export.Dim("rows", min=1), torch.export.Dim("tokens", min=2, max=512)
    program = torch.onnx.export(
        network,
        (torch.ones(2, 7, dtype=torch.long),),
        dynamo=True,
        opset_version=OPSET,
        input_names=["input_ids"],
        output_names=_OUTPUTS,
        dynamic_shapes={"input_ids": {0: rows, 1: tokens}},
        verbose=False,
    )
    onnx.save(program.model_proto, str(folder / "model.onnx"))
    shutil.copyfile(pretrained_folder() / "tokenizer.json", folder / "tokenizer.json")


def quantize(source: Path, folder: Path) -> None:
    """Write the float32 artefact in ``source`` into ``folder`` as int8: weights per channel, activations dynamic."""
    with tempfile.TemporaryDirectory() as scratch:
        prepared = str(Path(scratch) / "prepared.onnx")
        quant_pre_process(str(source / "model.onnx"), prepared, skip_symbolic_shape=True)
        quantize_dynamic(
            prepared,
            str(folder / "model.onnx"),
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,  # without VNNI, products of full-range weights overflow their 16-bit sums
        )
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
