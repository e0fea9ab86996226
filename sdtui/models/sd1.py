"""Stable Diffusion 1.x: a UNet conditioned on CLIP ViT-L text states, over a VAE that shrinks images eightfold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from sdtui.errors import UserError
from sdtui.models import clip_text, folder, layout
from sdtui.models.family import PLAINLY, LatentDistribution, Reading
from sdtui.models.layout import TEXT_FILE, UNET_FILE, VAE_FILE, read_scheduler
from sdtui.models.weights import check_length


@dataclass
class StableDiffusion1:
    """A loaded SD 1.x pipeline; see `sdtui.models.family.Model` for what its methods promise."""

    name: str
    device: torch.device
    dtype: torch.dtype
    unet: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    scheduler_config: dict[str, Any]
    prediction_type: str
    alphas_cumprod: Tensor  # (1000,)
    vae_files: list[Path]
    text_encoder_files: list[Path]
    family: str = "sd1"
    architecture: str = "stable-diffusion-v1"
    latent_factor: int = 8

    @property
    def components(self) -> dict[str, nn.Module]:
        """What adapters can be added to."""
        return {"unet": self.unet, "text_encoder": self.text_encoder}

    @property
    def kohya_base(self) -> str:
        """What `ss_base_model_version` calls it."""
        return "sd_v1_v" if self.prediction_type == "v_prediction" else "sd_v1"

    @cached_property
    def vae_digest(self) -> str:
        """Hex digest of the VAE's weights and settings (its scaling factor is among them)."""
        return folder.digest(self.vae_files)

    @cached_property
    def text_encoder_digest(self) -> str:
        """Hex digest of the text encoder's weights and settings and of the tokenizer's vocabulary."""
        return folder.digest(self.text_encoder_files)

    def encode_text(self, prompts: Sequence[str], reading: Reading = PLAINLY) -> Tensor:
        """Conditioning (B, max_tokens + 2, D) in fp32; what is longer is cut.

        `clip_skip` n > 1 leaves the last n - 1 layers out and normalises the state before them, as the web UIs do.
        Weights multiply the states, as in kohya's scripts; unlike the web UIs' they are not scaled back to the old mean.
        """
        layers, skip = self.text_encoder.config.num_hidden_layers, reading.clip_skip
        if not 1 <= skip <= layers:
            raise UserError(f"clip_skip is {skip}, and this text encoder has {layers} layers", remedy="Use 1 or 2")
        tokens = clip_text.tokenize(self.tokenizer, prompts, reading)
        windows = tokens.ids.flatten(0, 1).to(self.device)  # (B · n, 77)
        if skip == 1:
            states: Tensor = self.text_encoder(windows).last_hidden_state
        else:
            layered = self.text_encoder(windows, output_hidden_states=True).hidden_states
            states = self.text_encoder.final_layer_norm(layered[-skip])
        state = clip_text.join(states.reshape(*tokens.ids.shape, -1))
        if reading.weighted:
            state = state * tokens.weights.to(self.device).unsqueeze(-1)
        return state.float()

    @torch.no_grad()
    def encode_images(self, pixels: Tensor) -> LatentDistribution:
        """The scaled latent distribution, mean and std (B, 4, H/8, W/8), of `pixels` (B, 3, H, W) in [-1, 1]."""
        scale = self.vae.config.scaling_factor
        latents = self.vae.encode(pixels.to(self.device, self.vae.dtype)).latent_dist
        return LatentDistribution(latents.mean.float() * scale, latents.std.float() * scale)

    @torch.no_grad()
    def decode_latents(self, latents: Tensor) -> Tensor:
        """Pixels (B, 3, 8h, 8w) in [-1, 1] of scaled latents (B, 4, h, w)."""
        unscaled = latents.to(self.device, self.vae.dtype) / self.vae.config.scaling_factor
        pixels: Tensor = self.vae.decode(unscaled).sample
        return pixels.float().clamp(-1, 1)

    def predict(self, noisy: Tensor, timesteps: Tensor, conditioning: Tensor) -> Tensor:
        """ε or v (by `prediction_type`) in fp32, (B, 4, h, w), for noisy latents at integer timesteps (B,)."""
        conditioning = conditioning.to(self.dtype)
        prediction: Tensor = self.unet(noisy.to(self.dtype), timesteps, conditioning, return_dict=False)[0]
        return prediction.float()

    def checkpoint_gradients(self) -> None:
        """Recompute the UNet's activations in the backward pass; those of the text encoder are small."""
        self.unet.enable_gradient_checkpointing()


