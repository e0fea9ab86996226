"""From a recognised base model to a loaded one: its parts from wherever they lie, and what it predicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sdtui.errors import UserError
from sdtui.models import attention, convolution, folder, layout, loading
from sdtui.models.architecture import vae_config
from sdtui.models.configs import read_config
from sdtui.models.families import Family, TextEncoder
from sdtui.models.family import PLAINLY
from sdtui.models.hub import known_name
from sdtui.models.imports import import_models
from sdtui.models.layout import TEXT_FILE, VAE_FILE, read_scheduler
from sdtui.models.loading import SingleFile, frozen
from sdtui.models.original import VAE, Naming, clip_naming, openclip_naming, unet_naming, vae_naming
from sdtui.models.part import Part
from sdtui.models.quantised import Storage
from sdtui.models.recognise import EPSILON, VELOCITY, Found, stated_prediction
from sdtui.models.stable_diffusion import StableDiffusion
from sdtui.models.weights import Contents, read_contents

Digest = Callable[[], str]
Load = Callable[[], Any]


class _Parts(NamedTuple):
    """What is in a folder or a file, besides the VAE; of the text encoders, how each is loaded, and its tokenizer."""

    unet: Any
    encoders: Sequence[tuple[Load, Any]]
    scheduler: dict[str, Any]
    digest_text: Digest


def assemble(
    found: Found, vae: Path | None, device: torch.device, dtype: torch.dtype, storage: Storage = "same"
) -> StableDiffusion:
    """Load the parts of `found`, with the VAE of the folder or file `vae` in place of its own if one is given.

    The UNet is loaded now; VAE and text encoders when they are first asked, which may be never if all is cached.

    `dtype` is the UNet's, and its weights are kept in `storage`. The VAE and the text encoders stay fp32: they run once per image, what they say is cached for
    the whole run, and bf16 would leave it three digits. SDXL's VAE, which overflows in fp16, is safe for the same reason.

    Raises:
        UserError: a part is missing, broken, or of another kind, naming the file.
    """
    import_models()
    source = SingleFile(found.contents) if found.contents is not None else None
    parts = _from_folder(found, dtype, storage) if source is None else _from_file(found, source, dtype, storage)
    load_vae, digest_vae = _vae(found, source, vae)
    if device.type == "cpu":
        convolution.suit_processor(parts.unet)
        attention.suit_processor(parts.unet)

    def part(load: Load) -> Part:
        return Part(lambda: frozen(load(), device), device)

    model = StableDiffusion(
        kind=found.family,
        name=known_name(found.base),
        device=device,
        dtype=dtype,
        unet=frozen(parts.unet, device),
        vae_part=part(load_vae),
        text_parts=[(part(load), tokenizer) for load, tokenizer in parts.encoders],
        scheduler_config=parts.scheduler,
        prediction_type=parts.scheduler["prediction_type"],
        alphas_cumprod=alphas_cumprod(parts.scheduler),
        digest_vae=digest_vae,
        digest_text=parts.digest_text,
    )
    if source is not None and found.family.ambiguous and not stated_prediction(source.contents):
        _conclude_prediction(model)
    return model


def vae_digest(found: Found, vae: Path | None) -> str:
    """`Model.vae_digest` of what `assemble` would load, from its files alone.

    Raises:
        UserError: there is no VAE, or it cannot be read.
    """
    source = SingleFile(found.contents) if found.contents is not None else None
    return _vae(found, source, vae)[1]()


def refill(model: StableDiffusion, file: Path) -> None:
    """Put UNet and text encoders of a single file in place of the model's own, of whose make they are.

    Raises:
        UserError: they are of another, or the file cannot be read.
    """
    source = SingleFile(read_contents(file))
    config: Any = model.unet.config
    attends = [kind.startswith("CrossAttn") for kind in config["up_block_types"]]
    source.refill("the UNet", model.unet, unet_naming(attends, config["layers_per_block"]))
    for encoder in model.kind.encoders:
        source.refill("the text encoder", model.components[encoder.component], _text_naming(encoder))


def alphas_cumprod(scheduler: dict[str, Any]) -> Tensor:
    """ᾱ_t for t = 0 … 999 in fp32: what share of an image's variance is left at step t (Ho et al. 2020, eq. 4)."""
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    noise_schedule: Tensor = DDIMScheduler.from_config(scheduler).alphas_cumprod
    return noise_schedule


