"""Which layers of a base model a method trains, and at which rank: by the layers' paths alone, so that no model is needed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from sdtui.profile.schema import Method

# Targets by their modules' paths. SD 1.5 has 128 + 32 + 32 modules, 86 in convolution, 4 edges; CLIP-L 48 + 24.
LAYERS: dict[str, dict[str, tuple[str, ...]]] = {
    "unet": {
        "attention": ("*.to_q", "*.to_k", "*.to_v", "*.to_out.0"),
        "feed-forward": ("*.ff.net.0.proj", "*.ff.net.2"),
        "projection": ("*.proj_in", "*.proj_out"),
        "convolution": (
            *(f"*.resnets.*.{name}" for name in ("conv1", "conv2", "time_emb_proj", "conv_shortcut")),
            "*.downsamplers.*.conv",
            "*.upsamplers.*.conv",
        ),
        "edges": ("conv_in", "conv_out", "time_embedding.linear_1", "time_embedding.linear_2"),
    },
    "text_encoder": {
        "attention": ("*.q_proj", "*.k_proj", "*.v_proj", "*.out_proj"),
        "feed-forward": ("*.fc1", "*.fc2"),
        "projection": (),
        "convolution": (),
        "edges": (),
    },
}
# The normalisation that stands before a target's layers. Other programs know none of the text encoder's.
NORMS: dict[str, tuple[str, ...]] = {
    "attention": ("*.transformer_blocks.*.norm1", "*.transformer_blocks.*.norm2"),
    "feed-forward": ("*.transformer_blocks.*.norm3",),
    "projection": ("*.attentions.*.norm",),
    "convolution": ("*.resnets.*.norm1", "*.resnets.*.norm2"),
    "edges": ("conv_norm_out",),
}
# Where IA3 scales what goes into a layer and not what comes out: the second half of a feed-forward (Liu et al. 2022, §3.3).
SCALED_AT_INPUT = ("*.ff.net.2", "*.fc2")


class Strength(NamedTuple):
    """How much is added to a layer: its rank (0: nothing) and alpha."""

    rank: int
    alpha: float


def is_target(method: Method, component: str, path: str) -> bool:
    """Whether the Linear or convolution at `path` of `component` is trained."""
    layers = LAYERS["text_encoder" if component.startswith("text_encoder") else component]
    globs = (glob for target in method.targets for glob in layers[target])
    return _fits(path, globs) and is_wanted(method, component, path)


def is_trained_norm(method: Method, component: str, path: str) -> bool:
    """Whether the normalisation at `path` of `component` is trained."""
    if not method.norms or component != "unet":
        return False
    globs = (glob for target in method.targets for glob in NORMS[target])
    return _fits(path, globs) and is_wanted(method, component, path)


def is_wanted(method: Method, component: str, path: str) -> bool:
    """Whether include and exclude let the layer at `path` of `component` be trained."""
    names = (path, f"{component}.{path}")
    included = not method.include or any(_fits(name, method.include) for name in names)
    return included and not any(_fits(name, method.exclude) for name in names)


def left_out(method: Method, components: Iterable[str]) -> set[str]:
    """Those of `components` that `include` leaves out outright: it names text encoders only, and not them.

    The UNet has no switch of its own, so this is how a text encoder learns by itself, or the second one alone.
    """
    given = set(components)
    first = [pattern.partition(".")[0] for pattern in method.include]
    if not method.text_encoder or not first or not all(name.startswith("text_encoder") for name in first):
        return set()
    others = {component for component in given if not _fits(component, first)}
    return others if others < given else set()


def strength(method: Method, component: str, path: str, *, spatial: bool) -> Strength:
    """Rank and alpha of a layer; `spatial` says that it is a convolution larger than 1×1."""
    rank, alpha = method.rank, method.alpha
    if spatial:
        rank, alpha = method.conv_rank or rank, method.conv_alpha or alpha
    name = f"{component}.{path}"
    block = block_of(name, map(whole_path, method.block_ranks))
    ranks = {whole_path(key): value for key, value in method.block_ranks.items()}
    alphas = {whole_path(key): value for key, value in method.block_alphas.items()}
    return Strength(ranks.get(block, rank), alphas.get(block_of(name, alphas), alpha))


def block_of(name: str, blocks: Iterable[str]) -> str:
    """The longest of `blocks` (whole paths) that the layer `name` lies in, or "": down_blocks.1 is not in down_blocks.10."""
    return max((block for block in blocks if name == block or name.startswith(f"{block}.")), key=len, default="")


def strange_blocks(blocks: Iterable[str], layers: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Of `blocks` those that no layer (`component.path`) lies in: the block, what is wrong, and what may be meant."""
    names = list(layers)
    for block in blocks:
        whole = whole_path(block)
        if any(block_of(name, [whole]) for name in names):
            continue
        parts = sorted({".".join(name.split(".")[: whole.count(".") + 1]) for name in names})
        plain = {part.removeprefix("unet."): part for part in parts}
        near = difflib.get_close_matches(whole.removeprefix("unet."), plain, n=1, cutoff=0.75)
        meant = (plain[near[0]] if block == whole else near[0]) if near else ""
        message = f"no trained layer is in {whole}; there are: {', '.join(parts)}"
        yield block, message, f"Did you mean {meant}?" if meant else ""


def whole_path(block: str) -> str:
    """A block's path with its component: the UNet's blocks may be named without."""
    first = block.partition(".")[0]
    return block if first == "unet" or first.startswith("text_encoder") else f"unet.{block}"


def _fits(path: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(path, glob) for glob in globs)
