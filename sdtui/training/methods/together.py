"""Several methods in one run, each with its own parameters, rates and results: words beside an adapter are pivotal tuning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sdtui.errors import SdtuiError
from sdtui.formats.learned import Result
from sdtui.training.methods.method import ParameterGroup, Trainable

if TYPE_CHECKING:
    from sdtui.profile.schema import Profile


@dataclass(frozen=True)
class Together:
    """What `parts` train, as one; no two of them name a tensor or a result alike."""

    parts: Sequence[Trainable]

    @property
    def format(self) -> str | None:
        """That of the part that is an adapter, if one is."""
        return next((part.format for part in self.parts if part.format), None)

    @property
    def trains_text_encoder(self) -> bool:
        """Whether one of them changes what the text encoder says."""
        return any(part.trains_text_encoder for part in self.parts)

    @property
    def limit(self) -> Callable[[Mapping[str, float]], Tensor] | None:
        """All their limits in a row: so many scaled in all, the mean over those that keep one, the largest of all."""
        limits = [part.limit for part in self.parts if part.limit is not None]
        if not limits:
            return None

        def keep(rates: Mapping[str, float]) -> Tensor:
            told = torch.stack([limit(rates) for limit in limits])
            return torch.stack([told[:, 0].sum(), told[:, 1].mean(), told[:, 2].max()])

        return keep

    def remember(self) -> None:
        """Each keeps what it was."""
        for part in self.parts:
            part.remember()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """All of them as they were."""
        with ExitStack() as stack:
            for part in self.parts:
                stack.enter_context(part.frozen())
            yield

    def parameter_groups(self, profile: Profile) -> list[ParameterGroup]:
        """One after the other."""
        return [group for part in self.parts for group in part.parameter_groups(profile)]

    def state(self) -> dict[str, Tensor]:
        """All their tensors."""
        return {name: tensor for part in self.parts for name, tensor in part.state().items()}

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Give each its own back.

        Raises:
            SdtuiError: the checkpoint is of other parts.
        """
        names = [part.state().keys() for part in self.parts]
        strange = tensors.keys() - {name for own in names for name in own}
        if strange:
            raise SdtuiError(f"the checkpoint is of another method: {min(strange)} is not trained")
        for part, own in zip(self.parts, names, strict=True):
            part.load_state({name: tensor for name, tensor in tensors.items() if name in own})

    def results(self) -> dict[str, Result]:
        """All their results."""
        return {name: made for part in self.parts for name, made in part.results().items()}
