"""The names of Stability's own code for the layers of SDXL's UNet, which kohya and the web UIs know them by.

Blocks are numbered through: an input block for each residual block and each downsampler, after the first convolution.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sdtui.errors import SdtuiError

# Residual blocks per block on the way down; there is one more on the way up.
_LAYERS = 2
_OUTSIDE = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_BLOCKS: tuple[tuple[re.Pattern[str], Callable[[int, int], str]], ...] = (
    (re.compile(r"down_blocks\.(\d+)\.resnets\.(\d+)"), lambda b, i: f"input_blocks.{1 + (_LAYERS + 1) * b + i}.0"),
    (re.compile(r"down_blocks\.(\d+)\.attentions\.(\d+)"), lambda b, i: f"input_blocks.{1 + (_LAYERS + 1) * b + i}.1"),
    (re.compile(r"down_blocks\.(\d+)\.downsamplers\.(0)"), lambda b, _: f"input_blocks.{(_LAYERS + 1) * (b + 1)}.0"),
    (re.compile(r"mid_block\.(resnets)\.(\d+)"), lambda _, i: f"middle_block.{2 * i}"),
    (re.compile(r"mid_block\.(attentions)\.(\d+)"), lambda _, i: f"middle_block.{2 * i + 1}"),
    (re.compile(r"up_blocks\.(\d+)\.resnets\.(\d+)"), lambda b, i: f"output_blocks.{(_LAYERS + 1) * b + i}.0"),
    (re.compile(r"up_blocks\.(\d+)\.attentions\.(\d+)"), lambda b, i: f"output_blocks.{(_LAYERS + 1) * b + i}.1"),
    # Both blocks that have an upsampler have attention, too, which is .1.
    (re.compile(r"up_blocks\.(\d+)\.upsamplers\.(0)"), lambda b, _: f"output_blocks.{(_LAYERS + 1) * b + _LAYERS}.2"),
)


def sgm_path(path: str) -> str:
    """The path of diffusers' UNet layer `path` in Stability's code.

    Raises:
        SdtuiError: SDXL has no such layer.
    """
    if path in _OUTSIDE:
        return _OUTSIDE[path]
    for pattern, name in _BLOCKS:
        found = pattern.match(path)
        if found:
            block, index = found.groups()
            inner = path[found.end() + 1 :]
            stem = name(int(block) if block.isdigit() else 0, int(index))
            return f"{stem}.{_inner(path, inner)}"
    raise SdtuiError(f"SDXL's UNet has no layer {path}")


def _inner(path: str, inner: str) -> str:
    if ".resnets." in path:
        return _RESNET[inner]
    return "op" if ".downsamplers." in path else inner
