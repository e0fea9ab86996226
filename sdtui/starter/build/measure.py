"""How well the starter follows prompts and styles: drawing many prompts at once, and finding what was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sdtui.starter.build.artwork import STYLES, Artwork
from sdtui.starter.build.captions import prompt

if TYPE_CHECKING:
    from sdtui.starter.build.denoiser import BaseModel, KnownLatents

STEPS = 20
BATCH = 64


@torch.no_grad()
def draw(model: BaseModel, prompts: Sequence[str], seeds: Sequence[int], guidance: float, steps: int = STEPS) -> Tensor:
    """Scaled latents (N, 4, 8, 8) of the prompts, each from its own seed, by DDIM with classifier-free guidance."""
    noise = torch.stack([torch.randn(4, 8, 8, generator=torch.Generator().manual_seed(seed)) for seed in seeds])
    drawn = []
    for part, start in zip(_parts(prompts), torch.split(noise, BATCH), strict=True):
        conditioning = torch.cat([model.encode_text([""] * len(part)), model.encode_text(part)])
        latents = start.to(model.unet.device)
        model.scheduler.set_timesteps(steps)
        for timestep in model.scheduler.timesteps:
            empty, worded = model.unet(torch.cat([latents] * 2), timestep, conditioning).sample.chunk(2)
            latents = model.scheduler.step(empty + guidance * (worded - empty), timestep, latents).prev_sample
        drawn.append(latents.cpu())
    return torch.cat(drawn)


def draw_known(model: BaseModel, art: Artwork, latents: KnownLatents, picked: Tensor, guidance: float) -> Tensor:
    """Latents drawn for the prompts of the pictures at positions `picked` of `latents`."""
    rows = latents.rows[picked].tolist()
    prompts = [prompt(art.concepts[int(art.concept[row])].name, STYLES[int(art.style[row])]) for row in rows]
    return draw(model, prompts, range(len(prompts)), guidance)


def share_in_top_5(drawn: Tensor, latents: KnownLatents, art: Artwork, picked: Tensor) -> float:
    """Share of `drawn` (N, 4, 8, 8) whose wanted picture is among the 5 nearest learned pictures of the same style."""
    style = art.style[latents.rows]
    distance = torch.cdist(drawn.flatten(1), latents.mean.flatten(1))  # (N, pictures)
    distance[style[picked][:, None] != style[None, :]] = torch.inf
    nearest = distance.topk(5, largest=False).indices
    return float((nearest == picked[:, None]).any(dim=1).float().mean())


def _parts(prompts: Sequence[str]) -> list[list[str]]:
    return [list(prompts[start : start + BATCH]) for start in range(0, len(prompts), BATCH)]