@torch.no_grad()
def predicts_noise(model: StableDiffusion) -> bool:
    """Whether a trained model predicts noise, by what it answers to pure noise at the last timestep.

    There √ᾱ is 0.07: the noise is nearly all of the input, so that ε is the input itself, while v = √ᾱ ε − √(1-ᾱ) x₀ has
    next to nothing of it. The slope of the answer over the input is about 1 or about 0.07.
    """
    noise = torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(0)).to(model.device)
    last = torch.tensor([len(model.alphas_cumprod) - 1], device=model.device)
    answer = model.predict(noise, last, model.encode_text([""], PLAINLY))
    return bool((answer * noise).sum() / noise.square().sum() > 0.5)


def _conclude_prediction(model: StableDiffusion) -> None:
    """Ask the model what its file does not say."""
    model.prediction_type = EPSILON if predicts_noise(model) else VELOCITY
    model.scheduler_config = {**model.scheduler_config, "prediction_type": model.prediction_type}
    what = "noise (epsilon)" if model.prediction_type == EPSILON else "the velocity (v_prediction)"
    model.assumed = f"the file does not say what {model.name} predicts; by its answer to pure noise it predicts {what}"


def _from_folder(found: Found, dtype: torch.dtype, storage: Storage) -> _Parts:
    base, family = found.base, found.family
    scheduler = read_scheduler(base)
    texts = [folder.part(base, encoder.component, "config.json") for encoder in family.encoders]
    words = [folder.part(base, encoder.tokenizer, "vocab.json", "merges.txt") for encoder in family.encoders]
    unet = loading.unet_from_folder(folder.part(base, "unet", "config.json"), dtype, storage)
    encoders = [
        (
            partial(loading.text_encoder_from_folder, text, projected=encoder.projected),
            loading.tokenizer_from_folder(word),
        )
        for encoder, text, word in zip(family.encoders, texts, words, strict=True)
    ]
    files = [
        file
        for text, word in zip(texts, words, strict=True)
        for file in (
            text / "config.json",
            *folder.weight_files(text, TEXT_FILE)[0],
            word / "vocab.json",
            word / "merges.txt",
        )
    ]
    return _Parts(unet, encoders, scheduler, partial(folder.digest, files))


def _from_file(found: Found, source: SingleFile, dtype: torch.dtype, storage: Storage) -> _Parts:
    family, configs = found.family, found.configs()
    attends = [kind.startswith("CrossAttn") for kind in configs["unet"]["up_block_types"]]
    naming = unet_naming(attends, configs["unet"]["layers_per_block"])
    unet = loading.unet_from_file(source, naming, configs["unet"], dtype, storage)
    encoders = [
        (
            partial(
                loading.text_encoder_from_file,
                source,
                _text_naming(encoder),
                configs[encoder.component],
                projected=encoder.projected,
            ),
            loading.bundled_tokenizer(encoder.pad),
        )
        for encoder in family.encoders
    ]
    prefixes = [encoder.prefix for encoder in family.encoders]
    return _Parts(unet, encoders, _scheduler(family, source.contents), partial(source.digest, *prefixes))


def _scheduler(family: Family, contents: Contents) -> dict[str, Any]:
    """The family's noise schedule; a weight named `ztsnr` marks one that ends in pure noise (Lin et al. 2023)."""
    config = read_config(family.name, "scheduler")
    config["prediction_type"] = stated_prediction(contents) or config["prediction_type"]
    if "ztsnr" in contents.weights:
        config |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    return config


def _text_naming(encoder: TextEncoder) -> Naming:
    return openclip_naming(encoder.prefix) if encoder.openclip else clip_naming(encoder.prefix)


def _vae(found: Found, source: SingleFile | None, other: Path | None) -> tuple[Load, Digest]:
    """How the VAE is loaded, and its digest: another's, or the model's own."""
    if other is not None and other.is_file():
        contents, prefix = layout.read_vae_file(other)
        return _vae_in_file(found.family, SingleFile(contents), prefix)
    if other is None and source is not None:
        if not source.contents.has(VAE):
            raise UserError("the file holds no VAE", where=str(found.base), remedy="Set model.vae to one that fits it")
        return _vae_in_file(found.family, source, VAE)
    place = layout.vae_folder(other) if other is not None else folder.part(found.base, "vae", "config.json")
    files = [place / "config.json", *folder.weight_files(place, VAE_FILE)[0]]
    return partial(loading.vae_from_folder, place), partial(folder.digest, files)


def _vae_in_file(family: Family, source: SingleFile, prefix: str) -> tuple[Load, Digest]:
    config = vae_config(family, source.contents, prefix)
    naming = vae_naming(prefix, len(config["block_out_channels"]))

    def digest() -> str:
        # The scale is the family's, not the file's, and part of what latents are.
        return f"{source.digest(prefix)}-{config['scaling_factor']}"

    return partial(loading.vae_from_file, source, naming, config), digest
