"""Low-rank adaptation (Hu et al. 2021): each chosen weight W becomes W + alpha/rank · up @ down, and only those learn."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from sdtui.errors import SdtuiError, UserError
from sdtui.formats.lowrank import LowRank
from sdtui.models.family import Model
from sdtui.training.methods.method import ParameterGroup

if TYPE_CHECKING:
    from sdtui.profile.schema import Method as MethodSettings
    from sdtui.profile.schema import Profile

ADAPTER = "default"
# What each target means in each component: the ends of module paths. SD 1.5 has 128 + 32 + 32 and, in CLIP-L, 48 + 24.
TARGETS: dict[str, dict[str, tuple[str, ...]]] = {
    "unet": {
        "attention": ("to_q", "to_k", "to_v", "to_out.0"),
        "feed-forward": ("ff.net.0.proj", "ff.net.2"),
        "projection": ("proj_in", "proj_out"),
    },
    "text_encoder": {
        "attention": ("q_proj", "k_proj", "v_proj", "out_proj"),
        "feed-forward": ("fc1", "fc2"),
        "projection": (),
    },
}


@dataclass(frozen=True)
class Lora:
    """The adapters in a model, by "component.path" in the order of the model's modules."""

    layers: dict[str, Any]
    alpha: float
    trains_text_encoder: bool
    format: str = "kohya"

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The base model alone: the adapters are passed by, and come back as they were."""
        # PEFT takes gradients off with the adapters and puts them on again for all, also for those with factor 0.
        learning = [(weight, weight.requires_grad) for _, weight in self._named()]
        self._enable(adapters=False)
        try:
            yield
        finally:
            self._enable(adapters=True)
            for weight, learns in learning:
                weight.requires_grad_(learns)

    def parameter_groups(self, profile: Profile) -> list[ParameterGroup]:
        """A group for each rate: by component, by the blocks that have a factor, and by factor of the product (LoRA+).

        What has factor 0 is not trained, and is in no group.

        Raises:
            UserError: a block is none of the model's, or nothing is left to train.
        """
        optimizer = profile.optimizer
        rates = {
            "unet": optimizer.learning_rate,
            "text_encoder": optimizer.text_encoder_learning_rate or optimizer.learning_rate,
        }
        blocks = {_whole_path(block): factor for block, factor in optimizer.block_rates.items()}
        self._check_blocks(blocks)
        groups: dict[str, ParameterGroup] = {}
        for name, weight in self._named():
            component = name.partition(".")[0]
            block = max((block for block in blocks if _starts(name, block)), key=len, default="")
            factor = blocks.get(block, 1.0)
            weight.requires_grad_(factor > 0)
            if not factor:
                continue
            up = optimizer.lora_plus_ratio != 1 and name.endswith(".up")
            group = f"{block or component}{' up' if up else ''}"
            rate = rates[component] * factor * (optimizer.lora_plus_ratio if up else 1)
            groups.setdefault(group, ParameterGroup(name=group, params=[], lr=rate))["params"].append(weight)
        if not groups:
            raise UserError("block_rates leave nothing to train", where="optimizer.block_rates")
        return list(groups.values())

    def state(self) -> dict[str, Tensor]:
        """`<component>.<path>.down` and `.up`, fp32 copies."""
        return {name: weight.detach().clone() for name, weight in self._named()}

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Put a checkpoint's tensors back in place.

        Raises:
            SdtuiError: the checkpoint is of an adapter with other modules or another rank.
        """
        own = dict(self._named())
        if own.keys() != tensors.keys():
            odd = min(own.keys() ^ tensors.keys())
            raise SdtuiError(f"the checkpoint is of another adapter: {odd} is in one of the two only")
        with torch.no_grad():
            for name, weight in own.items():
                if weight.shape != tensors[name].shape:
                    raise SdtuiError(
                        f"the checkpoint's {name} is {list(tensors[name].shape)}, not {list(weight.shape)}"
                    )
                weight.copy_(tensors[name])

    def export(self) -> Sequence[LowRank]:
        """The factors of every adapted module."""
        learned = []
        for name, layer in self.layers.items():
            component, path = name.split(".", 1)
            learned.append(LowRank(component, path, _down(layer).detach(), _up(layer).detach(), self.alpha))
        return learned

    def _enable(self, *, adapters: bool) -> None:
        for layer in self.layers.values():
            layer.enable_adapters(adapters)

    def _named(self) -> Iterator[tuple[str, nn.Parameter]]:
        for name, layer in self.layers.items():
            yield f"{name}.down", _down(layer)
            yield f"{name}.up", _up(layer)

    def _check_blocks(self, blocks: Iterable[str]) -> None:
        for block in blocks:
            if not any(_starts(name, block) for name in self.layers):
                parts = sorted({".".join(name.split(".")[: block.count(".") + 1]) for name in self.layers})
                near = difflib.get_close_matches(block, parts, n=1)
                raise UserError(
                    f"no trained layer is in {block}; there are: {', '.join(parts)}",
                    where="optimizer.block_rates",
                    remedy=f"Did you mean {near[0]}?" if near else "",
                )


