"""A UNet's attention on a processor: diffusers' own without what Stable Diffusion has no use for, short ones in fp32.

PyTorch's backward pass of attention in bf16 is twice as fast as in fp32 over a thousand keys, and up to five times as slow
over few: it is taken in whichever is faster. That is also the more exact of the two.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_SHORT = 256
"""Keys up to which fp32 is faster, measured forward and back on a Zen 4, 8 heads, bf16's time over fp32's by queries × keys:
64 × 64 4.0, 256 × 77 3.4, 256 × 256 2.0 (1.1 for heads of 80), 1024 × 77 1.2, 1024 × 1024 0.6 (0.9 for heads of 40)."""


class PlainAttention:
    """Multi-head attention of (B, places, D) to itself or to a text's states, without a mask or norms of its own."""

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,  # noqa: ARG002 - what diffusers hands over
    ) -> Tensor:
        """What the layer answers, (B, places, D)."""
        source = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        layers = ((attn.to_q, hidden_states), (attn.to_k, source), (attn.to_v, source))
        query, key, value = (layer(x).unflatten(-1, (attn.heads, -1)).transpose(1, 2) for layer, x in layers)
        if query.dtype == torch.bfloat16 and key.shape[2] <= _SHORT:
            with torch.autocast("cpu", enabled=False):
                out = attend(query.float(), key.float(), value.float(), attention_mask).to(query.dtype)
        else:
            out = attend(query, key, value, attention_mask)
        answer: Tensor = attn.to_out[0](out.transpose(1, 2).flatten(2))
        return answer


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """PyTorch's attention over (B, heads, places, D)."""
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)


def suit_processor(unet: nn.Module) -> None:
    """Let the attention of `unet` that is plain be taken so."""
    from diffusers.models.attention_processor import Attention, AttnProcessor2_0

    for layer in unet.modules():
        if isinstance(layer, Attention) and type(layer.processor) is AttnProcessor2_0 and _is_plain(layer):
            layer.set_processor(PlainAttention())


def _is_plain(layer: Any) -> bool:
    norms = (layer.spatial_norm, layer.group_norm, layer.norm_q, layer.norm_k, layer.norm_cross)
    extra = any(each is not None for each in norms) or layer.residual_connection or layer.rescale_output_factor != 1
    return not extra and not layer.to_out[1].p
