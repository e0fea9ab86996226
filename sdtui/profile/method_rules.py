"""Settings of [method] that are each allowed and do not go together; `sdtui.profile.rules` runs these too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps

from sdtui.profile.naming import LAYOUTS
from sdtui.profile.no_effect import changed, idle
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Method, Profile

# Algorithms whose change is a sum that a scale stands before, those with a rank or a size of blocks, and those that add.
_SCALED = ("lora", "loha", "lokr")
_SIZED = (*_SCALED, "oft", "boft")
_ADDING = (*_SCALED, "full")
# Of [method], what is for weights of the model's own.
_OF_WHOLE = frozenset({"kind", "words", "include", "exclude", "text_encoder"})
# Settings, and the algorithms that have them.
_OF = {
    "rank": _SIZED,
    "alpha": _SCALED,
    "conv_rank": _SIZED,
    "conv_alpha": _SCALED,
    "block_alphas": _SCALED,
    "rs_lora": _SCALED,
    "factor": ("lokr",),
    "decompose_both": ("lokr",),
    "full_matrix": ("lokr",),
    "dropout": _ADDING,
    "rank_dropout": _ADDING,
}


def whole(profile: Profile) -> Iterator[Finding]:
    """Where the model's own weights learn nothing is added, and they are not kept in fewer bits."""
    method = profile.method
    if method.kind != "full":
        return
    why = 'method.kind = "full" trains the weights themselves'
    for name in changed(method, *(name for name in type(method).model_fields if name not in _OF_WHOLE)):
        yield idle(f"method.{name}", why, "Leave it out; it is for adapters")
    if changed(profile.optimizer, "lora_plus_ratio"):
        yield idle("optimizer.lora_plus_ratio", why, "Leave it out; it is for adapters")
    kept = profile.training.base_precision
    if kept != "same":
        key = "training.base_precision"
        message = f'{key} = "{kept}" does not go with method.kind = "full": the weights that learn are kept in fp32'
        yield Finding("contradiction", key, message, "Leave it out", '"same"')


def algorithm(profile: Profile) -> Iterator[Finding]:
    """A setting that the algorithm does not have does nothing."""
    method = profile.method
    for name in changed(method, *_OF):
        if method.algorithm not in _OF[name]:
            why = f'method.algorithm = "{method.algorithm}" has none'
            yield idle(f"method.{name}", why, f"It is for {', '.join(_OF[name])}")


def whole_factors(profile: Profile) -> Iterator[Finding]:
    """Where both factors of lokr are whole there is no rank to choose."""
    method = profile.method
    if method.algorithm == "lokr" and method.full_matrix:
        names = ("rank", "alpha", "conv_rank", "conv_alpha", "block_alphas", "rs_lora", "decompose_both")
        for name in changed(method, *names):
            yield idle(f"method.{name}", "method.full_matrix leaves nothing low-rank", "Leave one of the two out")


def decomposed(profile: Profile) -> Iterator[Finding]:
    """DoRA needs a change that is added to the weight."""
    method = profile.method
    if method.weight_decompose and method.algorithm not in _SCALED:
        message = f'method.weight_decompose does not go with method.algorithm = "{method.algorithm}"'
        remedy = "Leave it out, or choose lora, loha or lokr"
        yield Finding("contradiction", "method.weight_decompose", message, remedy)
    if method.decompose_inputs and not method.weight_decompose:
        yield idle("method.decompose_inputs", "method.weight_decompose is false", "Set it to true, or leave this out")


def convolutions(profile: Profile) -> Iterator[Finding]:
    """Rank and alpha of 3×3 convolutions need some that are trained."""
    method = profile.method
    if not {"convolution", "edges"} & set(method.targets):
        for name in changed(method, "conv_rank", "conv_alpha"):
            why = "no 3×3 convolution is trained"
            yield idle(f"method.{name}", why, 'Add "convolution" to method.targets, or leave it out')


def norm_limit(profile: Profile) -> Iterator[Finding]:
    """A limit on the change needs a change that has a norm, and weights that the optimizer keeps nowhere else."""
    method = profile.method
    if not method.scale_weight_norms:
        return
    key = "method.scale_weight_norms"
    if method.algorithm not in _ADDING:
        message = f'{key} does not go with method.algorithm = "{method.algorithm}"'
        yield Finding("contradiction", key, message, f"Leave it out; it is for {', '.join(_ADDING)}")
    if profile.optimizer.name.startswith("schedule-free"):
        message = f"{key} does not go with {profile.optimizer.name}, which averages the steps themselves"
        yield Finding("contradiction", key, message, "Leave it out, or choose another optimizer")