def prepare(model: Model, settings: MethodSettings, seed: int) -> Lora:
    """Wrap the chosen modules of the UNet and, if asked, of the text encoder with PEFT's LoRA layers.

    `down` starts as kaiming_uniform(a=√5), that is U(±1/√fan_in), and `up` as zero, so training starts at the base
    model. Each `down` is drawn from (seed, its name) alone: adding the text encoder leaves the UNet's start as it was.
    All modules are left in evaluation mode; dropout acts on those that the caller puts in training mode.

    Raises:
        UserError: the targets choose no module of a component that is to be trained.
    """
    layers = dict(_adapt(model.unet, "unet", settings))
    if settings.text_encoder:
        layers |= _adapt(model.text_encoder, "text_encoder", settings)
    for name, layer in layers.items():
        _initialise(name, layer, seed)
    return Lora(layers, float(settings.alpha), trains_text_encoder=settings.text_encoder)


def _whole_path(block: str) -> str:
    """A block's path with its component: the UNet's blocks may be named without."""
    return block if block.partition(".")[0] in TARGETS else f"unet.{block}"


def _starts(name: str, block: str) -> bool:
    """Whether the module path `name` lies in `block`: down_blocks.1 is not in down_blocks.10."""
    return name == block or name.startswith(f"{block}.")


def _adapt(module: nn.Module, component: str, settings: MethodSettings) -> Iterator[tuple[str, Any]]:
    endings = [ending for target in settings.targets for ending in TARGETS[component][target]]
    if not endings:
        chosen = ", ".join(settings.targets) or "nothing"
        raise UserError(
            f"targets choose no module of the {component.replace('_', ' ')} ({chosen})",
            where="method.targets",
            remedy='Add "attention" or "feed-forward"',
        )
    config = LoraConfig(
        r=settings.rank, lora_alpha=settings.alpha, lora_dropout=settings.dropout, target_modules=endings, bias="none"
    )
    # PEFT draws its own initial values from torch's global generator; nothing else may notice.
    with torch.random.fork_rng(devices=[]):
        inject_adapter_in_model(config, module, ADAPTER)
    module.eval()  # PEFT's dropouts come in training mode; the run turns that on for all at once
    for path, child in module.named_modules():
        if isinstance(child, LoraLayer):
            yield f"{component}.{path}", child


def _initialise(name: str, layer: Any, seed: int) -> None:
    source = int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "little") >> 1
    generator = torch.Generator().manual_seed(source)
    down, up = _down(layer), _up(layer)
    bound = down[0].numel() ** -0.5
    start = torch.empty(down.shape).uniform_(-bound, bound, generator=generator)
    down.data = start.to(down.device)
    up.data = torch.zeros(up.shape, device=up.device)


def _down(layer: Any) -> nn.Parameter:
    return cast("nn.Parameter", layer.lora_A[ADAPTER].weight)


def _up(layer: Any) -> nn.Parameter:
    return cast("nn.Parameter", layer.lora_B[ADAPTER].weight)
