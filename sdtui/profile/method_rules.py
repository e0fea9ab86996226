"""Settings of [method] that are each allowed and do not go together; `sdtui.profile.rules` runs these too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import TypeVar

from sdtui.profile.naming import LAYOUTS
from sdtui.profile.no_effect import Unused, UnusedRule, idle, warning
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Method, Profile

_Said = TypeVar("_Said")
# Algorithms whose change is a sum that a scale stands before, those with a rank or a size of blocks, and those that add.
_SCALED = ("lora", "loha", "lokr")
_SIZED = (*_SCALED, "oft", "boft")
_ADDING = (*_SCALED, "full")
# Of [method], what is not for weights of the model's own.
_OF_ADAPTERS = tuple(
    name for name in Method.model_fields if name not in {"kind", "words", "include", "exclude", "text_encoder"}
)
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


def whole(profile: Profile) -> Iterator[Unused]:
    """Where the model's own weights learn nothing is added."""
    if profile.method.kind == "full":
        why = 'method.kind = "full" trains the weights themselves'
        yield Unused("method", _OF_ADAPTERS, why, "Leave it out; it is for adapters")
        yield Unused("optimizer", ("lora_plus_ratio",), why, "Leave it out; it is for adapters")


def whole_weights(profile: Profile) -> Iterator[Finding]:
    """Weights that learn are not kept in fewer bits."""
    kept = profile.training.base_precision
    if profile.method.kind == "full" and kept != "same":
        key = "training.base_precision"
        message = f'{key} = "{kept}" does not go with method.kind = "full": the weights that learn are kept in fp32'
        yield Finding("contradiction", key, message, "Leave it out", '"same"')


def algorithm(profile: Profile) -> Iterator[Unused]:
    """A setting that the algorithm does not have does nothing."""
    chosen = profile.method.algorithm
    for name, having in _OF.items():
        if chosen not in having:
            why = f'method.algorithm = "{chosen}" has none'
            yield Unused("method", (name,), why, f"It is for {', '.join(having)}")


def whole_factors(profile: Profile) -> Iterator[Unused]:
    """Where both factors of lokr are whole there is no rank to choose."""
    if profile.method.algorithm == "lokr" and profile.method.full_matrix:
        names = ("rank", "alpha", "conv_rank", "conv_alpha", "block_alphas", "rs_lora", "decompose_both")
        yield Unused("method", names, "method.full_matrix leaves nothing low-rank", "Leave one of the two out")


def decomposed(profile: Profile) -> Iterator[Finding]:
    """DoRA needs a change that is added to the weight."""
    method = profile.method
    if method.weight_decompose and method.algorithm not in _SCALED:
        message = f'method.weight_decompose does not go with method.algorithm = "{method.algorithm}"'
        remedy = "Leave it out, or choose lora, loha or lokr"
        yield Finding("contradiction", "method.weight_decompose", message, remedy)


def sizes_by_input(profile: Profile) -> Iterator[Unused]:
    """Only what is decomposed has sizes."""
    if not profile.method.weight_decompose:
        remedy = "Set it to true, or leave this out"
        yield Unused("method", ("decompose_inputs",), "method.weight_decompose is false", remedy)


def convolutions(profile: Profile) -> Iterator[Unused]:
    """Rank and alpha of 3×3 convolutions need some that are trained."""
    if not {"convolution", "edges"} & set(profile.method.targets):
        remedy = 'Add "convolution" to method.targets, or leave it out'
        yield Unused("method", ("conv_rank", "conv_alpha"), "no 3×3 convolution is trained", remedy)


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


def lora_plus(profile: Profile) -> Iterator[Unused]:
    """Only LoRA has an up matrix."""
    if profile.method.algorithm != "lora":
        why = f'method.algorithm = "{profile.method.algorithm}" has no up matrix'
        yield Unused("optimizer", ("lora_plus_ratio",), why, "It is for lora")


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


def _of_adapters(rule: Callable[[Profile], Iterator[_Said]]) -> Callable[[Profile], Iterator[_Said]]:
    """The rule, silent where no adapter is trained."""

    @wraps(rule)
    def asked(profile: Profile) -> Iterator[_Said]:
        return rule(profile) if profile.method.kind == "lora" else iter(())

    return asked


_OF_METHOD = tuple(f"method.{name}" for name in _OF)
UNUSED: dict[UnusedRule, tuple[str, ...]] = {
    whole: ("method.kind", *(f"method.{name}" for name in _OF_ADAPTERS), "optimizer.lora_plus_ratio"),
    _of_adapters(algorithm): ("method.kind", "method.algorithm", *_OF_METHOD),
    _of_adapters(whole_factors): ("method.kind", "method.algorithm", "method.full_matrix", *_OF_METHOD),
    _of_adapters(sizes_by_input): ("method.kind", "method.weight_decompose", "method.decompose_inputs"),
    _of_adapters(convolutions): ("method.kind", "method.targets", "method.conv_rank", "method.conv_alpha"),
    _of_adapters(lora_plus): ("method.kind", "method.algorithm", "optimizer.lora_plus_ratio"),
}
RULES: dict[Callable[[Profile], Iterator[Finding]], tuple[str, ...]] = {
    **{warning(rule): keys for rule, keys in UNUSED.items()},
    whole_weights: ("method.kind", "training.base_precision"),
    _of_adapters(decomposed): ("method.kind", "method.algorithm", "method.weight_decompose"),
    _of_adapters(norm_limit): ("method.kind", "method.algorithm", "method.scale_weight_norms", "optimizer.name"),
    _of_adapters(text_blocks): ("method.kind", "method.block_ranks", "method.block_alphas", "method.text_encoder"),
    layouts: ("method.kind", "method.algorithm", "method.norms", "method.decompose_inputs", "saving.formats"),
}
