"""The names of Stability's own code for a UNet's layers: in its checkpoints, and for SDXL in what is made for web UIs.

Blocks are numbered through: an input block for each residual block and each downsampler, after the first convolution.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sdtui.errors import SdtuiError

_RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}  # fmt: skip
_ENDS = {
    "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2",
    "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
}  # fmt: skip
_BLOCK = re.compile(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)")
_MIDDLE = re.compile(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)")


@dataclass(frozen=True, slots=True)
class UnetNames:
    """Names in a UNet of one shape.

    Args:
        attends: of each up block, whether it has attention: the upsampler behind it moves up by one where it has.
        layers: diffusers' `layers_per_block`.
    """

    attends: Sequence[bool]
    layers: int = 2

    def __call__(self, path: str) -> str:
        """Stability's path of the layer at diffusers' `path`.

        Raises:
            SdtuiError: such a UNet has no such layer.
        """
        try:
            return self._named(path)
        except (KeyError, IndexError):
            raise SdtuiError(f"Stability's UNet has no layer {path}") from None

    def _named(self, path: str) -> str:
        if found := _BLOCK.fullmatch(path):
            way, block, kind, index, rest = found.groups()
            if kind.endswith("samplers"):
                return self._sampler(kind, int(block), rest)
            place = (self.layers + 1) * int(block) + int(index)
            # The first input block is the first convolution, so that the down half starts at 1.
            where = f"input_blocks.{place + 1}" if way == "down" else f"output_blocks.{place}"
            return f"{where}.1.{rest}" if kind == "attentions" else f"{where}.0.{_RESNET[rest]}"
        if found := _MIDDLE.fullmatch(path):
            kind, index, rest = found.groups()
            return (
                f"middle_block.1.{rest}" if kind == "attentions" else f"middle_block.{2 * int(index)}.{_RESNET[rest]}"
            )
        return _ENDS[path]

    def _sampler(self, kind: str, block: int, rest: str) -> str:
        if kind == "downsamplers":
            return f"input_blocks.{(self.layers + 1) * (block + 1)}.0.{ {'conv': 'op'}[rest] }"
        return f"output_blocks.{(self.layers + 1) * block + self.layers}.{2 if self.attends[block] else 1}.{rest}"


SDXL = UnetNames((True, True, False))
