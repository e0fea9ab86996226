"""The optimizer's step inside the backward pass: each gradient is applied and freed as soon as it is complete.

So at no time do all gradients exist: of a whole model they take as much memory as its weights. What needs all of them
before the first is applied (one norm to clip by, a mean over several passes or processes) cannot go with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class FusedBackward:
    """Hooks on all parameters of an optimizer, each of which is stepped alone, as if it were the only one.

    For optimizers that treat every parameter by itself; a count of steps that one keeps for a group moves once for each
    backward pass.

    Args:
        optimizer: torch's.
        mark: told of each gradient's sum of squares, before it is applied.
        step: applies the one gradient that there is.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, mark: Callable[[Tensor], None], step: Callable[[], None]
    ) -> None:
        self._optimizer = optimizer
        self._mark = mark
        self._step = step
        # By their numbers: an optimizer whose state is put back from a checkpoint has new groups.
        self._places = {
            parameter: number for number, group in enumerate(optimizer.param_groups) for parameter in group["params"]
        }
        # What each group's own numbers were before the pass, by its name.
        self._before: dict[str, dict[str, Any]] = {}
        self._squares: list[Tensor] = []
        for parameter in self._places:
            parameter.register_post_accumulate_grad_hook(self._apply)

    def norm(self) -> Tensor:
        """The norm of all gradients of the pass that has ended, which are gone; 0 where nothing took part in it."""
        squares, self._squares = self._squares, []
        self._before.clear()
        return torch.stack(squares or [torch.zeros((), device=next(iter(self._places)).device)]).sum().sqrt()

    @torch.no_grad()
    def _apply(self, parameter: nn.Parameter) -> None:
        assert parameter.grad is not None
        square = parameter.grad.float().square().sum()
        self._squares.append(square)
        self._mark(square)
        every = self._optimizer.param_groups
        group = every[self._places[parameter]]
        # All of a group are stepped from the same numbers, which some keep there, such as a count of steps.
        before = self._before.setdefault(group["name"], dict(group))
        group.clear()
        group.update(before, params=[parameter])
        self._optimizer.param_groups = [group]
        try:
            self._step()
        finally:
            self._optimizer.param_groups, group["params"] = every, before["params"]
        parameter.grad = None
