"""Optimizer, rates and schedule of kohya's scripts, whose options decide about each other."""

from __future__ import annotations

import ast
import difflib
from typing import Any

from sdtui.profile.class_path import MissingClassError, require_class
from sdtui.profile.kohya import blocks
from sdtui.profile.kohya.draft import Draft
from sdtui.profile.optimizers import OPTIMIZERS, sets_own_rate
from sdtui.profile.settings import declared

# Names of sd-scripts' optimizers in lower case. Those that have no name here are classes; sd-scripts takes the ones of
# D-Adaptation and schedule-free from packages of their own.
NAMES = {
    "adamw": "adamw",
    "adamw8bit": "adamw8bit",
    "pagedadamw8bit": "paged-adamw8bit",
    "adafactor": "adafactor",
    "lion": "lion",
    "prodigy": "prodigy",
    "dadaptadam": "dadapt-adam",
    "dadaptlion": "dadapt-lion",
    "adamwschedulefree": "schedule-free-adamw",
    "pytorch_optimizer.came": "came",
    "pagedadamw": "bitsandbytes.optim.PagedAdamW",
    "pagedadamw32bit": "bitsandbytes.optim.PagedAdamW32bit",
    "lion8bit": "bitsandbytes.optim.Lion8bit",
    "pagedlion8bit": "bitsandbytes.optim.PagedLion8bit",
    "ademamix8bit": "bitsandbytes.optim.AdEMAMix8bit",
    "pagedademamix8bit": "bitsandbytes.optim.PagedAdEMAMix8bit",
    "sgdnesterov": "torch.optim.SGD",
    "sgdnesterov8bit": "bitsandbytes.optim.SGD8bit",
    "dadaptation": "pytorch_optimizer.DAdaptAdam",
    "dadaptadampreprint": "pytorch_optimizer.DAdaptAdam",
    "dadaptadagrad": "pytorch_optimizer.DAdaptAdaGrad",
    "dadaptadan": "pytorch_optimizer.DAdaptAdan",
    "dadaptadanip": "pytorch_optimizer.DAdaptAdan",
    "dadaptsgd": "pytorch_optimizer.DAdaptSGD",
    "radamschedulefree": "pytorch_optimizer.ScheduleFreeRAdam",
    "sgdschedulefree": "pytorch_optimizer.ScheduleFreeSGD",
}
_NESTEROV = {"nesterov": True, "momentum": 0.9}
_COMMON = ("weight_decay", "betas", "eps")
# Always so here.
_DECOUPLED = frozenset({"decouple", "weight_decouple"})
SCHEDULES = {
    "constant_with_warmup": "constant",
    "cosine_with_min_lr": "cosine",
    "adafactor": "constant",
}
_KNOWN = (
    "constant", "linear", "cosine", "cosine_with_restarts", "polynomial", "inverse_sqrt", "warmup_stable_decay",
)  # fmt: skip
# The options that shape a schedule, which of kohya's schedules have them, and the setting.
_SHAPES = {
    "lr_scheduler_num_cycles": (("cosine_with_restarts",), "schedule.cycles"),
    "lr_scheduler_power": (("polynomial",), "schedule.power"),
    "lr_scheduler_timescale": (("inverse_sqrt",), "schedule.timescale"),
    "lr_decay_steps": (("warmup_stable_decay",), "schedule.decay"),
    "lr_scheduler_min_lr_ratio": (("cosine_with_min_lr", "warmup_stable_decay"), "schedule.min_factor"),
}


def take(draft: Draft) -> None:
    """Optimizer, rates and schedule."""
    name, args = _optimizer(draft)
    _rates(draft, name)
    _schedule(draft, name, args)


def _optimizer(draft: Draft) -> tuple[str, dict[str, Any]]:
    source = draft.source
    flags = [(flag, name) for flag, name in (("use_8bit_adam", "adamw8bit"), ("use_lion_optimizer", "lion"))
             if source.value(flag)]  # fmt: skip
    written = source.value("optimizer_type") or "AdamW"
    option, name = flags[0] if flags else ("optimizer_type", _named(draft, written))
    args: dict[str, Any] = dict(_NESTEROV) if written.lower().startswith("sgdnesterov") else {}
    if name == "adafactor":
        args = {"relative_step": True, "scale_parameter": True}
    args |= _arguments(draft, name)
    if args.get("warmup_init"):
        args["relative_step"] = True
    draft.put("optimizer.name", name, option)
    for key in _COMMON:
        if key in args and (name not in OPTIMIZERS or key in OPTIMIZERS[name].common):
            draft.put(f"optimizer.{key}", args.pop(key), "optimizer_args")
    if args:
        draft.put("optimizer.args", args, "optimizer_args")
    return name, args


def _named(draft: Draft, written: str) -> str:
    """Our name, or the dotted path of the class: a bare one is PyTorch's."""
    known = NAMES.get(written.lower()) or (written if "." in written else "")
    if known:
        return known
    try:
        require_class(f"torch.optim.{written}")
    except MissingClassError:
        draft.leave("optimizer_type", "there is no such optimizer")
        meant = _meant(written.lower(), {name.rpartition(".")[2]: name for name in NAMES})
        draft.warnings.append(f"optimizer_type {written}: AdamW in its place{meant}")
        return "adamw"
    return f"torch.optim.{written}"


def _meant(written: str, names: dict[str, str]) -> str:
    """Which of `names`, by what is compared, someone may have meant who wrote another."""
    near = difflib.get_close_matches(written, names, n=1, cutoff=0.75)
    return f". Did you mean {names[near[0]]}?" if near else ""


