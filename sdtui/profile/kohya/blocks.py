"""Rates and ranks by block: kohya counts twelve blocks down, one in the middle and twelve up, a profile names them by path."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from sdtui.profile.kohya.draft import Draft

UNET = ("down_blocks", "mid_block", "up_blocks")
_RATES = ("down_lr_weight", "mid_lr_weight", "up_lr_weight")
_PLUS = ("loraplus_unet_lr_ratio", "loraplus_lr_ratio")
_COUNT = 12
# The parts of Stable Diffusion 1.x by kohya's numbers, those with attention and those with convolutions only.
_ATTENTION = (
    {1 + 3 * block + layer: f"down_blocks.{block}.attentions.{layer}" for block in range(3) for layer in range(2)},
    {0: "mid_block"},
    {3 * block + layer: f"up_blocks.{block}.attentions.{layer}" for block in range(1, 4) for layer in range(3)},
)
_CONVOLUTION: tuple[dict[str, int], ...] = (
    {f"down_blocks.{block}.resnets.{layer}": 1 + 3 * block + layer for block in range(4) for layer in range(2)}
    | {f"down_blocks.{block}.downsamplers": 3 + 3 * block for block in range(3)},
    {},
    {f"up_blocks.{block}.resnets.{layer}": 3 * block + layer for block in range(4) for layer in range(3)}
    | {f"up_blocks.{block}.upsamplers": 3 * block + 2 for block in range(3)},
)
_CURVES: dict[str, Callable[[float], float]] = {
    "cosine": lambda share: math.sin(math.pi * (1 - share) / 2),
    "sine": lambda share: math.sin(math.pi * share / 2),
    "linear": lambda share: share,
    "reverse_linear": lambda share: 1 - share,
    "zeros": lambda _: 0.0,
}


def take(draft: Draft) -> None:
    """Rates, ranks and alphas by block, and the rates of the up matrices (LoRA+)."""
    _plus(draft)
    given = [name for name in _RATES if draft.source.value(name)]
    if draft.source.is_xl:
        # Its blocks have other numbers.
        for name in (*given, "block_dims", "block_alphas"):
            draft.leave(name, "blocks are numbered as Stable Diffusion 1.x has them")
        return
    try:
        if given and "optimizer.block_rates" not in draft.made:
            draft.put("optimizer.block_rates", _rates(draft), *given, "block_lr_zero_threshold")
        for option, key, as_type in (
            ("block_dims", "method.block_ranks", int),
            ("block_alphas", "method.block_alphas", float),
        ):
            if draft.source.value(option):
                draft.put(key, _listed(draft, option, as_type), option)
    except ValueError as error:
        draft.warnings.append(f"what is given by block cannot be read ({error}): all blocks are alike")


def _paths(draft: Draft) -> Iterator[tuple[int, int, str]]:
    """Every part that is trained: down, middle or up (0, 1, 2), kohya's number there, and its path."""
    trained = draft.made.get("method.targets")
    convolutions = trained is not None and "convolution" in trained.value
    for third in range(3):
        yield from ((third, number, path) for number, path in _ATTENTION[third].items())
        if convolutions:
            yield from ((third, number, path) for path, number in _CONVOLUTION[third].items())


def _rates(draft: Draft) -> dict[str, float]:
    """The factors that are not 1; with the threshold, small ones are 0."""
    threshold = draft.source.value("block_lr_zero_threshold") or 0.0
    written = [draft.source.value(name) for name in _RATES]
    factors = [_factors(str(text), 1 if third == 1 else _COUNT) if text else None for third, text in enumerate(written)]
    found = {}
    for third, number, path in _paths(draft):
        mine = factors[third]
        if mine is not None and mine[number] != 1:
            found[path] = mine[number] if mine[number] > threshold else 0.0
    return found


def numbered(table: dict[str, Any], fill: Any, *, convolutions: bool) -> tuple[list[Any], list[Any], list[Any]] | None:
    """A table by path as kohya's three lists, `fill` where it says nothing; None where they cannot say it.

    The longest path that fits counts, as everywhere.
    """
    lists = ([fill] * _COUNT, [fill], [fill] * _COUNT)
    said: dict[tuple[int, int], Any] = {}
    for third in range(3):
        parts = [(number, path) for number, path in _ATTENTION[third].items()]
        parts += [(number, path) for path, number in _CONVOLUTION[third].items()] if convolutions else []
        for number, path in parts:
            value = _longest(table, path, fill)
            if said.setdefault((third, number), value) != value:
                return None
            lists[third][number] = value
    known = {path for third in _ATTENTION for path in third.values()} | {
        path for third in _CONVOLUTION for path in third
    }
    return lists if all(any(_within(path, block) for path in known) for block in table) else None


def _longest(table: dict[str, Any], path: str, fill: Any) -> Any:
    fitting = [block for block in table if _within(path, block)]
    return table[max(fitting, key=len)] if fitting else fill


def _within(path: str, block: str) -> bool:
    """Whether the part at `path` lies in `block`."""
    return f"{path}.".startswith(f"{block.removeprefix('unet.')}.")


def _listed(draft: Draft, option: str, as_type: type[Any]) -> dict[str, Any]:
    """A list of 25: twelve blocks down, the middle, twelve up."""
    values = [as_type(part) for part in str(draft.source.value(option)).split(",")]
    if len(values) != 2 * _COUNT + 1:
        raise ValueError(f"{option} has {len(values)} values, not {2 * _COUNT + 1}")
    starts = (0, _COUNT, _COUNT + 1)
    return {path: values[starts[third] + number] for third, number, path in _paths(draft)}


def _factors(written: str, count: int) -> list[float]:
    """The factor of each block; kohya fills up with 1 what is missing and leaves out what is too much.

    Raises:
        ValueError: neither numbers nor the name of a curve.
    """
    name, _, base = written.partition("+")
    if name.strip() in _CURVES:
        curve, lift = _CURVES[name.strip()], float(base or 0)
        return [round(curve(number / (_COUNT - 1)) + lift, 4) for number in range(_COUNT)]
    factors = [float(part or 0) for part in written.split(",")]
    return (factors + [1.0] * count)[:count]


def _plus(draft: Draft) -> None:
    source = draft.source
    unet, text = source.value("loraplus_unet_lr_ratio"), source.value("loraplus_text_encoder_lr_ratio")
    common = source.value("loraplus_lr_ratio")
    ratio: Any = unet or common
    names = _PLUS if unet else _PLUS[1:]
    algorithm = draft.made["method.algorithm"].value
    if algorithm != "lora":
        for name in (*_PLUS, "loraplus_text_encoder_lr_ratio"):
            draft.leave(name, f"it has no effect on {algorithm}")
        return
    if ratio:
        draft.put("optimizer.lora_plus_ratio", ratio, *names)
    if (text or common) != ratio:
        draft.leave("loraplus_text_encoder_lr_ratio", "one ratio for UNet and text encoder: the UNet's")
