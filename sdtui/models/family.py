"""What a base model offers to training and sampling, whatever its family, and how one is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from sdtui.models.quantised import Storage
from sdtui.models.recognise import recognise
from sdtui.models.words import Words


@dataclass(frozen=True, slots=True)
class Reading:
    """How a text is read.

    Args:
        clip_skip: which layer of the text encoder is taken, counted from the one that the family reads.
        max_tokens: how long a text may be, in tokens: 75 for each time that the text encoder reads.
        weighted: whether brackets such as `(word:1.2)` weigh a text's parts.
    """

    clip_skip: int = 1
    max_tokens: int = 75
    weighted: bool = False


PLAINLY = Reading()

SPEAKER_DTYPE = torch.float32
"""What text encoders and VAE compute in: what they say is kept."""

LATENT_FACTOR = 8
"""How many pixels of a side become one of the latents'."""

Pair = tuple[int, int]


class LatentDistribution(NamedTuple):
    """What the VAE says about images: latents are drawn as `mean + std · ε`, both (B, 4, h, w) and already scaled."""

    mean: Tensor
    std: Tensor


class TextStates(NamedTuple):
    """What the text encoders say of texts: a state for each token (B, L, D), and of some families one for each text (B, P)."""

    states: Tensor
    pooled: Tensor | None = None

    def each(self, change: Callable[[Tensor], Tensor]) -> TextStates:
        """Both changed alike."""
        return TextStates(change(self.states), None if self.pooled is None else change(self.pooled))

    def to(self, device: torch.device) -> TextStates:
        """The same on another device."""
        return self.each(lambda part: part.to(device))


def size_rows(sizes: Iterable[tuple[Pair, Pair, Pair]]) -> Tensor:
    """(B, 6) in fp32 of original (w, h), crop (left, top) and target (w, h) in px, in the order in which SDXL reads them.

    That is height before width and top before left (Podell et al. 2023, §2.2; `time_ids` in diffusers).
    """
    rows = [[side for pair in image for side in reversed(pair)] for image in sizes]
    return torch.tensor(rows, dtype=torch.float32)


class Eyes(Protocol):
    """What latents are made by."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    @property
    def latent_factor(self) -> int:
        """How many pixels of a side become one of the latents'."""

    @property
    def vae_digest(self) -> str:
        """Hex digest of the VAE's weights and settings: cached latents are valid for it alone."""

    def encode_images(self, pixels: Tensor) -> LatentDistribution:
        """The latent distribution of `pixels` (B, 3, H, W) in [-1, 1]."""


class Model(Eyes, Protocol):
    """A loaded base model. Modules are frozen and in evaluation mode; a method adds what is trained to them."""

    name: str
    dtype: torch.dtype
    unet: nn.Module
    scheduler_config: dict[str, Any]
    prediction_type: str
    alphas_cumprod: Tensor
    assumed: str
    words: Words

    @property
    def family(self) -> str:
        """The family's name, such as "sd1"."""

    @property
    def components(self) -> dict[str, nn.Module]:
        """What can be trained, by name: "unet", "text_encoder" and, with two, "text_encoder_2"; all stay in memory."""

    @property
    def loaded(self) -> list[nn.Module]:
        """The modules that are in memory now."""

    def rest(self, what: Literal["vae", "text"]) -> None:
        """Have the VAE, or the text encoders, in memory only while they are asked from now on."""

    @property
    def architecture(self) -> str:
        """What modelspec calls the model."""

    @property
    def kohya_base(self) -> str:
        """What `ss_base_model_version` calls the model."""

    @property
    def text_encoder_digest(self) -> str:
        """Hex digest of text encoders and vocabulary: cached conditioning is valid for it alone."""

    def length(self, text: str, *, weighted: bool) -> int:
        """How many places `text` takes in the longest reading of it; where brackets weigh, they take none."""

    def encode_text(self, prompts: Sequence[str], reading: Reading = PLAINLY) -> TextStates:
        """States (B, max_tokens + 2, D) in fp32; keeps the graph unless the caller turned gradients off."""

    def decode_latents(self, latents: Tensor) -> Tensor:
        """Pixels (B, 3, H, W) in [-1, 1] of scaled latents (B, 4, h, w)."""

    def predict(self, noisy: Tensor, timesteps: Tensor, text: TextStates, sizes: Tensor | None = None) -> Tensor:
        """What the UNet says of noisy latents (B, 4, h, w) at integer timesteps (B,): ε or v by `prediction_type`.

        `sizes` (B, 6), of `size_rows`, matter to families that know the images' sizes.
        """

    def checkpoint_gradients(self) -> None:
        """Trade time for memory: recompute activations in the backward pass."""


@dataclass
class Expected:
    """The eyes of a model that is not loaded yet: what is known of its VAE by then, and the `model` once it is there."""

    device: torch.device
    vae_digest: str
    model: Model | None = None
    latent_factor: int = LATENT_FACTOR

    def encode_images(self, pixels: Tensor) -> LatentDistribution:
        """The model's answer; it must be there."""
        assert self.model is not None
        return self.model.encode_images(pixels)


def expect_model(base: Path, vae: Path | None, device: torch.device) -> Expected:
    """What `load_model` will load, as far as its files tell without importing what models are made of.

    Raises:
        UserError: the model is of no known kind, or its VAE is missing or cannot be read.
    """
    from sdtui.models.assemble import vae_digest

    return Expected(device, vae_digest(recognise(base), vae))


def load_model(
    base: Path, vae: Path | None, device: torch.device, dtype: torch.dtype, storage: Storage = "same"
) -> Model:
    """Load the folder or single file `base`, with the VAE of the folder or file `vae` in place of its own if one is given.

    `dtype` is the UNet's, and its weights are kept in `storage`. Text encoders and VAE stay fp32: they run once per image and what they say is cached. They are
    loaded when they are first asked.

    Raises:
        UserError: a part is missing, broken, or of another kind, naming the file. What is wrong with the weights of text
            encoders or VAE is raised by what asks them first.
    """
    from sdtui.models.assemble import assemble

    return assemble(recognise(base), vae, device, dtype, storage)
