"""DeepDanbooru in PyTorch, from the file that A1111 uses: `model-resnet_custom_v3.pt`, a state dict with a list `tags` in it.

Images are prepared as A1111 does: scaled to fit 512 × 512, the rest filled by repeating the edges, RGB 0 to 1.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Resampling

from sdtui.dataset.names import printable
from sdtui.errors import UserError
from sdtui.tagging.scores import TaggerFacts
from sdtui.tagging.tag_list import TagList
from sdtui.tagging.taggers.base import Pixels, Where, file_digest, torch_device
from sdtui.tagging.taggers.deepdanbooru_net import STAGES, DeepDanbooru, Stage, empty
from sdtui.tagging.taggers.pixels import within_square

SIDE = 512
_UNREADABLE = (
    OSError, RuntimeError, EOFError, ValueError, LookupError, TypeError, AttributeError, pickle.UnpicklingError, struct.error,
)  # fmt: skip
_HOW = f"Lanczos into {SIDE} × {SIDE}, edges repeated, RGB 0–1 (A1111)"


class DeepDanbooruTagger:
    """DeepDanbooru; in half precision on a GPU, as in A1111."""

    fixed_batch: int | None = None

    def __init__(self, path: Path, name: str, where: Where, stages: tuple[Stage, ...] = STAGES) -> None:
        """Load it; raises UserError where the file is damaged, of another network, or would run something."""
        self.device = torch_device(where)
        tags, self._net = load(path, stages)
        self._dtype = torch.float16 if self.device == "cuda" else torch.float32
        self._net.to(self.device, self._dtype).eval()
        self.facts = TaggerFacts(name, file_digest(path), _HOW, tags)

    def prepare(self, image: Image.Image) -> Pixels:
        """As `Tagger.prepare`: (512, 512, 3) RGB 0–1."""
        return within_square(image, SIDE, Resampling.LANCZOS)

    @torch.inference_mode()
    def scores(self, batch: Pixels) -> NDArray[np.float32]:
        """As `Tagger.scores`."""
        images = torch.from_numpy(batch).to(self.device, self._dtype)
        found: NDArray[np.float32] = self._net(images).float().cpu().numpy()
        return found


def load(path: Path, stages: tuple[Stage, ...] = STAGES) -> tuple[TagList, DeepDanbooru]:
    """The tags and the network of a file; nothing in it is run.

    Raises:
        UserError: as told.
    """
    found = _read(path)
    names = found.get("tags")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UserError("no list of tags in the file", where=printable(path), remedy="Use TorchDeepDanbooru's own file")
    net = empty(stages, len(names))
    _require_same(path, {name: value for name, value in found.items() if name != "tags"}, net)
    # The published file holds half floats.
    net.load_state_dict({name: found[name].float() for name in net.state_dict()}, assign=True)
    return TagList.plain(names), net


def _read(path: Path) -> Mapping[str, Any]:
    try:
        # Tensors, numbers, words and lists only: anything else in the pickle ends the reading.
        found = torch.load(path, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        # What PyTorch says of a pickle is how to run the code in it.
        plain = str(error).splitlines() if isinstance(error, OSError) else []
        raise UserError(
            f"cannot read the model: {plain[0] if plain else 'no PyTorch file of tensors and lists alone'}",
            where=printable(path),
            remedy="Use TorchDeepDanbooru's model-resnet_custom_v3.pt",
        ) from error
    if not isinstance(found, Mapping):
        raise UserError("the file holds no state dict", where=printable(path))
    return found


def _require_same(path: Path, found: Mapping[str, Any], net: DeepDanbooru) -> None:
    """Raises UserError unless the tensors are the network's, by name and shape."""
    wanted = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    given = {name: tuple(getattr(value, "shape", ())) for name, value in found.items()}
    if wrong := next((name for name in (*wanted, *given) if wanted.get(name) != given.get(name)), None):
        raise UserError(
            f"not DeepDanbooru's network: {wrong} is {given.get(wrong, 'missing')}, wanted {wanted.get(wrong, 'nothing')}",
            where=printable(path),
            remedy="Use TorchDeepDanbooru's model-resnet_custom_v3.pt",
        )
