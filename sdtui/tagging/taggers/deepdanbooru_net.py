"""DeepDanbooru's residual network (resnet_custom_v3), with the layers' names in TorchDeepDanbooru's files.

A 7×7 convolution, a pooling, 57 bottleneck blocks in six stages, a 1×1 convolution to the tags, the mean over what is left of
the image, a sigmoid. The files number all 179 convolutions through, `n_Conv_0` to `n_Conv_178`, in the order in which the
exporter met them.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

TAGS = 9176


class Stage(NamedTuple):
    """Blocks of one width: the first of them changes width and, mostly, size, so its input passes a convolution, too.

    `late`: whether that convolution is numbered behind the block's own three rather than before them.
    """

    blocks: int
    inner: int
    width: int
    stride: int
    late: bool = False


STAGES = (
    Stage(3, 64, 256, 1),
    Stage(8, 128, 512, 2),
    Stage(20, 256, 1024, 2),
    Stage(20, 256, 1024, 2, late=True),
    Stage(3, 512, 2048, 2),
    Stage(3, 1024, 4096, 2),
)


class DeepDanbooru(nn.Module):
    """The network; `stages` and `tags` are smaller only in tests."""

    def __init__(self, stages: tuple[Stage, ...] = STAGES, tags: int = TAGS) -> None:
        super().__init__()
        self._count = 0
        self._blocks: list[tuple[list[str], str | None]] = []
        self._add(3, 64, 7, 2)
        before = 64
        for stage in stages:
            for number in range(stage.blocks):
                self._add_block(before, stage, first=number == 0)
                before = stage.width
        self._last = self._add(before, tags, 1, 1, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Scores (batch, tags) of images (batch, height, width, 3), RGB 0 to 1."""
        features = images.permute(0, 3, 1, 2)
        # As TensorFlow pads where sizes are even: the extra row and column at the end.
        features = self._conv("n_Conv_0", functional.pad(features, (2, 3, 2, 3))).relu()
        features = functional.max_pool2d(functional.pad(features, (0, 1, 0, 1), value=float("-inf")), 3, 2)
        for names, shortcut in self._blocks:
            features = self._block(features, names, shortcut)
        return self._conv(self._last, features).mean(dim=(2, 3)).sigmoid()

    def _block(self, features: Tensor, names: list[str], shortcut: str | None) -> Tensor:
        kept = features if shortcut is None else self._conv(shortcut, features)
        reduce, middle, widen = names
        inner = self._conv(reduce, features).relu()
        strided = self.get_submodule(middle).stride != (1, 1)
        inner = self._conv(middle, functional.pad(inner, (0, 1, 0, 1) if strided else (1, 1, 1, 1))).relu()
        return (self._conv(widen, inner) + kept).relu()

    def _conv(self, name: str, features: Tensor) -> Tensor:
        result: Tensor = self.get_submodule(name)(features)
        return result

    def _add_block(self, before: int, stage: Stage, *, first: bool) -> None:
        stride = stage.stride if first else 1
        early = self._add(before, stage.width, 1, stride) if first and not stage.late else None
        names = [
            self._add(before, stage.inner, 1, 1),
            self._add(stage.inner, stage.inner, 3, stride),
            self._add(stage.inner, stage.width, 1, 1),
        ]
        late = self._add(before, stage.width, 1, stride) if first and stage.late else None
        self._blocks.append((names, early or late))

    def _add(self, before: int, after: int, kernel: int, stride: int, *, bias: bool = True) -> str:
        name = f"n_Conv_{self._count}"
        self.add_module(name, nn.Conv2d(before, after, kernel, stride, bias=bias))
        self._count += 1
        return name


def empty(stages: tuple[Stage, ...] = STAGES, tags: int = TAGS) -> DeepDanbooru:
    """The network without memory for its weights, to be given them by `load_state_dict(…, assign=True)`."""
    with torch.device("meta"):
        return DeepDanbooru(stages, tags)
