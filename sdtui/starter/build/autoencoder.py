"""Stage `vae`: the autoencoder that turns 64×64 pixels into 4×8×8 latents and back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL
from torch.nn import functional

from sdtui.starter.build import pacing
from sdtui.starter.build.artwork import Artwork, as_float, load

BATCH = 16
PEAK_RATE = 2e-3
SEED = 3
KL_WEIGHT = 3e-4
SAVE_EVERY_SECONDS = 120.0


def make_autoencoder() -> Any:
    """A randomly initialised AutoencoderKL of 1.7 M parameters, factor 8, 4 latent channels."""
    torch.manual_seed(SEED)
    return AutoencoderKL(
        block_out_channels=(16, 32, 64, 96),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
        sample_size=64,
    )


def train(work: Path, minutes: float, steps: int = 0) -> None:
    """Train until the budget is spent, then write `<work>/vae` with the latents' scale; resumes `<work>/vae.pt`."""
    art = load(work)
    device = pacing.device()
    vae = make_autoencoder().to(device)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=PEAK_RATE, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    pace = pacing.Pace(minutes, steps)
    state = work / "vae.pt"
    if state.exists():
        stored = torch.load(state, weights_only=True)
        vae.load_state_dict(stored["model"])
        optimizer.load_state_dict(stored["optimizer"])
        pace.load(stored["pace"])

    def keep() -> None:
        pacing.save(state, {"model": vae.state_dict(), "optimizer": optimizer.state_dict(), "pace": pace.state()})

    rows = art.rows(lambda concept, _style: not concept.held_out)
    saved = time.monotonic()
    while pace.tick():
        pixels = _batch(art, rows, pace.step).to(device)
        loss = _loss(vae, pixels)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        pacing.set_learning_rate(optimizer, pace.learning_rate(PEAK_RATE))
        optimizer.step()
        if time.monotonic() - saved > SAVE_EVERY_SECONDS:
            saved = time.monotonic()
            keep()
            print(
                f"vae {pace.done:.1%} step {pace.step} loss {loss.item():.4f} psnr {held_out_psnr(vae, art):.2f} dB",
                flush=True,
            )
    keep()
    vae.register_to_config(scaling_factor=latent_scale(vae, art))
    vae.save_pretrained(work / "vae")
    print(f"vae: {pace.step} steps, held-out PSNR {held_out_psnr(vae, art):.2f} dB", flush=True)


def _batch(art: Artwork, rows: torch.Tensor, step: int) -> torch.Tensor:
    chance = torch.Generator().manual_seed(SEED * 1_000_003 + step)
    picked = rows[torch.randint(len(rows), (BATCH,), generator=chance)]
    pixels = as_float(art.pixels[picked])
    return pixels.flip(-1) if torch.rand((), generator=chance) < 0.5 else pixels  # (B, 3, 64, 64)


def _loss(vae: Any, pixels: torch.Tensor) -> torch.Tensor:
    """Pixel error plus error of the differences between neighbours (edges), plus a tiny pull of latents to N(0, 1)."""
    with torch.autocast(pixels.device.type, torch.bfloat16):
        posterior = vae.encode(pixels).latent_dist
        decoded = vae.decode(posterior.sample()).sample
    error = decoded.float() - pixels  # (B, 3, 64, 64)
    edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    mean, log_variance = posterior.mean.float(), posterior.logvar.float()
    divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
    loss: torch.Tensor = error.abs().mean() + 3 * error.square().mean() + 0.5 * edges + KL_WEIGHT * divergence
    return loss


@torch.no_grad()
def held_out_psnr(vae: Any, art: Artwork) -> float:
    """Mean over pictures of 10·log10(peak² / MSE) in dB, of emoji the autoencoder never saw; peak is 2 on −1…1."""
    pixels = as_float(art.pixels[art.rows(lambda concept, _style: concept.held_out)]).to(vae.device)
    decoded = torch.cat([vae(part).sample.clamp(-1, 1) for part in torch.split(pixels, 64)])
    mse = functional.mse_loss(decoded, pixels, reduction="none").mean(dim=(1, 2, 3))
    return float((10 * torch.log10(4 / mse)).mean())


@torch.no_grad()
def encode(vae: Any, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of the latents, unscaled: two (N, 4, 8, 8)."""
    posteriors = [vae.encode(as_float(part).to(vae.device)).latent_dist for part in torch.split(pixels, 64)]
    return torch.cat([p.mean.cpu() for p in posteriors]), torch.cat([p.std.cpu() for p in posteriors])


def latent_scale(vae: Any, art: Artwork) -> float:
    """The factor that gives the base model's latents a standard deviation of 1."""
    mean, std = encode(vae, art.pixels[art.rows(lambda concept, _style: concept.known)])
    return float(1 / (mean.var() + std.square().mean()).sqrt())
