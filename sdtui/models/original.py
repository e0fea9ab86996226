"""Where a single-file checkpoint keeps what diffusers and transformers call by other names.

Published checkpoints name their weights as the programs that trained them did: UNet and VAE as latent-diffusion
(Stability's generative-models kept its names), CLIP-L as transformers, the larger text encoders as OpenCLIP, whose
attention keeps query, key and value in one matrix. Given a weight's name in diffusers or transformers, these functions
tell the names it may have in the file, the usual one first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from sdtui.profile.unet_names import UnetNames

Change = Literal["", "transposed", "third-0", "third-1", "third-2"]


class Place(NamedTuple):
    """A weight's name in the file, and what must be done with it: nothing, transposing, or taking a third of its rows."""

    name: str
    change: Change = ""


Naming = Callable[[str], tuple[Place, ...]]
"""From a weight's name in diffusers or transformers to where it may lie."""

UNET = "model.diffusion_model."
VAE = "first_stage_model."

_VAE_BLOCK = re.compile(r"(?:down|up)_blocks\.(\d+)\.(resnets|downsamplers|upsamplers)\.(\d+)\.(.+)")
_VAE_MIDDLE = re.compile(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)")
_VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
# diffusers called the VAE's attention by these names before 0.19.
_OLDER_ATTENTION = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
_OPENCLIP_ENDS = {
    "embeddings.token_embedding.weight": "token_embedding.weight",
    "embeddings.position_embedding.weight": "positional_embedding",
    "final_layer_norm.weight": "ln_final.weight",
    "final_layer_norm.bias": "ln_final.bias",
}
_OPENCLIP_LAYER = {
    "layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}  # fmt: skip
_LAYER = re.compile(r"encoder\.layers\.(\d+)\.(.+)\.(weight|bias)")
_THIRDS: Mapping[str, Change] = {
    "self_attn.q_proj": "third-0",
    "self_attn.k_proj": "third-1",
    "self_attn.v_proj": "third-2",
}


def as_it_is(name: str) -> tuple[Place, ...]:
    """The name itself: the file was written by the program that reads it."""
    return (Place(name),)


def unet_naming(attends: Sequence[bool], layers: int = 2) -> Naming:
    """Names of a UNet's weights; what its shape is told by, see `UnetNames`."""
    names = UnetNames(attends, layers)

    def find(name: str) -> tuple[Place, ...]:
        layer, _, kind = name.rpartition(".")
        return (Place(f"{UNET}{names(layer)}.{kind}"),)

    return find


def vae_naming(prefix: str, blocks: int = 4) -> Naming:
    """Names of a VAE's weights behind `prefix`, by which alone a file of its own names them; diffusers' names, too."""

    def find(name: str) -> tuple[Place, ...]:
        older = _replaced(name, _OLDER_ATTENTION)
        return Place(prefix + _vae_name(name, blocks)), Place(name), Place(older)

    return find


def clip_naming(prefix: str) -> Naming:
    """Names of CLIP-L's weights: those of transformers, whose level `text_model` some files leave out."""

    def find(name: str) -> tuple[Place, ...]:
        bare = name.removeprefix("text_model.")
        return Place(f"{prefix}text_model.{bare}"), Place(prefix + bare)

    return find


def openclip_naming(prefix: str) -> Naming:
    """Names of OpenCLIP's weights; ComfyUI saves its projection turned round."""

    def find(name: str) -> tuple[Place, ...]:
        bare = name.removeprefix("text_model.")
        if bare == "text_projection.weight":
            return Place(f"{prefix}text_projection", "transposed"), Place(f"{prefix}text_projection.weight")
        if layer := _LAYER.fullmatch(bare):
            index, module, kind = layer.groups()
            block = f"{prefix}transformer.resblocks.{index}"
            if third := _THIRDS.get(module):
                return (Place(f"{block}.attn.in_proj_{kind}", third),)
            return (Place(f"{block}.{_OPENCLIP_LAYER[module]}.{kind}"),)
        return (Place(prefix + _OPENCLIP_ENDS[bare]),)

    return find


def _vae_name(name: str, blocks: int) -> str:
    half, _, rest = name.partition(".")
    if half not in {"encoder", "decoder"}:
        return name  # quant_conv and post_quant_conv
    if found := _VAE_BLOCK.fullmatch(rest):
        block, kind, index, inner = found.groups()
        # The decoder's blocks are numbered from the image back.
        place = f"encoder.down.{block}" if half == "encoder" else f"decoder.up.{blocks - 1 - int(block)}"
        if kind == "resnets":
            return f"{place}.block.{index}.{inner.replace('conv_shortcut', 'nin_shortcut')}"
        return f"{place}.{kind.removesuffix('rs')}.{inner}"  # downsamplers → downsample
    if found := _VAE_MIDDLE.fullmatch(rest):
        kind, index, inner = found.groups()
        if kind == "attentions":
            return f"{half}.mid.attn_1.{_replaced(inner, _VAE_ATTENTION)}"
        return f"{half}.mid.block_{int(index) + 1}.{inner}"
    return f"{half}.{rest.replace('conv_norm_out', 'norm_out')}"


def _replaced(name: str, names: Mapping[str, str]) -> str:
    """`name` with the module before its last part renamed."""
    module, _, kind = name.rpartition(".")
    before = next((now for now in names if module == now or module.endswith(f".{now}")), None)
    return name if before is None else f"{module.removesuffix(before)}{names[before]}.{kind}"
