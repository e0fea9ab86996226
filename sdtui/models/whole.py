"""A whole base model by the names that a single file has for its weights: the way back of `sdtui.models.original`."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from sdtui.models.original import VAE, Change, Naming, clip_naming, openclip_naming, unet_naming, vae_naming
from sdtui.models.stable_diffusion import StableDiffusion

_THIRDS: dict[Change, int] = {"third-0": 0, "third-1": 1, "third-2": 2}
# The VAE's attention is made of 1×1 convolutions in Stability's code, and of linear layers in diffusers.
_CONVOLVED = tuple(f"mid.attn_1.{name}.weight" for name in ("q", "k", "v", "proj_out"))


def single_file_tensors(model: StableDiffusion, dtype: torch.dtype) -> dict[str, Tensor]:
    """UNet, VAE and text encoders as a single file of the model's family holds them, in `dtype`, on the processor.

    Programs that read the published checkpoints find every weight under its published name, text encoders' `text_model.`
    among them, which transformers no longer has.
    """
    config: Any = model.unet.config
    attends = [kind.startswith("CrossAttn") for kind in config["up_block_types"]]
    named = _renamed(model.unet, unet_naming(attends, config["layers_per_block"]), dtype)
    named |= model.vae_part.ask(partial(_renamed_vae, dtype=dtype))
    for encoder, (part, _) in zip(model.kind.encoders, model.text_parts, strict=True):
        naming = (openclip_naming if encoder.openclip else clip_naming)(encoder.prefix)
        named |= part.ask(partial(_renamed, naming=naming, dtype=dtype))
        if encoder.openclip and not encoder.projected:
            named |= part.ask(partial(_unread, named, encoder.prefix))
    return named


def _renamed_vae(vae: Any, dtype: torch.dtype) -> dict[str, Tensor]:
    return _renamed(vae, vae_naming(VAE, len(vae.config["block_out_channels"])), dtype)


def _renamed(module: nn.Module, naming: Naming, dtype: torch.dtype) -> dict[str, Tensor]:
    named: dict[str, Tensor] = {}
    thirds: dict[str, dict[int, Tensor]] = {}
    for name, value in module.state_dict().items():
        if name.endswith("position_ids"):
            continue
        place = naming(name)[0]
        tensor = value.detach().to("cpu", dtype)
        if place.change == "transposed":
            tensor = tensor.t()
        if place.name.endswith(_CONVOLVED):
            tensor = tensor.reshape(*tensor.shape, *[1] * (4 - tensor.dim()))
        if place.change in _THIRDS:
            thirds.setdefault(place.name, {})[_THIRDS[place.change]] = tensor
        else:
            named[place.name] = tensor.contiguous()
    return named | {name: torch.cat([parts[number] for number in range(3)]) for name, parts in thirds.items()}


def _unread(named: dict[str, Tensor], prefix: str, encoder: Any) -> dict[str, Tensor]:
    """What no program reads and each expects: a last block, which SD 2's pipelines leave out, and the projection after it.

    The block is the one before again, as in kohya's conversion, and the projection changes nothing.
    """
    last, width = encoder.config.num_hidden_layers, encoder.config.hidden_size
    before, after = (f"{prefix}transformer.resblocks.{number}." for number in (last - 1, last))
    block = {
        after + name.removeprefix(before): tensor.clone() for name, tensor in named.items() if name.startswith(before)
    }
    dtype = named[f"{prefix}positional_embedding"].dtype
    return {**block, f"{prefix}text_projection": torch.eye(width, dtype=dtype)}
