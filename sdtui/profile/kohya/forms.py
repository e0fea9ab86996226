"""kohya_ss's JSON as options of sd-scripts: other names, 0 or "" for off, and fields that decide about other fields."""

from __future__ import annotations

import shlex
from typing import Any

from sdtui.profile.kohya.options import BY_GUI, FAMILY_MARKS, OPTIONS

# Fields that are off at 0, for which sd-scripts has None.
_OFF_AT_ZERO = [
    "adaptive_noise_scale",
    "clip_skip",
    "ip_noise_gamma",
    "max_timestep",
    "min_timestep",
    "max_train_epochs",
    "max_train_steps",
    "min_snr_gamma",
    "multires_noise_iterations",
    "noise_offset",
    "sample_every_n_epochs",
    "sample_every_n_steps",
    "save_every_n_epochs",
    "save_every_n_steps",
    "save_last_n_epochs",
    "save_last_n_epochs_state",
    "save_last_n_steps",
    "save_last_n_steps_state",
    "scale_weight_norms",
    "seed",
    "stop_text_encoder_training",
    "v_pred_like_loss",
    "vae_batch_size",
    "network_dropout",
    "conv_dim",
    "rank_dropout",
    "module_dropout",
    "loraplus_lr_ratio",
    "loraplus_unet_lr_ratio",
    "loraplus_text_encoder_lr_ratio",
    "num_processes",
    "main_process_port",
    "t5xxl_lr",
    "lr_warmup",
    "lr_warmup_steps",
]
_ORIGINAL = ("noise_offset", "noise_offset_random_strength", "adaptive_noise_scale")
_MULTIRES = ("multires_noise_iterations", "multires_noise_discount")
_PLAIN = "networks.lora"
_LYCORIS = "lycoris.kohya"
# Kinds of LoRA in the form: sd-scripts' module, and LyCORIS's algorithm.
_MODULES = {
    "Standard": (_PLAIN, ""),
    "Kohya LoCon": (_PLAIN, ""),
    "LoRA-FA": ("networks.lora_fa", ""),
    "Kohya DyLoRA": ("networks.dylora", ""),
    "Kohya LoHa": ("networks.loha", ""),
    "Kohya LoKr": ("networks.lokr", ""),
    "LoCon": (_LYCORIS, "locon"),
    "LyCORIS/LoCon": (_LYCORIS, "locon"),
    "LyCORIS/LoHa": (_LYCORIS, "loha"),
    "LyCORIS/LoKr": (_LYCORIS, "lokr"),
    "LyCORIS/iA3": (_LYCORIS, "ia3"),
    "LyCORIS/BOFT": (_LYCORIS, "boft"),
    "LyCORIS/Diag-OFT": (_LYCORIS, "diag-oft"),
    "LyCORIS/DyLoRA": (_LYCORIS, "dylora"),
    "LyCORIS/GLoRA": (_LYCORIS, "glora"),
    "LyCORIS/Native Fine-Tuning": (_LYCORIS, "full"),
}
_OF_LYCORIS = ("preset", "factor", "decompose_both", "train_norm", "dora_wd")
_BLOCKS = [
    "down_lr_weight",
    "mid_lr_weight",
    "up_lr_weight",
    "block_lr_zero_threshold",
    "block_dims",
    "block_alphas",
    "conv_block_dims",
    "conv_block_alphas",
]


def family(form: dict[str, Any]) -> str:
    """The other family the form is for; empty for Stable Diffusion 1.x, 2.x and XL."""
    return next((name for mark, name in FAMILY_MARKS.items() if form.get(mark) is True), "")


def names(form: dict[str, Any], options: dict[str, Any]) -> dict[str, str]:
    """For each of the `options` made from the form: the name of the field it comes from."""
    found = {BY_GUI[name].name: name for name in form if name in BY_GUI}
    if "epoch" in form and "epoch" not in options:
        found["max_train_epochs"] = "epoch"
    if "lr_warmup" in form and "lr_warmup" not in options:
        found["lr_warmup_steps"] = "lr_warmup"
    return found


