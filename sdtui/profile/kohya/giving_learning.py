"""Optimizer, rates and schedule of a profile as options of sd-scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sdtui.profile.kohya.learning import NAMES
from sdtui.profile.optimizers import OPTIMIZERS, sets_own_rate
from sdtui.profile.schema import Profile

if TYPE_CHECKING:
    from sdtui.profile.kohya.giving import Files

# sd-scripts reads them in any case, people write them so.
_SPELT = {
    "adamw": "AdamW",
    "adamw8bit": "AdamW8bit",
    "paged-adamw8bit": "PagedAdamW8bit",
    "adafactor": "Adafactor",
    "lion": "Lion",
    "prodigy": "Prodigy",
    "dadapt-adam": "DAdaptAdam",
    "dadapt-lion": "DAdaptLion",
    "schedule-free-adamw": "AdamWScheduleFree",
    "came": "pytorch_optimizer.CAME",
}
# Our argument: kohya's packages'.
_ARGUMENTS = {"bias_correction": "use_bias_correction"}
# What has another default there.
_FIXED = {
    "adafactor": {"relative_step": False, "scale_parameter": False, "warmup_init": False},
    "dadapt-adam": {"decouple": True},
}
_SHAPES = {
    "cosine_with_restarts": ("lr_scheduler_num_cycles", "cycles"),
    "polynomial": ("lr_scheduler_power", "power"),
    "inverse_sqrt": ("lr_scheduler_timescale", "timescale"),
    "warmup_stable_decay": ("lr_decay_steps", "decay"),
}
_NOT_THERE = ("rex", "sine")
_WITH_FLOOR = {"cosine": "cosine_with_min_lr", "warmup_stable_decay": "warmup_stable_decay"}


def give(profile: Profile, files: Files) -> None:
    """Set them; tell what kohya cannot have."""
    _optimizer(profile, files)
    _rates(profile, files)
    _schedule(profile, files)


def _optimizer(profile: Profile, files: Files) -> None:
    optimizer = profile.optimizer
    back = {ours: theirs for theirs, ours in NAMES.items() if theirs.endswith(("8bit", "32bit")) and "." in ours}
    files.config["optimizer_type"] = _SPELT.get(optimizer.name) or back.get(optimizer.name, optimizer.name)
    common = {name: getattr(optimizer, name) for name in ("weight_decay", "betas", "eps")}
    args = {name: value for name, value in common.items() if value is not None}
    args |= _FIXED.get(optimizer.name, {}) | optimizer.args
    if args:
        files.config["optimizer_args"] = [
            f"{_ARGUMENTS.get(name, name)}={_literal(value)}" for name, value in args.items()
        ]


def _literal(value: Any) -> str:
    """A value as sd-scripts reads it: a Python literal without blanks."""
    if isinstance(value, list | tuple):
        return ",".join(map(_literal, value))
    return repr(value)


def _rates(profile: Profile, files: Files) -> None:
    optimizer = profile.optimizer
    files.option("learning_rate", optimizer.learning_rate)
    text_rate = optimizer.text_encoder_learning_rate
    if not profile.method.text_encoder:
        files.option("network_train_unet_only", value=True)
        if text_rate:
            files.lack("optimizer.text_encoder_learning_rate", text_rate, "the text encoder is not trained")
    elif text_rate and not (OPTIMIZERS.get(optimizer.name) and OPTIMIZERS[optimizer.name].finds_rate):
        files.config["text_encoder_lr"] = [text_rate]


def _schedule(profile: Profile, files: Files) -> None:
    schedule, optimizer = profile.schedule, profile.optimizer
    if sets_own_rate(optimizer.name, optimizer.args) or optimizer.name.startswith("schedule-free"):
        if schedule.warmup:
            files.lack("schedule.warmup", schedule.warmup, f"{optimizer.name} has no schedule in kohya")
        return
    name: str = schedule.name
    if name in _NOT_THERE:
        files.lack("schedule.name", name, "kohya has no such schedule; the rate is constant")
        name = "constant"
    if name in _SHAPES:
        option, attribute = _SHAPES[name]
        files.option(option, getattr(schedule, attribute) or None)
    if schedule.min_factor and name in _WITH_FLOOR:
        name = _WITH_FLOOR[name]
        files.option("lr_scheduler_min_lr_ratio", schedule.min_factor)
    elif schedule.min_factor:
        files.lack("schedule.min_factor", schedule.min_factor, f"{name} falls to 0 in kohya")
    if name == "constant" and schedule.warmup:
        name = "constant_with_warmup"
    files.option("lr_scheduler", name)
    files.option("lr_warmup_steps", schedule.warmup)
