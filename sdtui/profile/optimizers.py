"""The optimizers by name: the class behind each, what must be installed for it, and its own arguments with their types.

Nothing is imported from them here: the profile's checks, the form and the documentation read these declarations, and
`sdtui.training.optimizer` builds what they name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from sdtui.profile.declare import About, Section
from sdtui.profile.sections.shared import FromArray

_Beta = Annotated[float, Field(ge=0, lt=1)]
_Share = Annotated[float, Field(gt=0, le=1)]


class NoArguments(Section):
    """No arguments of its own."""


class AdamW(Section):
    """AdamW (Loshchilov & Hutter 2019)."""

    amsgrad: Annotated[bool, About("Never let the second average fall.", source="Reddi et al. 2018")] = False


class EightBit(Section):
    """AdamW with its averages in 8 bits (Dettmers et al. 2022): a quarter of the memory."""

    min_8bit_size: Annotated[
        int, Field(ge=0, le=2**31), About("Tensors smaller than this keep 32 bits.", unit="values")
    ] = 4096


class Adafactor(Section):
    """Adafactor (Shazeer & Stern 2018): the second average kept as one row and one column."""

    relative_step: Annotated[
        bool, About("Take the rate from the step's number, 1 / √step; learning_rate and schedule are then not used.")
    ] = False
    scale_parameter: Annotated[bool, About("Scale each change by the size of what it changes.")] = False
    warmup_init: Annotated[bool, About("Start at 1e-6 × step; only with relative_step.")] = False
    clip_threshold: Annotated[float, Field(gt=0, le=1000), About("Largest root mean square of a change.")] = 1.0
    decay_rate: Annotated[float, Field(ge=-1, lt=0), About("How fast the average forgets: 1 - step^decay_rate.")] = -0.8
    beta1: Annotated[_Beta | None, About("Memory of a running average of the changes; left out: none is kept.")] = None
    eps: Annotated[
        tuple[_Share, _Share],
        FromArray,
        About("Added to squared gradients, and the least size that scale_parameter sees."),
    ] = (1e-30, 1e-3)


class Prodigy(Section):
    """Prodigy (Mishchenko & Defazio 2024): finds the rate itself; learning_rate multiplies it."""

    d0: Annotated[float, Field(gt=0, le=1), About("The rate it starts from.")] = 1e-6
    d_coef: Annotated[float, Field(gt=0, le=100), About("Factor on the rate it finds.")] = 1.0
    growth_rate: Annotated[
        float, Field(gt=1), About("The rate grows by no more than this factor in a step.", allowed="number above 1")
    ] = float("inf")
    bias_correction: Annotated[
        bool, About("Correct the averages' start, as Adam does.", aka=("use_bias_correction",))
    ] = False
    safeguard_warmup: Annotated[bool, About("Leave a warm-up out of the estimate.")] = False


class DAdaptAdam(Section):
    """Adam with D-Adaptation (Defazio & Mishchenko 2023): finds the rate itself; learning_rate multiplies it."""

    d0: Annotated[float, Field(gt=0, le=1), About("The rate it starts from.")] = 1e-6
    growth_rate: Annotated[
        float, Field(gt=1), About("The rate grows by no more than this factor in a step.", allowed="number above 1")
    ] = float("inf")
    bias_correction: Annotated[
        bool, About("Correct the averages' start, as Adam does.", aka=("use_bias_correction",))
    ] = False


class DAdaptLion(Section):
    """Lion with D-Adaptation: finds the rate itself; learning_rate multiplies it."""

    d0: Annotated[float, Field(gt=0, le=1), About("The rate it starts from.")] = 1e-6


class ScheduleFree(Section):
    """Schedule-free AdamW (Defazio et al. 2024): an average of all steps takes the place of a falling rate."""

    r: Annotated[float, Field(ge=0, le=10), About("Later steps weigh step^r in the average.")] = 0.0
    weight_lr_power: Annotated[float, Field(ge=0, le=10), About("Steps weigh rate^this in the average.")] = 2.0


class Came(Section):
    """CAME (Luo et al. 2023): Adafactor's memory with a confidence in each change."""

    betas: Annotated[tuple[_Beta, _Beta, _Beta], FromArray, About("Memory of its three running averages.")] = (
        0.9,
        0.999,
        0.9999,
    )
    eps1: Annotated[float, Field(gt=0, le=1), About("Added to squared gradients.")] = 1e-30
    eps2: Annotated[float, Field(gt=0, le=1), About("Added to squared residuals.")] = 1e-16
    clip_threshold: Annotated[float, Field(gt=0, le=1000), About("Largest root mean square of a change.")] = 1.0


@dataclass(frozen=True)
class Kind:
    """One optimizer.

    Args:
        path: dotted path of the class.
        arguments: what `optimizer.args` may hold.
        common: which of weight_decay, betas and eps it takes.
        fixed: what it is always given.
        finds_rate: it works out one rate for all parameters, and learning_rate only multiplies it.
        averages: what it writes is an average of its steps.
    """

    path: str
    arguments: type[Section] = NoArguments
    common: frozenset[str] = frozenset({"weight_decay", "betas", "eps"})
    fixed: dict[str, Any] = field(default_factory=dict)
    finds_rate: bool = False
    averages: bool = False

    @property
    def package(self) -> str:
        """The package that holds it."""
        return self.path.partition(".")[0]


_DECAY_AND_BETAS = frozenset({"weight_decay", "betas"})
_DECAY = frozenset({"weight_decay"})
OPTIMIZERS: dict[str, Kind] = {
    # Fused exists for CPU, CUDA, MPS and XPU, and costs a fifth of the plain one on small adapters.
    "adamw": Kind("torch.optim.adamw.AdamW", AdamW, fixed={"fused": True}),
    "adamw8bit": Kind("bitsandbytes.optim.AdamW8bit", EightBit),
    "paged-adamw8bit": Kind("bitsandbytes.optim.PagedAdamW8bit", EightBit),
    "adafactor": Kind("transformers.optimization.Adafactor", Adafactor, _DECAY),
    "lion": Kind("pytorch_optimizer.optimizer.lion.Lion", common=_DECAY_AND_BETAS),
    "prodigy": Kind("pytorch_optimizer.optimizer.prodigy.Prodigy", Prodigy, finds_rate=True),
    "dadapt-adam": Kind(
        "pytorch_optimizer.optimizer.dadapt.DAdaptAdam",
        DAdaptAdam,
        fixed={"weight_decouple": True},
        finds_rate=True,
    ),
    "dadapt-lion": Kind(
        "pytorch_optimizer.optimizer.dadapt.DAdaptLion",
        DAdaptLion,
        _DECAY_AND_BETAS,
        fixed={"weight_decouple": True},
        finds_rate=True,
    ),
    "schedule-free-adamw": Kind(
        "pytorch_optimizer.optimizer.schedulefree.ScheduleFreeAdamW", ScheduleFree, averages=True
    ),
    "came": Kind("pytorch_optimizer.optimizer.came.CAME", Came, _DECAY),
}
INSTALL = 'pip install "sdtui[optimizers]"'


def sets_own_rate(name: str, args: Mapping[str, Any]) -> bool:
    """Whether the optimizer takes its rate from the step's number, and neither learning_rate nor a schedule is used."""
    return name == "adafactor" and args.get("relative_step") is True
