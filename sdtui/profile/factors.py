"""The tensors that each algorithm adds to a layer, by name and shape, as LyCORIS lays them out.

Both the training layers and the count in the plan are made from these shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import prod
from typing import TypeAlias

from sdtui.profile.schema import Method
from sdtui.profile.targets import SCALED_AT_INPUT

Shape: TypeAlias = tuple[int, ...]

FILE_NAMES = {"down": "lora_down.weight", "up": "lora_up.weight"}
"""Names in files, where they are others than those of `shapes`."""

RANK_AXES = {
    "down": 0, "up": 1,
    "hada_w1_a": 1, "hada_w1_b": 0, "hada_w2_a": 1, "hada_w2_b": 0,
    "lokr_w1_a": 1, "lokr_w1_b": 0, "lokr_w2_a": 1, "lokr_w2_b": 0,
}  # fmt: skip
"""Of a product's factors, which axis the rank is: 0 where it is made of the inputs, 1 where the outputs are made of it."""


@dataclass(frozen=True)
class Site:
    """A layer of the base model that something can be added to.

    Attributes:
        component: the part of the pipeline, such as "unet".
        path: dotted path in it.
        outputs, inputs: channels; a normalisation has as many of both.
        kernel: sides of a convolution's kernel; none for a Linear.
        bias: whether it has one.
        norm: whether it is a normalisation.
    """

    component: str
    path: str
    outputs: int
    inputs: int
    kernel: Shape = ()
    bias: bool = True
    norm: bool = False

    @property
    def shape(self) -> Shape:
        """The shape of its weight, where it is no normalisation."""
        return (self.outputs, self.inputs, *self.kernel)

    @property
    def spatial(self) -> bool:
        """Whether it is a convolution larger than 1×1."""
        return prod(self.kernel) > 1


def shapes(method: Method, site: Site, rank: int) -> dict[str, Shape]:
    """Name → shape of what is trained at `site`.

    Raises:
        ValueError: boft cannot split an odd number of channels.
    """
    if site.norm:
        return {"w_norm": (site.outputs,), "b_norm": (site.outputs,)}
    found = _SHAPES[method.algorithm](method, site, rank)
    if method.weight_decompose:
        sides = (1, site.inputs) if method.decompose_inputs else (site.outputs, 1)
        found["dora_scale"] = (*sides, *_ones(site))
    return found


def factorization(dimension: int, factor: int = 0) -> tuple[int, int]:
    """`dimension` as m · n with m ≤ n: m is `factor` where that divides it, else the largest divisor up to it whose
    sum with n is least; 0 is no limit. 128 → (8, 16), 320 → (16, 20), 360 with 16 → (15, 24) (LyCORIS).
    """
    if factor > 0 and dimension % factor == 0:
        return min(factor, dimension // factor), max(factor, dimension // factor)
    limit = factor or dimension
    # m + n falls as m grows towards √dimension.
    best = max(m for m in range(1, int(dimension**0.5) + 1) if dimension % m == 0 and m <= limit)
    return best, dimension // best


def butterfly(dimension: int, size: int) -> tuple[int, int]:
    """Blocks of boft as (size, number): an even size up to `size`, the largest that leaves a power of two of blocks.

    Where no size is that small, the smallest that does: 320 → (10, 32) for sizes from 1 to 19.

    Raises:
        ValueError: the dimension is odd.
    """
    odd = dimension // (dimension & -dimension)
    sizes = [odd << shift for shift in range(1, (dimension // odd).bit_length())]
    if not sizes:
        raise ValueError(f"boft cannot split {dimension} channels, an odd number")
    best = max((candidate for candidate in sizes if candidate <= size), default=sizes[0])
    return best, dimension // best


def scaled_at_input(path: str) -> bool:
    """Whether IA3 scales the inputs of the layer at `path`."""
    return any(fnmatchcase(path, glob) for glob in SCALED_AT_INPUT)


def _ones(site: Site) -> Shape:
    return (1,) * len(site.kernel)


def _lora(_: Method, site: Site, rank: int) -> dict[str, Shape]:
    return {"down": (rank, site.inputs, *site.kernel), "up": (site.outputs, rank, *_ones(site))}


def _loha(_: Method, site: Site, rank: int) -> dict[str, Shape]:
    left, right = (site.outputs, rank), (rank, site.inputs * prod(site.kernel))
    return {"hada_w1_a": left, "hada_w1_b": right, "hada_w2_a": left, "hada_w2_b": right}


def _lokr(method: Method, site: Site, rank: int) -> dict[str, Shape]:
    rows, columns = factorization(site.outputs, method.factor), factorization(site.inputs, method.factor)
    found: dict[str, Shape] = {}
    if method.decompose_both and not method.full_matrix and rank < max(rows[0], columns[0]) / 2:
        found |= {"lokr_w1_a": (rows[0], rank), "lokr_w1_b": (rank, columns[0])}
    else:
        found["lokr_w1"] = (rows[0], columns[0])
    if not method.full_matrix and rank < max(rows[1], columns[1]) / 2:
        found |= {"lokr_w2_a": (rows[1], rank), "lokr_w2_b": (rank, columns[1] * prod(site.kernel))}
    else:
        found["lokr_w2"] = (rows[1], columns[1], *site.kernel)
    return found


def _ia3(_: Method, site: Site, __: int) -> dict[str, Shape]:
    size = site.inputs if scaled_at_input(site.path) else site.outputs
    return {"weight": (1, size, *_ones(site)) if site.kernel else (size,)}


def _oft(_: Method, site: Site, rank: int) -> dict[str, Shape]:
    size, number = factorization(site.outputs, rank)
    return {"oft_blocks": (number, size, size)}


def _boft(_: Method, site: Site, rank: int) -> dict[str, Shape]:
    size, number = butterfly(site.outputs, rank)
    return {"oft_blocks": (number.bit_length(), number, size, size)}


def _full(_: Method, site: Site, __: int) -> dict[str, Shape]:
    found: dict[str, Shape] = {"diff": (site.outputs, site.inputs, *site.kernel)}
    return found | ({"diff_b": (site.outputs,)} if site.bias else {})


_SHAPES: dict[str, Callable[[Method, Site, int], dict[str, Shape]]] = {
    "lora": _lora,
    "loha": _loha,
    "lokr": _lokr,
    "ia3": _ia3,
    "oft": _oft,
    "boft": _boft,
    "full": _full,
}
