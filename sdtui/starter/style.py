"""A small classifier of emoji styles, which says whether an image has the demo's style: the demo's measured score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

STYLES = ("flat", "3d", "noto", "linocut")
SIZE = 64
WEIGHTS = Path(__file__).with_name("style.safetensors")


class MeanAndPeak(nn.Module):
    """Mean and largest value of each channel, side by side: a style is told by its surfaces and by single edges."""

    def forward(self, features: Tensor) -> Tensor:
        """Features (B, C, h, w) to (B, 2·C)."""
        return torch.cat([features.mean(dim=(2, 3)), features.amax(dim=(2, 3))], dim=1)


def make_classifier() -> nn.Sequential:
    """Six small convolutions: pixels (B, 3, 64, 64) in −1…1 to logits (B, 4) over STYLES; 168 thousand parameters."""
    layers: list[nn.Module] = []
    for inputs, outputs, stride in ((3, 24, 2), (24, 32, 1), (32, 64, 2), (64, 64, 1), (64, 80, 2), (80, 80, 1)):
        convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(outputs), nn.SiLU()]
    return nn.Sequential(*layers, MeanAndPeak(), nn.Dropout(0.1), nn.Linear(160, len(STYLES)))


def load_classifier() -> nn.Sequential:
    """The shipped classifier."""
    classifier = make_classifier()
    classifier.load_state_dict(load_file(WEIGHTS))
    return classifier.eval()


@torch.no_grad()
def styles_of(classifier: nn.Module, pixels: Tensor) -> list[str]:
    """The likeliest style of each of `pixels` (B, 3, 64, 64) in −1…1."""
    return [STYLES[index] for index in classifier(pixels).argmax(dim=1).tolist()]


def styles_in(images: Sequence[Path]) -> list[str]:
    """The likeliest style of each image file, by the shipped classifier."""
    return styles_of(load_classifier(), torch.stack([_read(path) for path in images]))


def _read(path: Path) -> Tensor:
    import numpy as np

    with Image.open(path) as image:
        small = image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.asarray(small).copy()).permute(2, 0, 1).float() / 127.5 - 1  # (3, 64, 64)
