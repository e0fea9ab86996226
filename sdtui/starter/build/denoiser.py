"""Stage `unet`: the UNet and its text encoder, learned together from cached latents."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from sdtui.models import clip_tokenizer
from sdtui.starter.build import autoencoder, pacing
from sdtui.starter.build.artwork import BASE_STYLES, STYLES, Artwork, load
from sdtui.starter.build.captions import phrase
from sdtui.training import objective

PICTURES = 16  # captions in a step
DRAWS = 2  # noise draws for each: the text encoder costs a quarter of a step, so each of its outputs is used twice
PEAK_RATE = 1e-3
MIN_SNR_GAMMA = 5.0
SEED = 5
SAVE_EVERY_SECONDS = 180.0
WIDTH = 128


@dataclass
class BaseModel:
    """The parts that learn, the tokenizer, and the noise schedule."""

    unet: Any
    text_encoder: Any
    tokenizer: Any
    scheduler: Any

    def encode_text(self, prompts: Sequence[str]) -> Tensor:
        """Conditioning (B, 77, 128)."""
        tokens = self.tokenizer(
            list(prompts), padding="max_length", max_length=77, truncation=True, return_tensors="pt"
        ).input_ids
        state: Tensor = self.text_encoder(tokens.to(self.unet.device)).last_hidden_state
        return state

    def parts(self) -> Iterator[Any]:
        """What has weights."""
        yield self.unet
        yield self.text_encoder

    def groups(self) -> list[dict[str, Any]]:
        """Parameters for AdamW; embedding rows that no caption uses must not decay."""
        named = [item for part in self.parts() for item in part.named_parameters()]
        return [
            {"params": [p for name, p in named if "embedding" not in name], "weight_decay": 0.01},
            {"params": [p for name, p in named if "embedding" in name], "weight_decay": 0.0},
        ]


def make_base_model() -> BaseModel:
    """SD 1.x's layout, narrow: four levels, two layers each, cross-attention everywhere but at the lowest."""
    torch.manual_seed(SEED)
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(64, 96, 128, 128),
        layers_per_block=2,
        cross_attention_dim=WIDTH,
        attention_head_dim=4,
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
    )
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=49408,
            hidden_size=WIDTH,
            intermediate_size=4 * WIDTH,
            projection_dim=WIDTH,
            num_hidden_layers=3,
            num_attention_heads=4,
            bos_token_id=49406,
            eos_token_id=49407,
            pad_token_id=49407,
        )
    )
    tokenizer = CLIPTokenizer.from_pretrained(Path(clip_tokenizer.__file__).parent)
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
    return BaseModel(unet, text_encoder, tokenizer, scheduler)


def train(work: Path, minutes: float, steps: int = 0) -> None:
    """Train until the budget is spent; `<work>/unet.pt` is both the result and where a killed stage goes on."""
    art = load(work)
    device = pacing.device()
    model = make_base_model()
    for part in model.parts():
        part.to(device).train()
    optimizer = torch.optim.AdamW(model.groups(), lr=PEAK_RATE, betas=(0.9, 0.99), fused=True)
    pace = pacing.Pace(minutes, steps)
    state = work / "unet.pt"
    if state.exists():
        restore(model, state, optimizer, pace)
    latents = known_latents(work, art)
    alpha_bar = model.scheduler.alphas_cumprod
    saved, losses = time.monotonic(), []
    while pace.tick():
        loss = _loss(model, art, latents, alpha_bar, pace.step)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        for part in model.parts():
            torch.nn.utils.clip_grad_norm_(part.parameters(), 1.0)
        pacing.set_learning_rate(optimizer, pace.learning_rate(PEAK_RATE))
        optimizer.step()
        losses.append(loss.detach())
        if time.monotonic() - saved > SAVE_EVERY_SECONDS:
            keep(model, state, optimizer, pace)
            mean = torch.stack(losses).mean().item()
            hits = quick_hits(model, art, latents)
            print(f"unet {pace.done:.1%} step {pace.step} loss {mean:.4f} top-5 {hits:.0%}", flush=True)
            saved, losses = time.monotonic(), []
    keep(model, state, optimizer, pace)
    print(f"unet: {pace.step} steps, {pace.step * PICTURES * DRAWS} samples", flush=True)


