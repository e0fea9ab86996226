"""The profile's optimizer on the trainable parameters, and the one step that clips, refuses what is not finite, and applies the rest."""

from __future__ import annotations

import difflib
import importlib
import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sdtui.errors import UserError
from sdtui.profile.optimizers import INSTALL, OPTIMIZERS
from sdtui.training.ema import MovingAverage
from sdtui.training.fused_backward import FusedBackward

if TYPE_CHECKING:
    from sdtui.profile.schema import Optimizer
    from sdtui.training.methods.method import ParameterGroup

_LEAST_SCALE = 1.0


def build(groups: Sequence[ParameterGroup], settings: Optimizer) -> torch.optim.Optimizer:
    """The optimizer over `groups` ({"params", "name", "lr"}), with each group's base rate kept as `base_lr`.

    Raises:
        UserError: as `resolve`, or the class refuses its arguments.
    """
    parameters = [{**group, "base_lr": group["lr"]} for group in groups]
    kind, arguments = resolve(settings)
    try:
        optimizer: torch.optim.Optimizer = kind(parameters, **arguments)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"{settings.name} refuses its arguments: {error}", where="optimizer.args") from error
    return optimizer


def resolve(settings: Optimizer) -> tuple[type[torch.optim.Optimizer], dict[str, Any]]:
    """The class behind the profile's name, and the arguments that it gets besides parameters and rates.

    Raises:
        UserError: it is not installed, is no optimizer, or has no such argument.
    """
    kind = OPTIMIZERS.get(settings.name)
    cls = _load(kind.path if kind else settings.name, settings.name)
    given = {name: getattr(settings, name) for name in ("weight_decay", "betas", "eps")}
    chosen = {name: value for name, value in given.items() if value is not None}
    if kind is None:
        arguments = {**chosen, **settings.args}
        _check_names(cls, arguments)
    else:
        own = kind.arguments.model_validate(settings.args).model_dump(exclude_none=True)
        arguments = {**kind.fixed, **chosen, **own}
    return cls, arguments


def set_rates(optimizer: torch.optim.Optimizer, factor: float) -> dict[str, float]:
    """Set every group's rate to its base rate times `factor`; returns the rates in force by group name.

    In force is what an optimizer that finds the rate itself makes of it, by the steps done so far.
    """
    rates = {}
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * factor
        rates[group["name"]] = _rate_in_force(optimizer, group)
    return rates


