"""Parts that stop learning before the run does: from their step on they have no gradient, and no optimizer touches them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sdtui.errors import UserError
from sdtui.profile.stop_points import stop_block, stop_step

if TYPE_CHECKING:
    from torch import nn

    from sdtui.profile.schema import Profile

WORDS = "words"
"""What the names of words' groups begin with; they are no part of the model."""


class Stops:
    """Stops groups of an optimizer; what has stopped follows from the step alone, so a resumed run needs no memory of it.

    Args:
        profile: says what stops when.
        optimizer: its groups are named.
        components: tells those of the model, by the first part of a group's name; asked where one stops.
        steps: of the run.
        steps_per_epoch: for stop points that are counted in epochs.

    Raises:
        UserError: nothing would learn to the end.
    """

    def __init__(
        self,
        profile: Profile,
        optimizer: Any,
        components: Callable[[], Mapping[str, nn.Module]],
        *,
        steps: int,
        steps_per_epoch: int,
    ) -> None:
        given = profile.optimizer.stops
        keys = {group["name"]: stop_block(group["name"].removesuffix(" up"), given) for group in optimizer.param_groups}
        points = {name: given[key] for name, key in keys.items() if key}
        points |= {f"{WORDS}.{word.name}": word.stop for word in profile.method.words if word.stop is not None}
        self._at = {name: stop_step(point, steps, steps_per_epoch) for name, point in points.items()}
        self._optimizer = optimizer
        self._components = components
        self.stopped: set[str] = set()
        if keys and all(self._at.get(name, steps) < steps for name in keys):
            raise UserError(
                "all that is trained stops before the run does",
                where="optimizer.stops" if given else "method.words",
                remedy="Leave one part out, or shorten the run",
            )

    def reach(self, step: int) -> list[str]:
        """To be called before optimizer step `step` (the first is 0): stops what is due; the groups that stop just here."""
        due = [group for group in self._optimizer.param_groups if step >= self._at.get(group["name"], step + 1)]
        for group in due:
            if group["name"] not in self.stopped:
                self.stopped.add(group["name"])
                for parameter in group["params"]:
                    parameter.requires_grad_(False)
                    parameter.grad = None
        self._quieten()
        return [group["name"] for group in due if self._at[group["name"]] == step]

    def _quieten(self) -> None:
        """A component in which nothing learns any more drops nothing out any more."""
        learning = {
            _component(group["name"]) for group in self._optimizer.param_groups if group["name"] not in self.stopped
        }
        for name in {_component(name) for name in self.stopped} - learning - {WORDS}:
            self._components()[name].eval()


def _component(group: str) -> str:
    return group.partition(".")[0].removesuffix(" up")
