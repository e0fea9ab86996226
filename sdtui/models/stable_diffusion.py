"""A loaded Stable Diffusion of any family: UNet, VAE and one text encoder or two side by side.

What differs between families is data (`sdtui.models.families`); only models with a pooled text vector ask for more than
noisy latents, timestep and text: that vector and the sizes of the images.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from sdtui.errors import UserError
from sdtui.models import clip_text
from sdtui.models.families import Family, Names
from sdtui.models.family import LATENT_FACTOR, PLAINLY, LatentDistribution, Reading, TextStates
from sdtui.models.part import Part
from sdtui.models.words import Words


@dataclass
class StableDiffusion:
    """See `sdtui.models.family.Model` for what its methods promise.

    Args:
        kind: what is known of its family.
        name: of its folder or file.
        device: where its modules are.
        dtype: the UNet's; text encoders and VAE are fp32.
        unet: predicts.
        vae_part: between images and latents.
        text_parts: the text encoders with their tokenizers, in the order in which their states stand side by side.
        scheduler_config: the noise schedule in diffusers' terms.
        prediction_type: "epsilon" or "v_prediction".
        alphas_cumprod: ᾱ by timestep, (1000,).
        digest_vae: computes `vae_digest`.
        digest_text: computes `text_encoder_digest`.
        assumed: what was concluded where the files do not say; "" if nothing was.
        words: of the user's own, which texts may hold.
    """

    kind: Family
    name: str
    device: torch.device
    dtype: torch.dtype
    unet: Any
    vae_part: Part
    text_parts: Sequence[tuple[Part, Any]]
    scheduler_config: dict[str, Any]
    prediction_type: str
    alphas_cumprod: Tensor
    digest_vae: Callable[[], str]
    digest_text: Callable[[], str]
    assumed: str = ""
    latent_factor: int = LATENT_FACTOR
    words: Words = field(default_factory=Words)

    @property
    def family(self) -> str:
        """Its family's name."""
        return self.kind.name

    @property
    def vae(self) -> Any:
        """The VAE; it stays in memory until it is put to rest."""
        return self.vae_part.module

    @property
    def encoders(self) -> list[tuple[Any, Any]]:
        """The text encoders with their tokenizers; they stay in memory until they are put to rest."""
        return [(part.module, tokenizer) for part, tokenizer in self.text_parts]

    @property
    def components(self) -> dict[str, nn.Module]:
        """What can be trained, by name: "unet", "text_encoder" and, with two, "text_encoder_2"; all stay in memory."""
        named = zip(self.kind.encoders, self.encoders, strict=True)
        return {"unet": self.unet} | {encoder.component: module for encoder, (module, _) in named}

    @property
    def loaded(self) -> list[nn.Module]:
        """The modules that are in memory now."""
        parts = [self.vae_part, *(part for part, _ in self.text_parts)]
        return [self.unet, *(part.present for part in parts if part.present is not None)]

    def rest(self, what: Literal["vae", "text"]) -> None:
        """Have the VAE, or the text encoders, in memory only while they are asked from now on."""
        for part in [self.vae_part] if what == "vae" else [part for part, _ in self.text_parts]:
            part.rest()

    @property
    def names(self) -> Names:
        """What other programs call it."""
        return self.kind.names[self.prediction_type]

    @property
    def kohya_base(self) -> str:
        """What `ss_base_model_version` calls it."""
        return self.names.kohya

    @property
    def architecture(self) -> str:
        """What modelspec calls it."""
        return self.names.modelspec

    @cached_property
    def vae_digest(self) -> str:
        """Hex digest of the VAE's weights and settings (its scaling factor is among them)."""
        return self.digest_vae()

    @cached_property
    def text_encoder_digest(self) -> str:
        """Hex digest of the text encoders' weights and settings and of the tokenizers' vocabulary."""
        return self.digest_text()

    def encode_text(self, prompts: Sequence[str], reading: Reading = PLAINLY) -> TextStates:
        """States (B, max_tokens + 2, D) in fp32, and the pooled vector (B, P) where the family has one; longer texts are cut.

        `clip_skip` n > 1 leaves n - 1 layers more out than the family does. Where it reads the last layer, the state
        before is normalised in its place, as the web UIs do. Weights multiply the states, as in kohya's scripts; unlike
        the web UIs' they are not scaled back to the old mean.
        """
        said = [
            part.ask(partial(self._read, name=kind.component, tokenizer=tokenizer, prompts=prompts, reading=reading))
            for kind, (part, tokenizer) in zip(self.kind.encoders, self.text_parts, strict=True)
        ]
        return TextStates(torch.cat([each.states for each in said], dim=-1), said[-1].pooled)

    @torch.no_grad()
    def encode_images(self, pixels: Tensor) -> LatentDistribution:
        """The scaled latent distribution, mean and std (B, 4, H/8, W/8), of `pixels` (B, 3, H, W) in [-1, 1]."""

        def encoded(vae: Any) -> LatentDistribution:
            scale = vae.config.scaling_factor
            # The order of the pixels becomes that of all layers: a small VAE is a quarter faster by it, a large one a tenth.
            ordered = pixels.to(self.device, vae.dtype, memory_format=torch.channels_last)
            latents = vae.encode(ordered).latent_dist
            mean, std = (each.float().contiguous() * scale for each in (latents.mean, latents.std))
            return LatentDistribution(mean, std)

        return self.vae_part.ask(encoded)

    @torch.no_grad()
    def decode_latents(self, latents: Tensor) -> Tensor:
        """Pixels (B, 3, 8h, 8w) in [-1, 1] of scaled latents (B, 4, h, w)."""

        def decoded(vae: Any) -> Tensor:
            unscaled = latents.to(self.device, vae.dtype) / vae.config.scaling_factor
            pixels: Tensor = vae.decode(unscaled).sample
            return pixels.float().clamp(-1, 1)

        return self.vae_part.ask(decoded)

    def predict(self, noisy: Tensor, timesteps: Tensor, text: TextStates, sizes: Tensor | None = None) -> Tensor:
        """ε or v (by `prediction_type`) in fp32, (B, 4, h, w), for noisy latents at integer timesteps (B,).

        `sizes` (B, 6) are those of `family.size_rows`; without them the images are taken as whole and of their own size.
        """
        added: dict[str, Any] = {}
        if text.pooled is not None:
            if sizes is None:
                height, width = (side * self.latent_factor for side in noisy.shape[-2:])
                sizes = noisy.new_tensor([[height, width, 0, 0, height, width]]).expand(len(noisy), -1)
            added = {"added_cond_kwargs": {"text_embeds": text.pooled.to(self.dtype), "time_ids": sizes.float()}}
        states = text.states.to(self.dtype)
        prediction: Tensor = self.unet(noisy.to(self.dtype), timesteps, states, return_dict=False, **added)[0]
        return prediction.float()

    def checkpoint_gradients(self) -> None:
        """Recompute the UNet's activations in the backward pass; those of the text encoders are small."""
        self.unet.enable_gradient_checkpointing()

    def length(self, text: str, *, weighted: bool) -> int:
        """How many places `text` takes in the longest reading of it; where brackets weigh, they take none."""
        return max(
            clip_text.length(tokenizer, text, weighted=weighted, words=self.words) for _, tokenizer in self.text_parts
        )

    def _read(self, encoder: Any, name: str, tokenizer: Any, prompts: Sequence[str], reading: Reading) -> TextStates:
        """What one text encoder says."""
        layers, skip = encoder.config.num_hidden_layers, reading.clip_skip
        left_out = skip - 1 + self.kind.penultimate
        if skip < 1 or left_out >= layers:
            raise UserError(f"clip_skip is {skip}, and this text encoder has {layers} layers", remedy="Use 1 or 2")
        tokens = clip_text.tokenize(tokenizer, prompts, reading, self.words)
        windows = tokens.ids.flatten(0, 1).to(self.device)  # (B · n, 77)
        with self.words.spoken(name, encoder):
            said = encoder(windows, output_hidden_states=bool(left_out))
        if not left_out:
            states: Tensor = said.last_hidden_state
        else:
            states = said.hidden_states[-1 - left_out]
            if not self.kind.penultimate:
                states = encoder.final_layer_norm(states)
        state = clip_text.join(states.reshape(*tokens.ids.shape, -1))
        if reading.weighted:
            state = state * tokens.weights.to(self.device).unsqueeze(-1)
        pooled = said.get("text_embeds")
        # Of a text of several windows the first sums it up, as in kohya's scripts.
        return TextStates(state.float(), None if pooled is None else pooled[:: tokens.ids.shape[1]].float())
