"""What a profile trains beside the base model, as sd-scripts' network module and its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sdtui.profile.kohya import blocks
from sdtui.profile.kohya.lacking import LACKING
from sdtui.profile.kohya.network import KOHYA_TARGETS, LYCORIS, PRESETS, presets
from sdtui.profile.schema import Method, Profile

if TYPE_CHECKING:
    from sdtui.profile.kohya.giving import Files

_BACK = {"lora": "locon", "oft": "diag-oft"}
# Settings that LyCORIS has and kohya's own module has not.
_LYCORIS_FLAGS = {
    "weight_decompose": "dora_wd",
    "decompose_inputs": "wd_on_output",
    "rs_lora": "rs_lora",
    "norms": "train_norm",
    "decompose_both": "decompose_both",
    "full_matrix": "full_matrix",
}


def give(profile: Profile, files: Files) -> None:
    """Set `network_module` and `network_args`; tell what neither module can do."""
    method = profile.method
    for index, word in enumerate(method.words):
        files.lack(f"method.words[{index}].name", word.name, LACKING["method.words[].name"])
    args: dict[str, Any] = {}
    plain = _is_plain(method)
    files.config["network_module"] = "networks.lora" if plain else LYCORIS
    # The codecs have set them as options of their own: they belong in network_args.
    for name in (*_LYCORIS_FLAGS.values(), "factor", "rank_dropout", "module_dropout"):
        if name in files.config:
            args[name] = files.config.pop(name)
    if not plain:
        _lycoris(method, files, args)
    else:
        if "convolution" in method.targets:
            args |= {"conv_dim": method.conv_rank or method.rank, "conv_alpha": method.conv_alpha or method.alpha}
        _lack_patterns(method, files)
    if method.continue_from:
        files.option("network_weights", method.continue_from)
    _blocks(profile, files, args)
    _plus(profile, files, args)
    if args:
        files.config["network_args"] = [f"{name}={value}" for name, value in args.items()]


def _plus(profile: Profile, files: Files, args: dict[str, Any]) -> None:
    """LoRA+, which only a LoRA has, in LyCORIS as well."""
    ratio, algorithm = profile.optimizer.lora_plus_ratio, profile.method.algorithm
    if ratio != 1 and algorithm == "lora":
        args["loraplus_lr_ratio"] = ratio
    elif ratio != 1:
        files.lack("optimizer.lora_plus_ratio", ratio, f"it has no effect on {algorithm}, and is left out")


def _is_plain(method: Method) -> bool:
    """Whether kohya's own LoRA does it all."""
    more = any(getattr(method, name) for name in _LYCORIS_FLAGS)
    return (
        method.algorithm == "lora"
        and not more
        and set(method.targets)
        in (
            set(KOHYA_TARGETS),
            {*KOHYA_TARGETS, "convolution"},
        )
    )


def _lycoris(method: Method, files: Files, args: dict[str, Any]) -> None:
    args["algo"] = _BACK.get(method.algorithm, method.algorithm)
    alike = _presets(method, xl=files.xl, include=tuple(method.include), exclude=tuple(method.exclude))
    if not alike and files.xl and (alike := _with_edges(method)):
        files.lack("method.targets", list(method.targets), "kohya does not train the edges of Stable Diffusion XL")
    if not alike:
        _lack_patterns(method, files)
        alike = _presets(method, xl=files.xl)
    if not alike:
        files.lack("method.targets", list(method.targets), "no preset of LyCORIS has these layers; full has all")
    exact = [name for name in alike if PRESETS[name].text_encoder == bool(method.text_encoder)]
    args["preset"] = (exact or alike or ["full"])[0]
    if method.conv_rank:
        args["conv_dim"] = method.conv_rank
    if method.conv_alpha:
        args["conv_alpha"] = method.conv_alpha


def _presets(method: Method, *, xl: bool, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> list[str]:
    """Those with the method's targets and these patterns."""
    wanted = (set(method.targets), include, exclude)
    return [name for name, each in presets(xl=xl).items() if (set(each.targets), each.include, each.exclude) == wanted]


def _with_edges(method: Method) -> list[str]:
    """Those that have the method's layers in other models than XL, and in XL all but its edges."""
    return _presets(method, xl=False, include=tuple(method.include), exclude=tuple(method.exclude))


def _lack_patterns(method: Method, files: Files) -> None:
    for key, patterns in (("include", method.include), ("exclude", method.exclude)):
        if patterns:
            files.lack(f"method.{key}", list(patterns), "kohya chooses layers by module and preset")


def _blocks(profile: Profile, files: Files, args: dict[str, Any]) -> None:
    """Rates, ranks and alphas by block, where kohya's numbers can say them."""
    method, rates = profile.method, profile.optimizer.block_rates
    if rates and rates == dict.fromkeys(blocks.UNET, 0.0):
        files.option("network_train_text_encoder_only", value=True)
        rates = {}
    convolutions = "convolution" in method.targets
    for key, table, fill in (
        ("optimizer.block_rates", rates, 1.0),
        ("method.block_ranks", method.block_ranks, method.rank),
        ("method.block_alphas", method.block_alphas, method.alpha),
    ):
        if not table:
            continue
        numbered = blocks.numbered(table, fill, convolutions=convolutions)
        if numbered is None:
            files.lack(key, table, "kohya numbers whole blocks, and cannot tell their parts apart")
        elif key == "optimizer.block_rates":
            names = ("down_lr_weight", "mid_lr_weight", "up_lr_weight")
            args |= {name: _joined(values) for name, values in zip(names, numbered, strict=True)}
        else:
            name = "block_dims" if key == "method.block_ranks" else "block_alphas"
            args[name] = _joined([value for third in numbered for value in third])


def _joined(values: list[Any]) -> str:
    return ",".join(f"{value:g}" for value in values)