def keep(model: BaseModel, path: Path, optimizer: torch.optim.Optimizer, pace: pacing.Pace) -> None:
    """Write everything a resumed stage needs."""
    weights = {"unet": model.unet.state_dict(), "text_encoder": model.text_encoder.state_dict()}
    pacing.save(path, {**weights, "optimizer": optimizer.state_dict(), "pace": pace.state()})


def restore(
    model: BaseModel, path: Path, optimizer: torch.optim.Optimizer | None = None, pace: pacing.Pace | None = None
) -> None:
    """Load what `keep` wrote."""
    stored = torch.load(path, weights_only=True, map_location="cpu")
    model.unet.load_state_dict(stored["unet"])
    model.text_encoder.load_state_dict(stored["text_encoder"])
    if optimizer:
        optimizer.load_state_dict(stored["optimizer"])
    if pace:
        pace.load(stored["pace"])


@dataclass(frozen=True)
class KnownLatents:
    """Scaled latents of every picture the base model learns: mean and std (N, 4, 8, 8), and their rows in the artwork."""

    mean: Tensor
    std: Tensor
    rows: Tensor


def known_latents(work: Path, art: Artwork) -> KnownLatents:
    """Encode the known emoji in the base styles with the trained autoencoder."""
    vae = AutoencoderKL.from_pretrained(work / "vae")
    rows = art.rows(lambda concept, style: concept.known and style in BASE_STYLES)
    mean, std = autoencoder.encode(vae, art.pixels[rows])
    scale = vae.config.scaling_factor
    return KnownLatents(mean * scale, std * scale, rows)


def _loss(model: BaseModel, art: Artwork, latents: KnownLatents, alpha_bar: Tensor, step: int) -> Tensor:
    chance = torch.Generator().manual_seed(SEED * 1_000_003 + step)
    picked = torch.randint(len(latents.rows), (PICTURES,), generator=chance)
    wording = random.Random(SEED * 1_000_003 + step)
    captions = [
        phrase(art.concepts[int(art.concept[row])], STYLES[int(art.style[row])], wording)
        for row in latents.rows[picked].tolist()
    ]
    each = picked.repeat(DRAWS)
    shape = (len(each), 4, 8, 8)
    clean = objective.sample_latents(latents.mean[each], latents.std[each], torch.randn(shape, generator=chance))
    noise = torch.randn(shape, generator=chance)
    timesteps = _spread_timesteps(len(each), chance)
    at = alpha_bar[timesteps]
    noisy = objective.add_noise(clean, noise, at)
    device = model.unet.device
    conditioning = model.encode_text(captions).repeat(DRAWS, 1, 1)
    predicted = model.unet(noisy.to(device), timesteps.to(device), conditioning).sample
    weights = objective.min_snr_weights(at, MIN_SNR_GAMMA, "epsilon").to(device)
    return objective.loss((predicted - noise.to(device)).square(), weights).mean()


def _spread_timesteps(count: int, chance: torch.Generator) -> Tensor:
    """One timestep from each of `count` equal stretches of 0…999, shuffled: less noise in the loss than free draws."""
    spread = (torch.arange(count) + torch.rand(count, generator=chance)) * (1000 / count)
    return spread[torch.randperm(count, generator=chance)].long().clamp(max=999)


@torch.no_grad()
def quick_hits(model: BaseModel, art: Artwork, latents: KnownLatents, count: int = 36) -> float:
    """Prompt following on a few fixed prompts, on latents alone; the report measures it properly."""
    from sdtui.starter.build import measure

    picked = torch.linspace(0, len(latents.rows) - 1, count).long()
    return measure.share_in_top_5(measure.draw_known(model, art, latents, picked, guidance=4.0), latents, art, picked)
