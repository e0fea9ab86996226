from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from sdtui.errors import SdtuiError, UserError
from sdtui.tagging.taggers.base import Where
from sdtui.tagging.taggers.onnx import OnnxModel

CPU = Where("cpu", threads=1)


def write(path: Path, shape: Sequence[int | str], axes: Sequence[int]) -> Path:
    """A model whose scores are the means over `axes` of an input of this shape."""
    node = helper.make_node("ReduceMean", ["input"], ["output"], axes=list(axes), keepdims=0)
    images = helper.make_tensor_value_info("input", TensorProto.FLOAT, list(shape))
    scores = helper.make_tensor_value_info("output", TensorProto.FLOAT, [shape[0], 3])
    graph = helper.make_graph([node], "means", [images], [scores])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def test_what_a_model_reads_and_gives_is_told(tmp_path: Path) -> None:
    model = OnnxModel(write(tmp_path / "m.onnx", ["batch", 8, 8, 3], [1, 2]), CPU)
    assert (model.side, model.batch, model.channels_first, model.outputs, model.device) == (8, None, False, 3, "cpu")
    model.require_outputs(3, "the list")
    with pytest.raises(UserError, match="gives 3 scores, and the list names 4 tags"):
        model.require_outputs(4, "the list")


def test_images_are_turned_for_models_that_read_channels_first(tmp_path: Path) -> None:
    model = OnnxModel(write(tmp_path / "m.onnx", [2, 3, 4, 4], [2, 3]), CPU)
    assert (model.side, model.batch, model.channels_first) == (4, 2, True)
    batch = np.zeros((2, 4, 4, 3), np.float32)
    batch[0, ..., 1] = 1
    batch[1, ..., 2] = 0.5
    assert model.run(batch).tolist() == [[0, 1, 0], [0, 0, 0.5]]


@pytest.mark.parametrize(
    ("shape", "axes", "message"),
    [
        ([1, 8, 6, 3], [1, 2], "not square"),
        (["b", "h", "w", 3], [1, 2], "not square"),
        ([1, 3], [0], "not read images"),
    ],
    ids=["oblong", "any size", "no image"],
)
def test_models_that_read_something_else_are_refused(
    tmp_path: Path, shape: Sequence[int | str], axes: Sequence[int], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        OnnxModel(write(tmp_path / "m.onnx", shape, axes), CPU)


def test_a_batch_that_a_model_cannot_take_is_said(tmp_path: Path) -> None:
    model = OnnxModel(write(tmp_path / "m.onnx", [2, 8, 8, 3], [1, 2]), CPU)
    with pytest.raises(SdtuiError, match="the model failed"):
        model.run(np.zeros((1, 8, 8, 3), np.float32))


def test_a_gpu_that_turns_out_unusable_is_not_claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with onnxruntime-gpu on a machine without CUDA's libraries: the session goes on with the processor."""
    path = write(tmp_path / "m.onnx", [1, 8, 8, 3], [1, 2])
    found = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: found)
    monkeypatch.setattr("onnxruntime.preload_dlls", lambda: None, raising=False)
    assert OnnxModel(path, Where("auto")).device == "cpu"
    with pytest.raises(UserError, match="cannot use the GPU"):
        OnnxModel(path, Where("cuda"))
