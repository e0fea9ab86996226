"""Full fine-tuning: the model's own weights learn, all of the UNet's or those of named layers, and the text encoders' if asked.

Nothing is added to the model, so what is written in the end is a whole model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from torch import Tensor, nn

from sdtui.errors import UserError
from sdtui.formats.learned import Result, Whole
from sdtui.models.family import Model
from sdtui.models.stable_diffusion import StableDiffusion
from sdtui.models.whole import single_file_tensors
from sdtui.profile.targets import is_wanted, left_out
from sdtui.training.methods.method import ParameterGroup
from sdtui.training.methods.parameters import by_rate, put_back

if TYPE_CHECKING:
    from sdtui.profile.schema import Method as MethodSettings
    from sdtui.profile.schema import Profile


@dataclass(frozen=True)
class Full:
    """The weights of `model` that learn, fp32, by "component.path.name" in the order of the model's modules."""

    model: StableDiffusion
    weights: dict[str, nn.Parameter]
    trains_text_encoder: bool
    format: None = None
    limit: None = None
    _base: dict[str, Tensor] = field(default_factory=dict)

    def remember(self) -> None:
        """Keep a copy of the weights that learn, on their device, for `frozen`."""
        self._base.update((name, weight.detach().clone()) for name, weight in self.weights.items())

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The remembered weights in place of those that learn; both trade their storage, so that nothing is copied."""
        self._trade()
        try:
            yield
        finally:
            self._trade()

    def parameter_groups(self, profile: Profile) -> list[ParameterGroup]:
        """See `parameters.by_rate`."""
        return by_rate(self.weights.items(), (name.rpartition(".")[0] for name in self.weights), profile)

    def state(self) -> dict[str, Tensor]:
        """The weights that learn, themselves: a copy of a whole model may not fit in memory."""
        return {name: weight.detach() for name, weight in self.weights.items()}

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Put a checkpoint's weights back; raises SdtuiError if it has others."""
        put_back(self.weights, tensors, "choice of layers")

    def results(self) -> dict[str, Result]:
        """One whole model."""
        # It imports diffusers, for which a run would tell nothing of itself for a second.
        from sdtui.models.whole_folder import folder_files

        return {"": Whole(partial(single_file_tensors, self.model), partial(folder_files, self.model))}

    def _trade(self) -> None:
        for name, base in self._base.items():
            weight = self.weights[name]
            weight.data, self._base[name] = base, weight.data


def prepare(model: Model, settings: MethodSettings, seed: int) -> Full:  # noqa: ARG001 - nothing here is random
    """Let the weights of the UNet learn and, if asked, those of the text encoders; in all layers, or in those named.

    Raises:
        UserError: the patterns choose no layer of a component that is to be trained.
    """
    assert isinstance(model, StableDiffusion)  # whose files are known
    components = model.components if settings.text_encoder else {"unet": model.unet}
    weights: dict[str, nn.Parameter] = {}
    for component in [name for name in components if name not in left_out(settings, components)]:
        chosen = dict(_chosen(components[component], component, settings))
        if not chosen:
            raise UserError(
                f"include and exclude leave no layer of the {component.replace('_', ' ')} to train",
                where="method.include" if settings.include else "method.exclude",
                remedy='Write patterns such as "*.attn2.*" or "text_encoder.*"',
            )
        weights |= chosen
    return Full(model, weights, settings.text_encoder)


def _chosen(module: nn.Module, component: str, settings: MethodSettings) -> Iterator[tuple[str, nn.Parameter]]:
    """The component's chosen weights, from now on learning."""
    for name, weight in module.named_parameters():
        if is_wanted(settings, component, name.rpartition(".")[0]):
            weight.requires_grad_(True)
            yield f"{component}.{name}", weight
