"""Taggers' files, small: ONNX models with the published signatures, and what lies beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

# As in the files of the WD taggers v1 and v2 (from TensorFlow) and v3 (from timm).
V2 = ("input_1:0", "predictions_sigmoid")
V3 = ("input", "output")


def write_model(
    path: Path, tags: int, side: int = 448, batch: int | str = "batch_size", signature: tuple[str, str] = V3
) -> None:
    """A model whose scores are sigmoid(mean of a channel / 255 × weight): tag n looks at channel n mod 3."""
    weights = np.zeros((3, tags), np.float32)
    for tag in range(tags):
        weights[tag % 3, tag] = 4 / 255
    constants = [
        numpy_helper.from_array(weights, "weights"),
        numpy_helper.from_array(np.full(tags, -2, np.float32), "bias"),
    ]
    nodes = [
        helper.make_node("ReduceMean", [signature[0]], ["means"], axes=[1, 2], keepdims=0),
        helper.make_node("Gemm", ["means", "weights", "bias"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], [signature[1]]),
    ]
    images = helper.make_tensor_value_info(signature[0], TensorProto.FLOAT, [batch, side, side, 3])
    scores = helper.make_tensor_value_info(signature[1], TensorProto.FLOAT, [batch, tags])
    graph = helper.make_graph(nodes, "tagger", [images], [scores], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))


def write_wd(folder: Path, names: Sequence[tuple[str, int]], **options: Any) -> Path:
    """A WD tagger's folder; `names` with danbooru's numbers of their categories."""
    folder.mkdir(parents=True, exist_ok=True)
    write_model(folder / "model.onnx", len(names), **options)
    lines = [f"{at},{name},{category},{100 - at}" for at, (name, category) in enumerate(names)]
    (folder / "selected_tags.csv").write_text("\n".join(["tag_id,name,category,count", *lines]) + "\n")
    return folder


def sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def pixels(width: int, height: int) -> NDArray[np.uint8]:
    """An RGB image in which every pixel is different: red grows along rows, green down columns."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.arange(width) * 10
    image[..., 1] = np.arange(height)[:, None] * 10
    image[..., 2] = 200
    return image
