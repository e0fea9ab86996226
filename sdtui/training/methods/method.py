"""The interface of a training method: prepare a model, hand out parameters, save, restore and export what was learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NotRequired, Protocol, TypedDict

from torch import Tensor, nn

from sdtui.formats.learned import Result
from sdtui.models.family import Model

if TYPE_CHECKING:
    from sdtui.profile.schema import Method as MethodSettings
    from sdtui.profile.schema import Profile


class ParameterGroup(TypedDict):
    """One optimizer group: what it is called in events and checkpoints, its parameters and its learning rate.

    With a `weight_decay` of its own the profile's is not for it.
    """

    name: str
    params: list[nn.Parameter]
    lr: float
    weight_decay: NotRequired[float]


class Trainable(Protocol):
    """A model with something to train in it. The trained parameters are fp32 whatever the base's precision."""

    @property
    def format(self) -> str | None:
        """Which of `sdtui.formats.FORMATS` holds all of it, for a usable file in each checkpoint; None: the state is enough."""

    @property
    def trains_text_encoder(self) -> bool:
        """Whether conditioning changes as it learns, so that it must not be cached."""

    @property
    def limit(self) -> Callable[[Mapping[str, float]], Tensor] | None:
        """Called after each step, with the rates of the groups that still learn, by name, where a limit on what is learned must be kept.

        It tells how many are scaled, mean and largest norm, (3,).
        """

    def remember(self) -> None:
        """Called before anything is learned or put back, where `frozen` will be asked: keep what that needs."""

    def frozen(self) -> AbstractContextManager[None]:
        """While it is open the model answers as it did before training, in the UNet as in the text encoder."""

    def parameter_groups(self, profile: Profile) -> list[ParameterGroup]:
        """Parameters by learning rate, always in the same order."""

    def state(self) -> dict[str, Tensor]:
        """The trained tensors by name, detached, fp32, for a checkpoint; they may be the trained ones themselves."""

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Put a checkpoint's tensors back; raises SdtuiError if they are of other parameters."""

    def results(self) -> Mapping[str, Result]:
        """What was learned, for `sdtui.formats.FORMATS` to write, by what a file of it is called behind the run's name.

        Words are called by their names, each in a file of its own; what learned beside them is called "".
        """


class Method(Protocol):
    """A module of `sdtui.training.methods`."""

    def prepare(self, model: Model, settings: MethodSettings, seed: int) -> Trainable:
        """Add what is to be trained to `model`; initial values depend on `seed` and module names only."""
