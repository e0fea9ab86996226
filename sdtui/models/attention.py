"""A UNet's attention on a processor: diffusers' own without what Stable Diffusion has no use for, in the way that is faster.

PyTorch's backward pass of attention in bf16 is twice as fast as in fp32 over a thousand keys, and up to five times as slow
over few: it is taken in whichever is faster. That is also the more exact of the two. In fp32 its products with heads of less than
16 values, which only small models have, take longer than those with 16: such heads are filled up with zeros.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sdtui.profile.kept import FILLED_PAIRS, NARROW_HEAD

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


# diffusers asks for it in each layer of each step, which takes a quarter of the time where it is written down.
PlainAttention.__call__.__signature__ = inspect.signature(PlainAttention.__call__)  # type: ignore[attr-defined]


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """PyTorch's attention over (B, heads, places, D), of narrow heads filled up where that is worth its copies.

    Measured likewise, forward and back, microseconds as they are and filled up: heads of 4 over 256 × 256 3270 and 2310, of 4
    over 256 × 77 1270 and 1090, of 8 over 1024 × 1024 56700 and 38900, of 8 over 64 × 64 316 and 291, of 8 over 16 × 77 156 and
    201; of 24 and more nothing is won.
    """
    width = query.shape[-1]
    if width >= NARROW_HEAD or query.dtype != torch.float32 or query.shape[2] * key.shape[2] < FILLED_PAIRS:
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    query, key, value = (functional.pad(each, (0, NARROW_HEAD - width)) for each in (query, key, value))
    # Zeros add nothing to the products; PyTorch would divide by the root of the new width.
    out = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=width**-0.5)
    return out[..., :width]


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
