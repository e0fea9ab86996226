"""Other spellings of the same change: what LyCORIS, kohya and PEFT store in ways that are not trained here, in the one that is.

Each is rewritten exactly: whoever goes on from a file begins with the answers that it gives elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from sdtui.profile.layer_names import MAGNITUDES

# The tensors of a Tucker decomposition, W[p, n, …] = Σᵢⱼ core[i, j, …] · outputs[i, p] · inputs[j, n], by the core's name:
# outputs and inputs.
_TUCKER = {
    "hada_t1": ("hada_w1_a", "hada_w1_b"),
    "hada_t2": ("hada_w2_a", "hada_w2_b"),
    "lokr_t2": ("lokr_w2_a", "lokr_w2_b"),
}
# W · A + B of two pairs of factors, by LyCORIS.
_GLORA = {"a1.weight", "a2.weight", "b1.weight", "b2.weight"}
_STRETCHED = "its rotations are stretched (rescaled = true), which is neither trained nor worn here"
_MID, _DOWN = "lora_mid.weight", "lora_down.weight"


def usual(tensors: Mapping[str, Tensor], alpha: float | None) -> tuple[dict[str, Tensor], float | None]:
    """A layer's tensors and alpha as they are trained here; what has no other spelling stays as it is.

    Raises:
        ValueError: nothing that is trained makes that change; it names what it is.
    """
    held = dict(tensors)
    if held.keys() >= _GLORA:
        raise ValueError("it is a GLoRA, which is neither trained nor worn here; merge it into its model elsewhere")
    _multiply_out(held)
    _scale(held)
    if MAGNITUDES in held:
        # One per output: (out,), of a convolution (1, out, 1, 1). LyCORIS has the outputs first.
        up = held["lora_up.weight"]
        held["dora_scale"] = held.pop(MAGNITUDES).reshape(-1, *[1] * (up.dim() - 1))
    if "oft_diag" in held:
        held["oft_blocks"] = _blocks(held.pop("oft_diag"))
    # LyCORIS' factor of each output, which starts at 1.
    if not torch.equal(stretch := held.pop("rescale", torch.ones(1)), torch.ones_like(stretch)):
        raise ValueError(_STRETCHED)
    if "oft_blocks" in held:
        return _unlimited(held, alpha)
    return held, alpha


def _multiply_out(held: dict[str, Tensor]) -> None:
    """Tucker's cores multiplied into the tensor beside the inputs, of the same rank as before."""
    for name, (outputs, inputs) in _TUCKER.items():
        if name in held:
            core = held.pop(name)
            held[inputs] = torch.einsum("ij...,jn->in...", core, held[inputs]).flatten(1)
            held[outputs] = held[outputs].t().contiguous()
    if _MID in held:
        held[_DOWN] = torch.einsum("ij...,jn->in...", held.pop(_MID), held[_DOWN].flatten(1))


def _scale(held: dict[str, Tensor]) -> None:
    """LyCORIS' trained factor of the whole change, which older versions stored beside it."""
    if "scalar" in held:
        factor = held.pop("scalar")
        name = next(name for name in ("lora_up.weight", "hada_w1_a", "lokr_w1", "lokr_w1_a") if name in held)
        held[name] = held[name] * factor


def _blocks(rotations: Tensor) -> Tensor:
    """Blocks B with the rotations R = (I + Q)(I - Q)⁻¹ of Q = B - Bᵀ, which LyCORIS 1.9 stored themselves (Cayley 1846)."""
    identity = torch.eye(rotations.shape[-1])
    turned = rotations.float()
    if not torch.allclose(turned @ turned.mT, identity.expand_as(turned), atol=1e-2):
        raise ValueError(_STRETCHED)
    skew: Tensor = torch.linalg.solve(turned + identity, turned - identity)
    return (skew - skew.mT) / 4


def _unlimited(held: dict[str, Tensor], alpha: float | None) -> tuple[dict[str, Tensor], float]:
    """The rotation as its limit leaves it: ‖Q‖ is at most alpha times the outputs (kohya, LyCORIS); 0 is no limit."""
    blocks = held["oft_blocks"]
    limit = (alpha or 0.0) * blocks.shape[-3] * blocks.shape[-1]
    length = float((blocks - blocks.mT).float().norm())
    if 0 < limit < length:
        held["oft_blocks"] = blocks * (limit / length)
    return held, 0.0
