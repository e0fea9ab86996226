"""An ONNX model with one input of images and one output of scores, run by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdtui.dataset.names import printable
from sdtui.errors import SdtuiError, UserError
from sdtui.tagging.taggers.base import Pixels, Where

_PROVIDERS = {"cuda": "CUDAExecutionProvider", "cpu": "CPUExecutionProvider"}


class OnnxModel:
    """A model ready to run.

    Attributes:
        device: `cuda` or `cpu`.
        batch: how many images it takes at once; None: any number.
        side: height and width of the images in pixels.
        channels_first: whether it reads (batch, 3, side, side) rather than (batch, side, side, 3).
        outputs: how many scores it gives; None: the file does not say.
    """

    def __init__(self, path: Path, where: Where) -> None:
        """Load the model.

        Raises:
            UserError: ONNX Runtime is missing, the file is no model of images, or there is no such device.
        """
        runtime = _runtime()
        self._path = path
        wanted = _device(runtime, where)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = where.threads
        # Its warnings about operators on the processor would stand between the lines of the log.
        options.log_severity_level = 3
        providers = list(dict.fromkeys((_PROVIDERS[wanted], _PROVIDERS["cpu"])))
        try:
            self._session = runtime.InferenceSession(str(path), options, providers=providers)
        except Exception as error:
            raise UserError(f"ONNX Runtime cannot load the model: {error}", where=printable(path)) from error
        # Where CUDA's libraries are missing or of another version it goes on with the processor and only warns.
        self.device = "cuda" if _PROVIDERS["cuda"] in self._session.get_providers() else "cpu"
        if where.device == "cuda" and self.device != "cuda":
            raise UserError(
                "ONNX Runtime cannot use the GPU",
                where="--device cuda",
                remedy="Install the CUDA and cuDNN versions that this onnxruntime-gpu was built for",
            )
        found = self._session.get_inputs()
        if len(found) != 1 or len(found[0].shape) != 4:
            raise UserError("the model does not read images", where=printable(path), remedy="Its input needs four axes")
        self._input, shape = found[0].name, found[0].shape
        self.batch = shape[0] if isinstance(shape[0], int) and shape[0] > 0 else None
        self.channels_first = shape[1] == 3
        sides = {size for size in shape[1:] if size != 3}
        if len(sides) != 1 or not isinstance(side := sides.pop(), int):
            raise UserError(f"the model's images are not square: {shape}", where=printable(path))
        self.side = side
        last = self._session.get_outputs()[0].shape[-1]
        self.outputs = last if isinstance(last, int) else None

    def require_outputs(self, count: int, what: str) -> None:
        """Raises UserError where the model gives another number of scores than `what` has lines."""
        if self.outputs is not None and self.outputs != count:
            raise UserError(
                f"the model gives {self.outputs} scores, and {what} names {count} tags",
                where=printable(self._path),
                remedy="Put the list that belongs to the model beside it",
            )

    def run(self, batch: Pixels) -> NDArray[np.float32]:
        """The first output for a batch of images.

        Raises:
            SdtuiError: the model cannot compute it (out of memory, say).
        """
        if self.channels_first:
            batch = np.ascontiguousarray(batch.transpose(0, 3, 1, 2))
        try:
            found: NDArray[np.float32] = self._session.run(None, {self._input: batch})[0]
        except Exception as error:
            raise SdtuiError(
                f"the model failed: {error}", where=printable(self._path), remedy="Try a smaller --batch-size"
            ) from error
        return found


def _runtime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError(
            "ONNX Runtime is not installed",
            remedy="pip install 'sdtui[tagging]', or onnxruntime-gpu for NVIDIA GPUs",
        ) from error
    return onnxruntime


def _device(runtime: Any, where: Where) -> str:
    has_cuda = _PROVIDERS["cuda"] in runtime.get_available_providers()
    if where.device == "cuda" and not has_cuda:
        raise UserError(
            "the installed ONNX Runtime knows no GPU",
            where="--device cuda",
            remedy="pip install onnxruntime-gpu in place of onnxruntime",
        )
    if not has_cuda or where.device == "cpu":
        return "cpu"
    if hasattr(runtime, "preload_dlls"):
        # Finds the CUDA libraries that PyTorch brought along.
        runtime.preload_dlls()
    return "cuda"