def lora_plus(profile: Profile) -> Iterator[Finding]:
    """Only LoRA has an up matrix."""
    if profile.optimizer.lora_plus_ratio != 1 and profile.method.algorithm != "lora":
        key = "optimizer.lora_plus_ratio"
        why = f'method.algorithm = "{profile.method.algorithm}" has no up matrix'
        yield idle(key, why, "It is for lora")


def text_blocks(profile: Profile) -> Iterator[Finding]:
    """Ranks of a text encoder that is not trained do nothing."""
    method = profile.method
    for name in ("block_ranks", "block_alphas"):
        if not method.text_encoder:
            for block in getattr(method, name):
                if block.startswith("text_encoder"):
                    yield idle(
                        f"method.{name}", f"{block} is not trained", "Set method.text_encoder = true, or leave it out"
                    )


def layouts(profile: Profile) -> Iterator[Finding]:
    """A layout holds an adapter or a whole model, diffusers' only LoRA and DoRA, and none is written twice."""
    method, formats = profile.method, profile.saving.formats
    known = LAYOUTS[method.kind]
    for index, layout in enumerate(formats):
        if layout not in known:
            message = f'"{layout}" in saving.formats is not for what method.kind = "{method.kind}" makes'
            choice = " or ".join(f'"{name}"' for name in known)
            remedy = f"Write {choice}" if known else "Leave it out: layouts of words are those of saving.word_formats"
            yield Finding("contradiction", "saving.formats", message, remedy, choice, at=f"saving.formats[{index}]")
    held = _only_in_kohya_s(method) if method.kind == "lora" else ""
    if "diffusers" in formats and held:
        message = f'"diffusers" in saving.formats has no place for {held}'
        yield Finding("contradiction", "saving.formats", message, 'Write formats = ["kohya"]', '"kohya"')
    for index, layout in enumerate(formats):
        if layout in formats[:index]:
            message = f'saving.formats holds "{layout}" twice'
            yield Finding("twice", "saving.formats", message, "Remove one", at=f"saving.formats[{index}]")


def _only_in_kohya_s(method: Method) -> str:
    """What the adapter holds that diffusers' layout has no place for; "" if nothing."""
    if method.algorithm != "lora":
        return f'what method.algorithm = "{method.algorithm}" learns'
    if method.weight_decompose and method.decompose_inputs:
        return "sizes by input (method.decompose_inputs)"
    return "norms" if method.norms else ""


def _of_adapters(rule: Callable[[Profile], Iterator[Finding]]) -> Callable[[Profile], Iterator[Finding]]:
    """The rule, silent where no adapter is trained."""

    @wraps(rule)
    def asked(profile: Profile) -> Iterator[Finding]:
        return rule(profile) if profile.method.kind == "lora" else iter(())

    return asked


_ADAPTERS: dict[Callable[[Profile], Iterator[Finding]], tuple[str, ...]] = {
    algorithm: ("method.algorithm", *(f"method.{name}" for name in _OF)),
    whole_factors: ("method.algorithm", "method.full_matrix", *(f"method.{name}" for name in _OF)),
    decomposed: ("method.algorithm", "method.weight_decompose", "method.decompose_inputs"),
    convolutions: ("method.targets", "method.conv_rank", "method.conv_alpha"),
    norm_limit: ("method.algorithm", "method.scale_weight_norms", "optimizer.name"),
    lora_plus: ("method.algorithm", "optimizer.lora_plus_ratio"),
    text_blocks: ("method.block_ranks", "method.block_alphas", "method.text_encoder"),
}
RULES: dict[Callable[[Profile], Iterator[Finding]], tuple[str, ...]] = {
    **{_of_adapters(rule): ("method.kind", *keys) for rule, keys in _ADAPTERS.items()},
    whole: (
        "method.kind",
        *(f"method.{name}" for name in Method.model_fields if name not in _OF_WHOLE),
        "optimizer.lora_plus_ratio",
        "training.base_precision",
    ),
    layouts: ("method.kind", "method.algorithm", "method.norms", "method.decompose_inputs", "saving.formats"),
}