class GuardedStep:
    """Clips gradients and applies them, unless a loss or gradient was not finite: then this and every later step is void.

    The flag lives on the device. A fused optimizer reads it there, so the host learns of it with the loss, one step
    late, and never has to wait; for any other the host reads it before each step. Either way parameters and moments
    stay as they were before the bad step.

    Args:
        accelerator: scales (fp16) and clips.
        optimizer: one wrapped by the accelerator.
        clip_norm: largest norm of all gradients together; 0 leaves them as they are.
        ema_decay: of the moving average of the weights; 0 keeps none.
        limit: keeps a limit on the weights after each step, given the rates of the groups that still learn, and says how many it scaled, mean and largest norm, (3,).
        fused_backward: apply each gradient within the backward pass; a pass whose gradients turn out not to be finite is
            then void from the first such gradient on.

    Raises:
        UserError: a moving average is wanted of an optimizer that averages by itself, or gradients that are scaled
            shall be applied within the pass.
    """

    def __init__(
        self,
        accelerator: Any,
        optimizer: Any,
        clip_norm: float,
        ema_decay: float = 0.0,
        limit: Callable[[Mapping[str, float]], Tensor] | None = None,
        *,
        fused_backward: bool = False,
    ) -> None:
        self._accelerator = accelerator
        self.optimizer = optimizer
        self._clip_norm = clip_norm or math.inf
        # A list: an iterator would be used up by the optimizer and leave nothing to clip.
        self.parameters: list[Tensor] = [p for group in optimizer.param_groups for p in group["params"]]
        self.failed = torch.zeros((), device=self.parameters[0].device)
        self._limit = limit
        # What `limit` said last; nothing where there is none.
        self.norms = torch.zeros(0, device=self.parameters[0].device)
        # torch's own mark on optimizers whose kernel reads `found_inf`.
        self._reads_flag = getattr(optimizer.optimizer, "_step_supports_amp_scaling", False)
        if accelerator.scaler is not None:
            # The scale comes into being when something is scaled, and a process may have no batch in the first step.
            accelerator.scaler.scale(self.failed)
        self._averages = callable(getattr(optimizer.optimizer, "eval", None))
        if self._averages:
            # Some schedule-free classes start with the average and refuse to step on it.
            optimizer.optimizer.train()
        if self._averages and ema_decay:
            raise UserError(
                f"{type(optimizer.optimizer).__name__} averages its steps itself",
                where="training.ema_decay",
                remedy="Leave it out, or choose another optimizer",
            )
        self.average = MovingAverage(self.parameters, ema_decay) if ema_decay else None
        if fused_backward and accelerator.scaler is not None:
            raise UserError(
                "training.fused_backward does not go with fp16, whose gradients are scaled",
                where="training.fused_backward",
                remedy='Set training.precision = "bf16", or leave fused_backward out',
            )
        self.fused = (
            FusedBackward(optimizer.optimizer, self._mark, self._step_unless_failed) if fused_backward else None
        )

    def __call__(self, loss: Tensor) -> Tensor:
        """Apply the gradients of `loss` (a detached scalar) and clear them; returns their norm before clipping."""
        if self.fused is not None:
            norm = self.fused.norm()
            self._mark(loss + norm)
        elif all(parameter.grad is None for parameter in self.parameters):
            # Nothing took part in the step.
            norm = torch.zeros_like(loss)
            self._mark(loss)
        elif self._accelerator.scaler is None:
            norm = self._clip()
            self._mark(loss + norm)
            self._step_unless_failed()
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
        if self._limit is not None:
            self.norms = self._limit(self._rates())
        if self.average is not None:
            self.average.update(torch.maximum(self.failed, _not_finite(norm)))
        return norm

    def discard(self) -> None:
        """Forget the gradients of a step that could not be finished."""
        self.optimizer.zero_grad()

    @contextmanager
    def finished_weights(self) -> Iterator[None]:
        """The weights as they are to be used, where these are not those that steps are taken on: the moving average,
        or that of a schedule-free optimizer.

        With the latter, going there and back by the optimizer's own arithmetic would cost the last bits, and a run that looked at a
        preview would end elsewhere than one that did not: the weights are put back as they were.
        """
        if self.average is not None:
            with self.average.in_place():
                yield
            return
        if not self._averages:
            yield
            return
        inner = self.optimizer.optimizer
        kept = [parameter.detach().clone() for parameter in self.parameters]
        inner.eval()
        try:
            yield
        finally:
            inner.train()
            with torch.no_grad():
                for parameter, before in zip(self.parameters, kept, strict=True):
                    parameter.copy_(before)

    def _rates(self) -> dict[str, float]:
        """Of the groups that still learn, by name."""
        groups = self.optimizer.param_groups
        return {group["name"]: group["lr"] for group in groups if any(each.requires_grad for each in group["params"])}

    def scaler_state(self) -> dict[str, Any]:
        """The fp16 loss scale and how long it has held; empty in other precisions."""
        scaler = self._accelerator.scaler
        return {} if scaler is None else dict(scaler.state_dict())

    def restore_scaler(self, state: dict[str, Any]) -> None:
        """Put back what `scaler_state` gave."""
        if state and self._accelerator.scaler is not None:
            self._accelerator.scaler.load_state_dict(state)

    def _step_unless_failed(self) -> None:
        if self._reads_flag:
            self.optimizer.optimizer.found_inf = self.failed
            self.optimizer.step()
        elif not self.failed:
            self.optimizer.step()

    def _clip(self) -> Tensor:
        self._accelerator.unscale_gradients()
        return torch.nn.utils.clip_grad_norm_(self.parameters, self._clip_norm, foreach=True).detach()

    def _mark(self, value: Tensor) -> None:
        self.failed = torch.maximum(self.failed, _not_finite(value))

    def _poison(self) -> None:
        gradient = next(p.grad for p in self.parameters if p.grad is not None)
        gradient.add_(torch.where(self.failed > 0, math.nan, 0.0).to(gradient.dtype))


def _not_finite(value: Tensor) -> Tensor:
    return 1 - torch.isfinite(value).float()


def _load(path: str, name: str) -> type[torch.optim.Optimizer]:
    module, _, attribute = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError as error:
        known = name in OPTIMIZERS
        needed = path.partition(".")[0] if known else error.name or module
        raise UserError(
            f"{name} needs the package {needed}, which cannot be imported: {error}",
            where="optimizer.name",
            remedy=INSTALL if known else f"Install {needed}, or choose another optimizer",
        ) from error
    if not (isinstance(found, type) and issubclass(found, torch.optim.Optimizer)):
        raise UserError(f"{path} is no optimizer class of PyTorch", where="optimizer.name")
    return found


def _check_names(cls: type[torch.optim.Optimizer], arguments: dict[str, Any]) -> None:
    """A class that takes `**kwargs` would swallow a misspelt argument and train without it."""
    known = [name for name in inspect.signature(cls).parameters if name not in {"params", "lr", "kwargs"}]
    for name in arguments:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise UserError(
                f"{cls.__name__} has no argument {name}; it has: {', '.join(known)}",
                where=f"optimizer.args.{name}",
                remedy=f"Did you mean {near[0]}?" if near else "Leave it out",
            )


def _rate_in_force(optimizer: torch.optim.Optimizer, group: dict[str, Any]) -> float:
    if group.get("relative_step"):
        # Adafactor, before scale_parameter: transformers.optimization.Adafactor._get_lr.
        done = optimizer.state.get(group["params"][0], {}).get("step", 0)
        return float(min(1e-6 * (done + 1) if group["warmup_init"] else 1e-2, (done + 1) ** -0.5))
    return float(group["lr"]) * float(group.get("d", 1.0))
