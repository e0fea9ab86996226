"""A model without a network, for tests of what surrounds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sdtui.models.family import PLAINLY, LatentDistribution, Reading, TextStates
from sdtui.models.words import Words
from sdtui.training.views import Sizes


@dataclass(frozen=True)
class FakeWays:
    """The ways a sample may be shown, their entries under `start`, plus "-flip" when mirrored, plus the variant's number if not 0."""

    start: str
    flips: bool = False
    variants: int = 1

    def key(self, flip: bool, variant: int) -> str:
        return self.start + ("-flip" if flip else "") + (str(variant) if variant else "")

    def sizes(self, flip: bool, variant: int) -> Sizes:
        return Sizes((16, 16), (variant, int(flip)), (16, 16))


START = 0.5


class FakeModel:
    """Encodes an image as its mean colour and a text as its length; predicts `weight` times what it was shown."""

    family = name = kohya_base = architecture = "fake"
    prediction_type = "epsilon"
    latent_factor = 8
    device = torch.device("cpu")
    dtype = torch.float32
    tokenizer: Any = None
    text_encoder_digest = "text encoder"
    assumed = ""

    def __init__(self, vae_digest: str = "vae") -> None:
        self.vae_digest = vae_digest
        self.scheduler_config: dict[str, Any] = {}
        self.unet: nn.Module = nn.Identity()
        self.text_encoder: nn.Module = nn.Identity()
        self.resting: list[str] = []
        self.alphas_cumprod = torch.linspace(0.99, 0.01, 10)
        self.weight = nn.Parameter(torch.tensor(START))
        self.encoded_images = 0
        self.encoded_texts: list[str] = []
        self.seen_timesteps: set[int] = set()
        self.seen_latents: list[Tensor] = []
        self.seen_sizes: list[Tensor | None] = []
        self.is_frozen = False
        self.words = Words()

    @property
    def components(self) -> dict[str, nn.Module]:
        return {"unet": self.unet, "text_encoder": self.text_encoder}

    @property
    def loaded(self) -> list[nn.Module]:
        return [self.unet]

    def rest(self, what: str) -> None:
        self.resting.append(what)

    def encode_images(self, pixels: Tensor) -> LatentDistribution:
        self.encoded_images += len(pixels)
        mean = pixels.mean(dim=(1, 2, 3), keepdim=True).expand(-1, 4, 2, 2).clone()
        return LatentDistribution(mean, torch.zeros_like(mean))

    def length(self, text: str, *, weighted: bool) -> int:
        del weighted
        return len(text)

    def encode_text(self, prompts: Sequence[str], reading: Reading = PLAINLY) -> TextStates:
        self.encoded_texts += prompts
        return TextStates(torch.tensor([[[float(len(prompt) * reading.clip_skip)]] for prompt in prompts]))  # (B, 1, 1)

    def predict(self, noisy: Tensor, timesteps: Tensor, text: TextStates, sizes: Tensor | None = None) -> Tensor:
        self.seen_timesteps.update(timesteps.tolist())
        self.seen_latents.append(noisy)
        self.seen_sizes.append(sizes)
        weight = START if self.is_frozen else self.weight
        return weight * noisy + 0.01 * text.states.unsqueeze(-1) * timesteps.view(-1, 1, 1, 1)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self.is_frozen = True
        yield
        self.is_frozen = False

    def decode_latents(self, latents: Tensor) -> Tensor:
        raise NotImplementedError

    def checkpoint_gradients(self) -> None:
        raise NotImplementedError