def as_scripts(form: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The options that kohya_ss would pass on, by sd-scripts' names, and what it would refuse.

    Fields without a counterpart keep their names, so that each is told of.
    """
    options = {BY_GUI[name].name if name in BY_GUI else name: value for name, value in form.items()}
    warnings: list[str] = []
    for name in _OFF_AT_ZERO:
        if _is_zero(options.get(name)):
            options[name] = None
    for name in [name for name, value in options.items() if value in ("", None) and name != "text_encoder_lr"]:
        if name in OPTIONS and OPTIONS[name].default != "":
            options[name] = None
    _attention(options)
    _noise(options)
    _module(options)
    _rates(options)
    _length(options)
    if not options.get("dataset_config"):
        options.pop("dataset_config", None)
    _additional(options, warnings)
    return options, warnings


def _is_zero(value: Any) -> bool:
    try:
        return float(value) == 0
    except (TypeError, ValueError):
        return False


def _attention(options: dict[str, Any]) -> None:
    """The form's one choice of attention is a flag for each in sd-scripts."""
    chosen = options.get("xformers")
    if isinstance(chosen, str):
        options["xformers"] = chosen == "xformers"
        options["sdpa"] = chosen == "sdpa"


def _noise(options: dict[str, Any]) -> None:
    """Only the chosen kind of noise counts."""
    if "noise_offset_type" in options:
        for name in _ORIGINAL if options["noise_offset_type"] == "Multires" else _MULTIRES:
            options.pop(name, None)


def _module(options: dict[str, Any]) -> None:
    """The form names kinds of LoRA, sd-scripts modules; a field that the kind does not have is not passed on."""
    kind = options.get("network_module")
    if not kind:
        return
    options["network_module"], algorithm = _MODULES.get(kind, (kind, ""))
    if algorithm:
        options["algo"] = algorithm
    else:
        for name in _OF_LYCORIS:
            options.pop(name, None)
    if kind in ("Standard", "LoRA-FA"):
        options.pop("conv_dim", None)
        options.pop("conv_alpha", None)
    if options["network_module"] != _PLAIN:
        for name in _BLOCKS:
            options.pop(name, None)


def _rates(options: dict[str, Any]) -> None:
    """A rate of 0 leaves that part of the model out."""
    text_encoder, unet = options.get("text_encoder_lr"), options.get("unet_lr")
    if "text_encoder_lr" in options and (text_encoder in ("", None) or _is_zero(text_encoder)):
        options["text_encoder_lr"] = None
        if not _is_zero(unet) and unet not in ("", None):
            options["network_train_unet_only"] = True
    if _is_zero(unet):
        options["unet_lr"] = None
        if options.get("text_encoder_lr") is not None:
            options["network_train_text_encoder_only"] = True


def _length(options: dict[str, Any]) -> None:
    """Without a number of steps, kohya_ss works one out from its epochs; beside a dataset TOML it cannot."""
    has_own = options.get("max_train_steps") or options.get("max_train_epochs")
    if options.get("epoch") and not has_own and not options.get("dataset_config"):
        options["max_train_epochs"] = options.pop("epoch")
    if options.get("lr_warmup") and not options.get("lr_warmup_steps"):
        options["lr_warmup_steps"] = _share(options.pop("lr_warmup"))


def _share(per_cent: Any) -> Any:
    """Per cent as a share of 1; what is no number stays, to be told of."""
    try:
        return float(per_cent) / 100
    except (TypeError, ValueError):
        return per_cent


def _additional(options: dict[str, Any], warnings: list[str]) -> None:
    """The free text of further options, as a shell would split it."""
    text = options.pop("additional_parameters", None)
    try:
        parts = shlex.split(str(text or ""))
    except ValueError:
        warnings.append(f"additional_parameters cannot be read: {text}")
        return
    name, found = "", {}
    for part in parts:
        if part.startswith("--"):
            name, _, value = part[2:].partition("=")
            found[name] = [value] if value else []
        elif name:
            found[name].append(part)
    for name, given in found.items():
        is_list = name in OPTIONS and OPTIONS[name].kind == "list"
        options[name] = given if is_list else " ".join(given) if given else True
