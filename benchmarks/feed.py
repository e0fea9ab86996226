"""The inputs of a run's steps, worked out beforehand for loops that have no data of their own: the same draws, so the same losses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor

from sdtui.dataset.image import open_rgb
from sdtui.profile.load import load_frozen
from sdtui.training import objective, prepare
from sdtui.training.conditioning import reading_of
from sdtui.training.methods import METHODS
from sdtui.training.noising import draw_noise
from sdtui.training.pixels import as_input
from sdtui.training.randomness import Source
from sdtui.training.report import Aside

if TYPE_CHECKING:
    from sdtui.models.stable_diffusion import StableDiffusion
    from sdtui.profile.schema import Profile
    from sdtui.runs.layout import RunFolder


@dataclass(frozen=True)
class Given:
    """What one step is given, whoever takes it."""

    latents: Tensor  # (B, 4, h, w), sampled and scaled
    latent_noise: Tensor  # (B, 4, h, w): what they were sampled with
    noise: Tensor  # (B, 4, h, w)
    timesteps: Tensor  # (B,)
    states: Tensor  # (B, 77, D): of the frozen text encoder
    token_ids: Tensor  # (B, 77)
    pixels: Tensor  # (B, 3, H, W) in [-1, 1]


@dataclass(frozen=True)
class Feed:
    """A run's model as it was before anything was put into it, what its LoRA starts from, and what its steps are given."""

    profile: Profile
    model: StableDiffusion
    start: Mapping[str, Tensor]  # "<path>.down" of each adapted layer of the UNet
    given: list[Given]


def feed(run: RunFolder, copy: Any, steps: int) -> Feed:
    """That of the first steps of `run`; `copy` makes a UNet with the same frozen weights, into which a LoRA can be put."""
    profile = load_frozen(run.profile_file)
    report = Aside(run)
    model = cast("StableDiffusion", prepare.load(profile, torch.device("cpu"), report))
    unet, model.unet = model.unet, copy(model.unet)
    adapters = METHODS["lora"].prepare(model, profile.method, profile.training.seed)
    start = {name.removeprefix("unet."): each for name, each in adapters.state().items() if name.endswith(".down")}
    model.unet = unet
    return Feed(profile, model, start, list(_given(profile, model, report, steps)))


@torch.no_grad()
def _given(profile: Profile, model: StableDiffusion, report: Aside, steps: int) -> Iterator[Given]:
    def check() -> None:
        """Nothing interrupts a benchmark."""

    cache = prepare.open_cache(profile, prepare.gather(profile, check), model, report, check)
    data = prepare.cache_images(profile, cache, model, report, check)
    captions = prepare.make_captions(profile, data.samples, data.order)
    _, tokenizer = model.encoders[0]
    for step in range(steps):
        (batch,) = data.order.at(step)
        source = Source(profile.training.seed, step, range(len(batch)))
        shown = [data.latents.at(sample, flip=False, variant=0) for sample in batch]
        means, stds = torch.stack([one.mean for one in shown]), torch.stack([one.std for one in shown])
        latent_noise = source.normal(means.shape[1:], "latent")
        latents = objective.sample_latents(means, stds, latent_noise)
        texts = captions.at(step, 0, batch)
        images = [open_rgb(data.samples[sample].path, profile.dataset.background) for sample in batch]
        yield Given(
            latents,
            latent_noise,
            draw_noise(profile.objective, source, latents).target,
            source.integers(0, len(model.alphas_cumprod), "timestep"),
            model.encode_text(texts, reading_of(profile.captions)).states,
            tokenizer(texts, padding="max_length", max_length=77, return_tensors="pt").input_ids,
            torch.cat([as_input(torch.from_numpy(np.array(image))) for image in images]),
        )