def _arguments(draft: Draft, name: str) -> dict[str, Any]:
    """`optimizer_args` by our names; those the optimizer does not have here are told."""
    kind = OPTIMIZERS.get(name)
    own = {alias: s.name for s in declared(kind.arguments, "") for alias in (s.name, *s.aka)} if kind else {}
    found: dict[str, Any] = {}
    for item in draft.source.value("optimizer_args") or ():
        key, _, text = str(item).partition("=")
        value = _literal(text)
        if kind is None or key in own or key in kind.common:
            found[own.get(key, key)] = _real(kind, own.get(key, key), value)
        elif key in _DECOUPLED and value is True:
            draft.warnings.append(f"optimizer_args: {key} is always on")
        else:
            draft.warnings.append(f"optimizer_args: {name} has no argument {key} here; {item} is left out")
    draft.used.add("optimizer_args")
    return found


def _literal(text: str) -> Any:
    """A value as sd-scripts reads it, and as people write it besides (true, .9,.95)."""
    plain = {"true": True, "false": False, "none": None}
    if text.strip().lower() in plain:
        return plain[text.strip().lower()]
    try:
        value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        return text
    return list(value) if isinstance(value, tuple) else value


def _real(kind: Any, key: str, value: Any) -> Any:
    """A whole number where the argument is not one: 1 is 1.0 in TOML only when it is written so."""
    types = {s.name: s.type_name for s in declared(kind.arguments, "")} if kind else {}
    if (
        isinstance(value, int)
        and not isinstance(value, bool)
        and types.get(key, "number") == "number"
        and (kind is not None or key in _COMMON)
    ):
        return float(value)
    return value


def _rates(draft: Draft, name: str) -> None:
    """Rates of UNet and text encoder, and whether the text encoder is trained at all."""
    source = draft.source
    common, unet = source.value("learning_rate"), source.value("unet_lr")
    listed = source.value("text_encoder_lr") or []
    text_rate = float(listed[0]) if listed else None
    if len(set(map(float, listed))) > 1:
        draft.warnings.append(f"text_encoder_lr has several rates: all text encoders learn at the first, {text_rate:g}")
    only_text = source.value("network_train_text_encoder_only") or unet == 0
    text_encoder = not source.value("network_train_unet_only") and text_rate != 0
    rate = common if unet is None or unet == 0 else unet
    if only_text and text_rate:
        rate = text_rate
    draft.put("optimizer.learning_rate", rate, *(("unet_lr",) if unet else ("learning_rate",)))
    draft.put("method.text_encoder", text_encoder, "network_train_unet_only", "text_encoder_lr")
    if only_text:
        key = "network_train_text_encoder_only" if source.given("network_train_text_encoder_only") else "unet_lr"
        draft.put("optimizer.block_rates", dict.fromkeys(blocks.UNET, 0.0), key)
    if unet is not None:
        draft.used.add("learning_rate")
    kind = OPTIMIZERS.get(name)
    own = text_rate if text_rate is not None else common
    if not text_encoder or own == 0:
        draft.used.add("text_encoder_lr")
    elif kind is not None and kind.finds_rate:
        if own != rate:
            draft.leave("text_encoder_lr", f"{name} finds one rate for all")
        draft.used.add("text_encoder_lr")
    elif text_rate is not None:
        draft.put("optimizer.text_encoder_learning_rate", text_rate, "text_encoder_lr")
    elif common != rate:
        draft.put("optimizer.text_encoder_learning_rate", common, "learning_rate")


def _schedule(draft: Draft, optimizer: str, args: dict[str, Any]) -> None:
    source = draft.source
    name: str = source.value("lr_scheduler")
    theirs = name.partition(":")[0]
    if sets_own_rate(optimizer, args) or "schedule-free" in optimizer or "ScheduleFree" in optimizer:
        for option in ("lr_scheduler", "lr_warmup_steps"):
            if source.value(option) not in ("constant", "adafactor", 0):
                draft.leave(option, f"{optimizer} has no schedule, here as in kohya")
            draft.used.add(option)
        return
    ours = SCHEDULES.get(theirs, theirs)
    if ours not in _KNOWN:
        draft.leave("lr_scheduler", "there is no such schedule; schedule.rates takes any steps")
        meant = _meant(theirs, {known: known for known in (*_KNOWN, *SCHEDULES)})
        draft.warnings.append(f"lr_scheduler {name}: the rate is constant in its place; see schedule.rates{meant}")
        return
    if source.value("lr_scheduler_type"):
        draft.warnings.append(
            f"lr_scheduler_type {source.value('lr_scheduler_type')} is not loaded: {ours} in its place"
        )
    draft.put("schedule.name", ours, "lr_scheduler")
    draft.put("schedule.warmup", source.value("lr_warmup_steps"), "lr_warmup_steps")
    for option, (schedules, key) in _SHAPES.items():
        if theirs in schedules:
            value = source.value(option)
            draft.put(key, _unset(key, value), option)
    if theirs == "warmup_stable_decay":
        draft.warnings.append("warmup_stable_decay falls in a line here, along a cosine in kohya")


def _unset(key: str, value: Any) -> Any:
    """Kohya's None as the setting's 0; powers are real numbers."""
    if value is None:
        return 0 if key == "schedule.timescale" else 0.0
    return float(value) if key == "schedule.power" else value
