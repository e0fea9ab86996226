"""Stage `classifier`: learn the four styles from the real pictures and from what the autoencoder makes of them."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from sdtui.starter.build import pacing
from sdtui.starter.build.artwork import STYLES, Artwork, as_float, load
from sdtui.starter.style import WEIGHTS, make_classifier

STEPS = 8000
# In a batch, each in all four styles: what differs within a batch is then the style. Of some the real pictures, of more
# what the autoencoder makes of them: that is harder to tell, and what the base model's pictures look like.
REAL_EMOJI, DECODED_EMOJI = 4, 12
PEAK_RATE = 3e-3
SMOOTHING = 0.05
SEED = 7
# More than the autoencoder's 32: styles differ by little in some emoji, and 32 would measure to ±4 %.
UNSEEN_EVERY = 8


def train(work: Path, target: Path = WEIGHTS, steps: int = STEPS) -> float:
    """Train, write `target`, and return the share of pictures of unseen emoji (real and decoded) put in their style."""
    art = load(work)
    vae = AutoencoderKL.from_pretrained(work / "vae")
    decoded = _decoded(vae, art.pixels)
    torch.manual_seed(SEED)
    classifier = make_classifier()
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=PEAK_RATE, weight_decay=0.05)
    unseen = torch.isin(art.concept, _unseen(art))
    rows = torch.nonzero(~unseen)[:, 0].view(-1, len(STYLES))  # an emoji's styles lie side by side
    pace = pacing.Pace(minutes=0, steps=steps)
    while pace.tick():
        real, made = (rows[torch.randint(len(rows), (count,))].flatten() for count in (REAL_EMOJI, DECODED_EMOJI))
        pixels = _moved(torch.cat([as_float(art.pixels[real]), decoded[made]]))
        wanted = art.style[torch.cat([real, made])]
        with torch.autocast("cpu", torch.bfloat16):
            logits = classifier(pixels.contiguous(memory_format=torch.channels_last))
        loss = functional.cross_entropy(logits.float(), wanted, label_smoothing=SMOOTHING)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        pacing.set_learning_rate(optimizer, pace.learning_rate(PEAK_RATE))
        optimizer.step()
        if pace.step % 1000 == 0:
            print(f"classifier {pace.done:.0%} loss {loss.item():.3f}", flush=True)
    # Parameters in fp16: half the bytes, and no verdict hangs on the last digits.
    halves = {name: value.half() if value.is_floating_point() else value for name, value in _plain(classifier)}
    save_file(halves, target)
    return _accuracy(classifier.eval(), art, decoded, torch.nonzero(unseen)[:, 0])


def _moved(pixels: Tensor) -> Tensor:
    """Each picture mirrored or not and shifted by up to 3 whole pixels: resampling would blur what tells styles apart."""
    count, along = len(pixels), torch.arange(pixels.shape[-1])
    mirrored = torch.where(torch.rand(count, 1, 1, 1) < 0.5, pixels.flip(-1), pixels)
    bordered = functional.pad(mirrored, (3, 3, 3, 3), value=1.0)
    down, across = (along + torch.randint(0, 7, (2, count, 1))).unbind()  # two (B, 64)
    picture = torch.arange(count)[:, None, None]
    return bordered.permute(0, 2, 3, 1)[picture, down[:, :, None], across[:, None, :]].permute(0, 3, 1, 2)


def _unseen(art: Artwork) -> Tensor:
    """Numbers of the concepts that the classifier is measured on; the base model draws none of them."""
    return torch.tensor(
        [
            number
            for number, concept in enumerate(art.concepts)
            if concept.held_out or (not concept.known and number % UNSEEN_EVERY == 0)
        ]
    )


def _plain(classifier: nn.Module) -> list[tuple[str, Tensor]]:
    return [(name, value.contiguous()) for name, value in classifier.state_dict().items()]


@torch.no_grad()
def _decoded(vae: AutoencoderKL, pixels: Tensor) -> Tensor:
    return torch.cat([vae(as_float(part)).sample.clamp(-1, 1) for part in torch.split(pixels, 64)])  # (N, 3, 64, 64)


@torch.no_grad()
def _accuracy(classifier: nn.Module, art: Artwork, decoded: Tensor, rows: Tensor) -> float:
    found = torch.cat([classifier(as_float(art.pixels[rows])), classifier(decoded[rows])]).argmax(dim=1)
    return float((found == art.style[rows].repeat(2)).float().mean())
