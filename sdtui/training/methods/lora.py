"""Adapters: something small beside each chosen layer of a frozen model, and only that learns.

What is added is the algorithm's affair (`adapters`), which layers it is added to the targets' (`sdtui.profile.targets`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from sdtui.errors import UserError
from sdtui.formats import learned
from sdtui.models.family import Model
from sdtui.profile.factors import Site, shapes
from sdtui.profile.size import is_chosen
from sdtui.profile.targets import left_out, strength, whole_path
from sdtui.training.methods.adapters import ALGORITHMS, Adapter, Norm
from sdtui.training.methods.adapters.layer import Plan
from sdtui.training.methods.continuing import take_up
from sdtui.training.methods.method import ParameterGroup
from sdtui.training.methods.norm_limit import NormLimit
from sdtui.training.methods.parameters import by_rate, put_back, require_blocks

if TYPE_CHECKING:
    from sdtui.profile.schema import Method as MethodSettings
    from sdtui.profile.schema import Profile

_NORMS = (nn.GroupNorm, nn.LayerNorm)


@dataclass(frozen=True)
class Lora:
    """The adapters in a model, by "component.path" in the order of the model's modules."""

    layers: dict[str, Adapter]
    family: str
    trains_text_encoder: bool
    limit: NormLimit | None = None
    format: str = "kohya"

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The base model alone: the adapters are passed by, and come back as they were."""
        self._activate(active=False)
        try:
            yield
        finally:
            self._activate(active=True)

    def remember(self) -> None:
        """Nothing to keep: the base lies untouched beside the adapters."""

    def parameter_groups(self, profile: Profile) -> list[ParameterGroup]:
        """See `parameters.by_rate`."""
        return by_rate(self._named(), self.layers, profile)

    def state(self) -> dict[str, Tensor]:
        """`<component>.<path>.down` and `.up`, or what else the algorithm learns, fp32 copies."""
        return {name: weight.detach().clone() for name, weight in self._named()}

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Put a checkpoint's tensors back in place.

        Raises:
            SdtuiError: the checkpoint is of an adapter with other modules or another rank.
        """
        put_back(dict(self._named()), tensors, "adapter")

    def export(self) -> learned.Adapter:
        """What was learned in every adapted layer."""
        layers = []
        for name, layer in self.layers.items():
            component, path = name.split(".", 1)
            layers.append(learned.Learned(component, path, layer.tensors(), layer.file_alpha()))
        return learned.Adapter(self.family, layers)

    def results(self) -> dict[str, learned.Result]:
        """One adapter."""
        return {"": self.export()}

    def _activate(self, *, active: bool) -> None:
        for layer in self.layers.values():
            layer.active = active

    def _named(self) -> Iterator[tuple[str, nn.Parameter]]:
        for name, layer in self.layers.items():
            for part in layer.learned:
                yield f"{name}.{part}", layer.get_parameter(part)


def prepare(model: Model, settings: MethodSettings, seed: int) -> Lora:
    """Put an adapter in the place of the chosen layers of the UNet and, if asked, of the text encoders.

    Training starts at the base model. What is random in an adapter is drawn from (seed, its layer's name) alone: adding
    the text encoder leaves the UNet's start as it was. All modules are left in evaluation mode; dropout acts on those
    that the caller puts in training mode.

    Raises:
        UserError: the targets choose no module of a component that is to be trained, a block is none of the model's, or
            `continue_from` does not fit.
    """
    components = model.components if settings.text_encoder else {"unet": model.unet}
    asked = [component for component in components if component not in left_out(settings, components)]
    layers = {name: layer for component in asked for name, layer in _adapt(components[component], component, settings)}
    for name, layer in layers.items():
        layer.start(_generator(seed, name))
    if settings.continue_from:
        take_up(Path(settings.continue_from), model.family, layers)
    limit = NormLimit(layers.values(), settings.scale_weight_norms) if settings.scale_weight_norms else None
    return Lora(layers, model.family, settings.text_encoder, limit)


def _adapt(module: nn.Module, component: str, settings: MethodSettings) -> Iterator[tuple[str, Adapter]]:
    """Adapters for the chosen layers of a component, each already in its layer's place."""
    sites = [(site, layer) for path, layer in module.named_modules() if (site := _site(component, path, layer))]
    targets = [(site, layer) for site, layer in sites if is_chosen(settings, site)]
    if not targets:
        chosen = ", ".join(settings.targets)
        narrowed = " with include and exclude" if settings.include or settings.exclude else ""
        raise UserError(
            f"targets choose no module of the {component.replace('_', ' ')} ({chosen}{narrowed})",
            where="method.targets",
            remedy='Add "attention" or "feed-forward"',
        )
    for key, blocks in (("block_ranks", settings.block_ranks), ("block_alphas", settings.block_alphas)):
        own = [block for block in map(whole_path, blocks) if block.partition(".")[0] == component]
        require_blocks(own, [f"{component}.{site.path}" for site, _ in targets], f"method.{key}")
    for site, layer in targets:
        plan = _plan(settings, site)
        if not plan.rank:
            continue
        kind = Norm if site.norm else ALGORITHMS[settings.algorithm]
        adapter = kind(layer, plan).eval()
        module.set_submodule(site.path, adapter)
        yield f"{component}.{site.path}", adapter


def _site(component: str, path: str, layer: Any) -> Site | None:
    """The layer as something can be added to it; None for one of another kind."""
    has_bias = getattr(layer, "bias", None) is not None
    if isinstance(layer, nn.Linear):
        return Site(component, path, layer.out_features, layer.in_features, bias=has_bias)
    if isinstance(layer, nn.Conv2d) and layer.groups == 1:
        return Site(component, path, layer.out_channels, layer.in_channels, tuple(layer.kernel_size), bias=has_bias)
    if isinstance(layer, _NORMS) and has_bias:
        return Site(component, path, layer.weight.numel(), layer.weight.numel(), norm=True)
    return None


def _plan(settings: MethodSettings, site: Site) -> Plan:
    rank, alpha = strength(settings, site.component, site.path, spatial=site.spatial)
    try:
        added = shapes(settings, site, rank) if rank else {}
    except ValueError as error:
        raise UserError(f"{site.component}.{site.path}: {error}", where="method.algorithm") from error
    return Plan(
        site, added, rank, alpha, settings.rs_lora, settings.dropout, settings.rank_dropout, settings.module_dropout
    )


def _generator(seed: int, name: str) -> torch.Generator:
    source = int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "little") >> 1
    return torch.Generator().manual_seed(source)
