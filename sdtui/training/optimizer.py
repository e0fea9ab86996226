"""AdamW on the trainable parameters, and the one step that clips, refuses what is not finite, and applies the rest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from sdtui.profile.schema import Optimizer
    from sdtui.training.methods.method import ParameterGroup

_LEAST_SCALE = 1.0


def build_adamw(groups: Sequence[ParameterGroup], settings: Optimizer) -> torch.optim.AdamW:
    """Fused AdamW over `groups` ({"params", "name", "lr"}), with each group's base rate kept as `base_lr`.

    Fused exists for CPU, CUDA, MPS and XPU, costs a fifth of the plain one on small adapters, and is what lets a step
    be refused on the device (`found_inf`). Weight decay is decoupled (Loshchilov & Hutter 2019).
    """
    parameters = [{**group, "base_lr": group["lr"]} for group in groups]
    beta1, beta2 = settings.betas
    return torch.optim.AdamW(
        parameters, betas=(beta1, beta2), eps=settings.eps, weight_decay=settings.weight_decay, fused=True
    )


def set_rates(optimizer: torch.optim.Optimizer, factor: float) -> dict[str, float]:
    """Set every group's rate to its base rate times `factor`; returns the rates by group name."""
    rates = {}
    for group in optimizer.param_groups:
        group["lr"] = rates[group["name"]] = group["base_lr"] * factor
    return rates


class GuardedStep:
    """Clips gradients and applies them, unless a loss or gradient was not finite: then this and every later step is void.

    The flag lives on the device and the fused kernel reads it there, so the host learns of it with the loss, one step
    late, and never has to wait; until then parameters and moments stay as they were before the bad step.

    Args:
        accelerator: scales (fp16) and clips.
        optimizer: a fused one, wrapped by the accelerator.
        clip_norm: largest norm of all gradients together; 0 leaves them as they are.
    """

    def __init__(self, accelerator: Any, optimizer: Any, clip_norm: float) -> None:
        self._accelerator = accelerator
        self.optimizer = optimizer
        self._clip_norm = clip_norm or math.inf
        # A list: an iterator would be used up by the optimizer and leave nothing to clip.
        self.parameters: list[Tensor] = [p for group in optimizer.param_groups for p in group["params"]]
        self.failed = torch.zeros((), device=self.parameters[0].device)

    def __call__(self, loss: Tensor) -> Tensor:
        """Apply the gradients of `loss` (a detached scalar) and clear them; returns their norm before clipping."""
        if self._accelerator.scaler is None:
            norm = self._clip()
            self._mark(loss + norm)
            self.optimizer.optimizer.found_inf = self.failed
        else:
            # The fp16 scaler skips steps whose gradients overflow and goes on; the loss tells of a failure. It
            # overwrites found_inf itself, so a failure reaches it as a gradient that is not finite.
            self._mark(loss)
            self._poison()
            norm = self._clip()
            # Below 1 it is no longer the scale that makes gradients overflow: they would be skipped for ever.
            scale = self._accelerator.scaler.scale(torch.ones_like(loss))
            self._mark(torch.where(scale < _LEAST_SCALE, norm, loss))
        self.optimizer.step()
        self.optimizer.zero_grad()
        return norm

    def scaler_state(self) -> dict[str, Any]:
        """The fp16 loss scale and how long it has held; empty in other precisions."""
        scaler = self._accelerator.scaler
        return {} if scaler is None else dict(scaler.state_dict())

    def restore_scaler(self, state: dict[str, Any]) -> None:
        """Put back what `scaler_state` gave."""
        if state and self._accelerator.scaler is not None:
            self._accelerator.scaler.load_state_dict(state)

    def _clip(self) -> Tensor:
        self._accelerator.unscale_gradients()
        return torch.nn.utils.clip_grad_norm_(self.parameters, self._clip_norm, foreach=True).detach()

    def _mark(self, value: Tensor) -> None:
        self.failed = torch.maximum(self.failed, 1 - torch.isfinite(value).float())

    def _poison(self) -> None:
        gradient = next(p.grad for p in self.parameters if p.grad is not None)
        gradient.add_(torch.where(self.failed > 0, math.nan, 0.0).to(gradient.dtype))
