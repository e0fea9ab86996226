"""A limit on the norm of each layer's change, kept after every step without the host waiting for the device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from sdtui.training.methods.adapters import Adapter
from sdtui.training.methods.adapters.layer import Difference
from sdtui.training.methods.adapters.lora import LowRank


class NormLimit:
    """Scales down what is longer than `limit`, each factor of a product alike (kohya's scale_weight_norms)."""

    def __init__(self, layers: Iterable[Adapter], limit: float) -> None:
        self._limit = limit
        alike: dict[tuple[torch.Size, ...], list[Difference]] = {}
        for layer in layers:
            if isinstance(layer, Difference):
                alike.setdefault(tuple(factor.shape for factor in layer.factors()), []).append(layer)
        # Layers of equal shapes, each with the scales they have, on the device once and for all.
        self._batches = [(same, _scales(same)) for same in alike.values()]

    @torch.no_grad()
    def __call__(self, rates: Mapping[str, float]) -> Tensor:  # noqa: ARG002 - the limit is the same at any rate
        """Keep the limit; returns how many layers were scaled, and mean and largest norm after that, (3,)."""
        scaled, norms = [], []
        for layers, scales in self._batches:
            before = _norms(layers, scales)
            # kohya's lower bound: what is far below the limit is left alone, without dividing by nothing.
            bounded = before.clamp(min=self._limit / 2)
            ratio = bounded.clamp(max=self._limit) / bounded
            factors = [layer.factors() for layer in layers]
            share = ratio ** (1 / len(factors[0]))
            for same in zip(*factors, strict=True):
                torch._foreach_mul_(list(same), list(share.unbind()))
            scaled.append(ratio != 1)
            norms.append(before * ratio)
        every = torch.cat(norms)
        return torch.stack([torch.cat(scaled).sum().float(), every.mean(), every.max()])


def _scales(layers: Sequence[Difference]) -> Tensor:
    return torch.tensor([layer.scale for layer in layers], device=layers[0].factors()[0].device)


def _norms(layers: Sequence[Difference], scales: Tensor) -> Tensor:
    """‖ΔW‖ of layers of equal shapes, (M,)."""
    if not isinstance(layers[0], LowRank):
        return torch.stack([layer.change().norm() for layer in layers])
    # ‖BA‖² = tr((BᵀB)(AAᵀ)): products of rank × rank values in place of the whole change.
    down = torch.stack([layer.factors()[0].flatten(1) for layer in layers])  # (M, r, in · k²)
    up = torch.stack([layer.factors()[1].flatten(1) for layer in layers])  # (M, out, r)
    squares = ((up.mT @ up) * (down @ down.mT)).sum(dim=(1, 2))
    return squares.clamp(min=0).sqrt() * scales
