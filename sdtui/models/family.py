"""What a family of base models offers to training and sampling, and how the family of a folder is found."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

import torch
from torch import Tensor, nn

from sdtui.models import FAMILIES
from sdtui.models.folder import read_index
from sdtui.models.layout import unknown_family


@dataclass(frozen=True, slots=True)
class Reading:
    """How a text is read.

    Args:
        clip_skip: which layer of the text encoder is taken, counted from the last.
        max_tokens: how long a text may be, in tokens: 75 for each time that the text encoder reads.
        weighted: whether brackets such as `(word:1.2)` weigh a text's parts.
    """

    clip_skip: int = 1
    max_tokens: int = 75
    weighted: bool = False


PLAINLY = Reading()


class LatentDistribution(NamedTuple):
    """What the VAE says about images: latents are drawn as `mean + std · ε`, both (B, 4, h, w) and already scaled."""

    mean: Tensor
    std: Tensor


class Model(Protocol):
    """A loaded base model. Modules are frozen and in evaluation mode; a method adds what is trained to them."""

    family: str
    name: str
    architecture: str
    device: torch.device
    dtype: torch.dtype
    unet: nn.Module
    vae: nn.Module
    text_encoder: nn.Module
    tokenizer: Any
    scheduler_config: dict[str, Any]
    prediction_type: str
    alphas_cumprod: Tensor
    latent_factor: int

    @property
    def kohya_base(self) -> str:
        """What `ss_base_model_version` calls the model."""

    @property
    def vae_digest(self) -> str:
        """Hex digest of the VAE's weights and settings: cached latents are valid for it alone."""

    @property
    def text_encoder_digest(self) -> str:
        """Hex digest of text encoder and vocabulary: cached conditioning is valid for it alone."""

    def encode_text(self, prompts: Sequence[str], reading: Reading = PLAINLY) -> Tensor:
        """Conditioning (B, max_tokens + 2, D) in fp32; keeps the graph unless the caller turned gradients off."""

    def encode_images(self, pixels: Tensor) -> LatentDistribution:
        """The latent distribution of `pixels` (B, 3, H, W) in [-1, 1]."""

    def decode_latents(self, latents: Tensor) -> Tensor:
        """Pixels (B, 3, H, W) in [-1, 1] of scaled latents (B, 4, h, w)."""

    def predict(self, noisy: Tensor, timesteps: Tensor, conditioning: Tensor) -> Tensor:
        """What the UNet says of noisy latents (B, 4, h, w) at integer timesteps (B,): ε or v by `prediction_type`."""

    def checkpoint_gradients(self) -> None:
        """Trade time for memory: recompute activations in the backward pass."""


class Family(Protocol):
    """A module of `sdtui.models` that loads one family."""

    def recognises(self, base: Path, index: dict[str, Any]) -> bool:
        """Whether the pipeline folder `base` with this `model_index.json` is of the family."""

    def load(self, base: Path, vae: Path | None, device: torch.device, dtype: torch.dtype) -> Model:
        """Load it; raises UserError when a part is missing, broken or of another kind."""


def family_of(base: Path) -> Family:
    """The family of the pipeline folder `base`.

    Raises:
        UserError: `base` is not a pipeline folder, or of no family that can be trained.
    """
    index = read_index(base)
    for module in FAMILIES.values():
        family = cast("Family", importlib.import_module(module))
        if family.recognises(base, index):
            return family
    raise unknown_family(base, index, list(FAMILIES))


def load_model(base: Path, vae: Path | None, device: torch.device, dtype: torch.dtype) -> Model:
    """Load the pipeline folder `base`, with the VAE of the folder `vae` in place of its own if one is given.

    `dtype` is the UNet's. Text encoder and VAE stay fp32: they run once per image and what they say is cached.
    """
    return family_of(base).load(base, vae, device, dtype)
