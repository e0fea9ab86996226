"""How gradients become changes, and how the rate of change moves over a run."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from sdtui.profile.declare import About, Section
from sdtui.profile.sections.shared import FromArray, StopPoint

OptimizerName = Literal[
    "adamw",
    "adamw8bit",
    "paged-adamw8bit",
    "adafactor",
    "lion",
    "prodigy",
    "dadapt-adam",
    "dadapt-lion",
    "schedule-free-adamw",
    "came",
]
_ClassPath = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")]
_Beta = Annotated[float, Field(ge=0, lt=1)]
_OWN = "left out: the optimizer's own default"


class Optimizer(Section):
    """How gradients become changes."""

    name: Annotated[
        OptimizerName | _ClassPath,
        About(
            "The update rule, or the dotted path of a class such as torch.optim.RAdam. "
            'All but adamw and adafactor need the extra: pip install "sdtui[optimizers]".',
            allowed=", ".join(get_args(OptimizerName)) + ", or the dotted path of a class",
            aka=("optimizer_type",),
        ),
    ] = "adamw"
    args: Annotated[
        dict[str, Any],
        About(
            "The optimizer's own arguments, listed for each below: [optimizer.args] with relative_step = true.",
            aka=("optimizer_args",),
        ),
    ] = {}  # noqa: RUF012 - pydantic copies defaults
    learning_rate: Annotated[
        float,
        Field(gt=0, le=1),
        About(
            "Size of each change, at the top of the schedule. 1e-4 is usual for LoRA; 1 for prodigy and dadapt, which "
            "find the rate themselves.",
            source="diffusers' LoRA example",
            aka=("lr", "unet_lr"),
        ),
    ] = 1e-4
    text_encoder_learning_rate: Annotated[
        float,
        Field(ge=0, le=1),
        About(
            "Learning rate of the text encoder; 0: the same as learning_rate. Half of it or less is usual.",
            aka=("text_encoder_lr",),
        ),
    ] = 0.0
    lora_plus_ratio: Annotated[
        float,
        Field(gt=0, le=1000),
        About(
            "The up matrices learn at this multiple of the down matrices' rate; 16 is the paper's, 1: off.",
            source="Hayou et al. 2024, LoRA+",
            aka=("loraplus_lr_ratio", "loraplus_unet_lr_ratio", "loraplus_text_encoder_lr_ratio"),
        ),
    ] = 1.0
    block_rates: Annotated[
        dict[str, Annotated[float, Field(ge=0, le=100)]],
        About(
            "Factors on the learning rate of parts of the model, by the start of their path: "
            '{ "down_blocks.0" = 0.5, mid_block = 0.0 }. The longest that fits counts; 0: not trained.',
            allowed="a table of path = factor 0…100",
            aka=("block_lr", "down_lr_weight", "mid_lr_weight", "up_lr_weight"),
        ),
    ] = {}  # noqa: RUF012 - pydantic copies defaults
    stops: Annotated[
        dict[str, StopPoint],
        About(
            "Parts of the model that stop learning while the rest goes on, by the start of their path: "
            '{ text_encoder = 0.5 }. After so many steps (500), a share of the run (0.5) or epochs ("3 epochs"). SDXL\'s '
            "second text encoder is text_encoder_2.",
            allowed='a table of path = whole number of steps, share below 1, or text such as "3 epochs"',
            aka=("stop_text_encoder_training", "text_encoder_stop", "stop_training_text_encoder_after"),
        ),
    ] = {}  # noqa: RUF012 - pydantic copies defaults
    weight_decay: Annotated[
        float | None,
        Field(ge=0, le=1),
        About(f"Pull of the trained values towards zero; {_OWN} (adamw: 0.01, most others: 0)."),
    ] = None
    betas: Annotated[
        Annotated[tuple[_Beta, _Beta], FromArray] | None,
        About(f"Memory of the two running averages; {_OWN} (adamw: 0.9 and 0.999, lion: 0.9 and 0.99)."),
    ] = None
    eps: Annotated[
        float | None,
        Field(gt=0, le=0.1),
        About(f"Keeps the division by the second average away from zero; {_OWN} (adamw: 1e-8)."),
    ] = None


class Schedule(Section):
    """How the learning rate changes over the run."""

    name: Annotated[
        Literal[
            "constant",
            "linear",
            "cosine",
            "cosine_with_restarts",
            "polynomial",
            "rex",
            "sine",
            "inverse_sqrt",
            "warmup_stable_decay",
        ],
        About(
            "Shape after the warm-up: constant, or falling in a line, a half cosine (once or in cycles), a power of a line, "
            "a line that falls late (rex), waves (sine), 1 / √step, or constant with a line at the end.",
            aka=("lr_scheduler", "lr_scheduler_type"),
        ),
    ] = "constant"
    warmup: Annotated[
        Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0, lt=1)],
        About(
            "The learning rate rises from zero over this many steps (whole number), or over this share of all steps (below 1).",
            unit="steps or share of 1",
            aka=("lr_warmup_steps", "warmup_steps"),
        ),
    ] = 0
    min_factor: Annotated[
        float,
        Field(ge=0, lt=1),
        About(
            "A falling schedule ends at this share of the learning rate.",
            unit="share of 1",
            aka=("lr_scheduler_min_lr_ratio", "min_lr_ratio"),
        ),
    ] = 0.0
    cycles: Annotated[
        int,
        Field(ge=1, le=10_000),
        About("How often cosine_with_restarts and sine go round.", unit="cycles", aka=("lr_scheduler_num_cycles",)),
    ] = 1
    power: Annotated[
        float,
        Field(gt=0, le=100),
        About("Exponent of polynomial; 1 is a line.", aka=("lr_scheduler_power",)),
    ] = 1.0
    timescale: Annotated[
        int,
        Field(ge=0, le=100_000_000),
        About(
            "inverse_sqrt has halved the rate at four times this; 0: as long as the warm-up, or 10 000 without one.",
            unit="steps",
            source="transformers",
            aka=("lr_scheduler_timescale",),
        ),
    ] = 0
    decay: Annotated[
        Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0, le=1)],
        About(
            "How long warmup_stable_decay falls at the end: steps (whole number), or a share of all steps.",
            unit="steps or share of 1",
            aka=("lr_decay_steps",),
        ),
    ] = 0.2
    rates: Annotated[
        str,
        About(
            "Learning rates by step instead of a shape, as AUTOMATIC1111 takes them: 0.005:100, 1e-3:1000, 1e-5 is 0.005 "
            "for 100 steps, 0.001 up to step 1000, 1e-5 to the end. A step with a point is a share of the run.",
            allowed="text such as 0.005:100, 1e-3:0.5, 1e-5",
            source="AUTOMATIC1111's learn_schedule",
            aka=("learn_rate", "learning_rate_schedule"),
        ),
    ] = ""
