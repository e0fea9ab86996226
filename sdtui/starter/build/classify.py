"""Stage `classifier`: learn the four styles from the real pictures and from what the autoencoder makes of them."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from sdtui.starter.build import pacing
from sdtui.starter.build.artwork import Artwork, as_float, load
from sdtui.starter.style import WEIGHTS, make_classifier

STEPS = 3000
BATCH = 32
PEAK_RATE = 3e-3
SEED = 7


def train(work: Path, target: Path = WEIGHTS, steps: int = STEPS) -> float:
    """Train, write `target`, and return the share of held-out pictures (real and decoded) put in their style."""
    art = load(work)
    vae = AutoencoderKL.from_pretrained(work / "vae")
    decoded = _decoded(vae, art.pixels)
    torch.manual_seed(SEED)
    classifier = make_classifier()
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=PEAK_RATE)
    rows = art.rows(lambda concept, _style: not concept.held_out)
    pace = pacing.Pace(minutes=0, steps=steps)
    while pace.tick():
        picked = rows[torch.randint(len(rows), (BATCH,))]
        pixels = _varied(torch.cat([as_float(art.pixels[picked]), decoded[picked]]))
        loss = functional.cross_entropy(classifier(pixels), art.style[picked].repeat(2))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        pacing.set_learning_rate(optimizer, pace.learning_rate(PEAK_RATE))
        optimizer.step()
    save_file({name: value.contiguous() for name, value in classifier.state_dict().items()}, target)
    return _accuracy(classifier, art, decoded)


@torch.no_grad()
def _decoded(vae: AutoencoderKL, pixels: Tensor) -> Tensor:
    return torch.cat([vae(as_float(part)).sample.clamp(-1, 1) for part in torch.split(pixels, 64)])  # (N, 3, 64, 64)


def _varied(pixels: Tensor) -> Tensor:
    """Shifted by up to 4 pixels on white and mirrored, so that placement says nothing about style."""
    across, down = torch.randint(-4, 5, (2,)).tolist()
    shifted = functional.pad(pixels, (4 + across, 4 - across, 4 + down, 4 - down), value=1.0)[:, :, 4:-4, 4:-4]
    return shifted.flip(-1) if torch.rand(()) < 0.5 else shifted


@torch.no_grad()
def _accuracy(classifier: nn.Module, art: Artwork, decoded: Tensor) -> float:
    rows = art.rows(lambda concept, _style: concept.held_out)
    found = torch.cat([classifier(as_float(art.pixels[rows])), classifier(decoded[rows])]).argmax(dim=1)
    return float((found == art.style[rows].repeat(2)).float().mean())