def load(base: Path, vae: Path | None, device: torch.device, dtype: torch.dtype) -> StableDiffusion1:
    """Load the pipeline folder `base`, with the VAE of the folder `vae` in place of its own if one is given.

    `dtype` is the UNet's. The VAE and the text encoder stay fp32: they run once per image, what they say is cached for
    the whole run, and bf16 would leave it three digits.

    Raises:
        UserError: a part is missing, broken, or of another kind, naming the file.
    """
    scheduler = read_scheduler(base)
    vae_folder = folder.part(base, "vae", "config.json") if vae is None else layout.vae_folder(vae)
    text_folder = folder.part(base, "text_encoder", "config.json")
    words = folder.part(base, "tokenizer", "vocab.json", "merges.txt")
    unet = _load_unet(folder.part(base, "unet", "config.json"), dtype)
    text_encoder = _load_text_encoder(text_folder)
    autoencoder = _load_vae(vae_folder)
    return StableDiffusion1(
        name=base.resolve().name,
        device=device,
        dtype=dtype,
        unet=_frozen(unet, device),
        vae=_frozen(autoencoder, device),
        text_encoder=_frozen(text_encoder, device),
        tokenizer=_load_tokenizer(words),
        scheduler_config=scheduler,
        prediction_type=scheduler["prediction_type"],
        alphas_cumprod=alphas_cumprod(scheduler),
        vae_files=[vae_folder / "config.json", *folder.weight_files(vae_folder, VAE_FILE)[0]],
        text_encoder_files=[
            text_folder / "config.json",
            *folder.weight_files(text_folder, TEXT_FILE)[0],
            words / "vocab.json",
            words / "merges.txt",
        ],
    )


def alphas_cumprod(scheduler: dict[str, Any]) -> Tensor:
    """ᾱ_t for t = 0 … 999 in fp32: what share of an image's variance is left at step t (Ho et al. 2020, eq. 4)."""
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    noise_schedule: Tensor = DDIMScheduler.from_config(scheduler).alphas_cumprod
    return noise_schedule


def _load_unet(path: Path, dtype: torch.dtype) -> Any:
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    return _load_part(UNet2DConditionModel.from_pretrained, path, UNET_FILE, dtype, "torch_dtype")


def _load_vae(path: Path) -> Any:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    return _load_part(AutoencoderKL.from_pretrained, path, VAE_FILE, torch.float32, "torch_dtype")


def _load_text_encoder(path: Path) -> Any:
    from transformers.models.clip.modeling_clip import CLIPTextModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    return _load_part(CLIPTextModel.from_pretrained, path, TEXT_FILE, torch.float32, "dtype")


def _load_tokenizer(path: Path) -> Any:
    from transformers.models.clip.tokenization_clip import CLIPTokenizer

    try:
        return CLIPTokenizer.from_pretrained(path, local_files_only=True)
    except Exception as error:  # the tokenizers library has no narrower one
        raise UserError(
            f"the vocabulary cannot be read: {error}", where=str(path), remedy="Copy the model folder again"
        ) from error


def _load_part(load: Callable[..., Any], path: Path, stem: str, dtype: torch.dtype, dtype_key: str) -> Any:
    """One `from_pretrained` that cannot leave weights random: what the file lacks is an error, not a log line."""
    files, variant = folder.weight_files(path, stem)
    for file in files:
        check_length(file)
    arguments = {dtype_key: dtype, "variant": variant, "use_safetensors": True, "local_files_only": True}
    try:
        model, info = load(path, output_loading_info=True, **arguments)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise UserError(
            f"the weights do not fit {path.name}/config.json: {str(error).strip().splitlines()[0]}", where=str(path)
        ) from error
    lacking = sorted(key for key in info["missing_keys"] if not key.endswith("position_ids"))
    if lacking:
        raise UserError(
            f"{len(lacking)} weights are missing, the first {lacking[0]}",
            where=str(path),
            remedy="Copy the model folder again, or choose one of Stable Diffusion 1.x",
        )
    return model


def _frozen(module: nn.Module, device: torch.device) -> nn.Module:
    return module.requires_grad_(requires_grad=False).eval().to(device)
