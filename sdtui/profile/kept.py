"""What autograd keeps of a step for the backward pass, counted op by op as diffusers' UNet and this package's adapters keep it.

For Stable Diffusion 1.5 the counts are within 2 % of PyTorch's own bookkeeping for LoRA, LoHa, LoKr, full and words, within 13 % for
IA3, OFT and BOFT, at fp32 and bf16.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, prod
from typing import Any

from sdtui.profile.factors import Site, scaled_at_input
from sdtui.profile.schema import Method
from sdtui.profile.size import added

# Per value of a transformer block's states: three norms' inputs, q, k, v and answer of the first attention, q and answer
# of the second, 8 + 4 of GEGLU …
_BLOCK = 21
# … and, where what is learned must know its input, three products' inputs and 4 into the last product.
_BLOCK_INPUTS = 7
# Around the blocks the norm's input, and those of proj_in and proj_out.
_AROUND, _AROUND_INPUTS = 1, 2
# Of a residual block, for its inputs as for its outputs: what norm, SiLU and convolution read.
_RESIDUAL = 3
# Algorithms that multiply or turn the base's answer, and need it rather than the input.
_OF_ANSWERS = frozenset({"ia3", "oft", "boft"})
# Whole weights that an algorithm writes out: in fp32, to learn from, and as a sum or cast, for the input's gradient.
_PRODUCTS = {"loha": 2}
_SUMS = frozenset({"loha", "lokr", "full"})
# Of the second attention, keys and values are made of the text, which does not learn.
_OF_TEXT = ("attn2.to_k", "attn2.to_v")
_TOKENS = 77

NARROW_HEAD = 16
FILLED_PAIRS = 64 * 64
"""On a processor, fp32 heads of fewer values are filled up to so many from so many queries × keys on (`models.attention`)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Values kept by one image: all, those with gradient checkpointing, those of the widest block.

    Besides, whatever the batch, weights that the algorithm writes out: those kept in fp32, those kept in the run's
    precision, and of both together the most that one block has.
    """

    all: int
    checkpointed: int
    widest: int
    products: int = 0
    sums: int = 0
    widest_written: int = 0

    @classmethod
    def of(
        cls,
        sites: Sequence[Site],
        bucket: tuple[int, int],
        levels: int,
        method: Method | None = None,
        filled_heads: Sequence[int] = (),
    ) -> Kept:
        """Counted over the UNet's layers for a bucket in px, with adapters of `method` (LoRA) on those it chooses, or with weights that learn.

        `filled_heads`: how many heads each level has, where narrow ones are filled up.
        """
        method = method or Method()
        adapted = method.kind == "lora"
        states = _States.of(sites, bucket, levels)
        filling = _filling(sites, bucket, levels, filled_heads) if filled_heads else []
        answers, products, sums = Counter[str](), Counter[str](), Counter[str]()
        for site in sites:
            if site.norm or not adapted or not (shapes := added(method, site)):
                continue
            place = ".".join(site.path.split(".")[:6])
            of_text = site.path.endswith(_OF_TEXT)
            places = _TOKENS if of_text else _places(bucket, _level(site.path, levels))
            answers[place] += places * _answers(method, site, shapes)
            products[place] += _PRODUCTS.get(method.algorithm, 0) * prod(site.shape)
            sums[place] += prod(site.shape) * (method.algorithm in _SUMS and not of_text)
        block, around = _BLOCK, _AROUND + _AROUND_INPUTS
        if adapted and method.algorithm in _OF_ANSWERS:
            around = _AROUND
        elif method.kind != "textual-inversion":
            block += _BLOCK_INPUTS
        every = block * states.blocks + around * states.around + _RESIDUAL * states.residual + states.samplers
        every += sum(filling)
        return cls(
            all=every + answers.total(),
            checkpointed=states.blocks + around * states.around + states.inputs + states.samplers,
            widest=block * states.widest + max(answers.values(), default=0) + max(filling, default=0),
            products=products.total(),
            sums=sums.total(),
            widest_written=max(map((products + sums).__getitem__, products), default=0),
        )


@dataclass(frozen=True, slots=True)
class _States:
    """Values of the UNet's states, by where they are: in transformer blocks, around them, in residual blocks."""

    blocks: int
    widest: int
    around: int
    inputs: int
    residual: int
    samplers: int

    @classmethod
    def of(cls, sites: Sequence[Site], bucket: tuple[int, int], levels: int) -> _States:
        blocks = around = inputs = outputs = samplers = widest = 0
        for site in sites:
            places = _places(bucket, _level(site.path, levels))
            if site.path.endswith("ff.net.2"):
                blocks += places * site.outputs
                widest = max(widest, places * site.outputs)
            elif site.path.endswith("proj_out"):
                around += places * site.outputs
            elif site.path.endswith("conv1"):
                inputs += places * site.inputs
                outputs += places * site.outputs
            elif "samplers" in site.path:
                samplers += places * site.outputs * (4 if "upsamplers" in site.path else 1)
        return cls(blocks, widest, around, inputs, inputs + outputs, samplers)


def heads_of(unet: Mapping[str, Any]) -> Sequence[int]:
    """How many heads each level of a UNet with this config has: diffusers' `attention_head_dim`, in spite of its name."""
    heads: int | Sequence[int] = unet.get("num_attention_heads") or unet.get("attention_head_dim", 8)
    return [heads] * len(unet["block_out_channels"]) if isinstance(heads, int) else heads


def _filling(sites: Sequence[Site], bucket: tuple[int, int], levels: int, heads: Sequence[int]) -> list[int]:
    """Values that each block keeps besides because its heads are filled up: of queries, keys and values, and of both answers."""
    found = []
    for site in sites:
        if not site.path.endswith("ff.net.2"):
            continue
        level = _level(site.path, levels)
        places, width = _places(bucket, level), site.outputs // heads[level]
        more = NARROW_HEAD / width - 1 if width < NARROW_HEAD else 0.0
        own = 4 * more + 1 if more and places**2 >= FILLED_PAIRS else 0.0
        # The text's keys and values are those that are filled up, and nothing else keeps them.
        of_text = more and places * _TOKENS >= FILLED_PAIRS
        both = 2 * more + 1 if of_text else 0.0
        found.append(round(site.outputs * ((own + both) * places + (2 * (more + 1) * _TOKENS if of_text else 0))))
    return found


def _answers(method: Method, site: Site, shapes: dict[str, tuple[int, ...]]) -> int:
    """Values of each place that are kept because they are scaled or turned."""
    if method.weight_decompose:
        return site.inputs if method.decompose_inputs else site.outputs
    if method.algorithm not in _OF_ANSWERS:
        return 0
    if method.algorithm == "ia3":
        return site.inputs if scaled_at_input(site.path) else site.outputs
    # Each of a butterfly's rotations turns the answer of the one before.
    turns = shapes["oft_blocks"][0] if method.algorithm == "boft" else 1
    return turns * site.outputs


def _level(path: str, levels: int) -> int:
    """How often the states were halved where this layer is."""
    block, index = path.split(".")[:2] if "." in path else (path, "0")
    if block == "down_blocks":
        return int(index)
    if block == "up_blocks":
        return levels - 1 - int(index)
    return levels - 1 if block == "mid_block" else 0


def _places(bucket: tuple[int, int], level: int) -> int:
    """Places of the states of one image at a level: an eighth of the pixels' sides, halved so many times."""
    return prod(ceil(side / 8 / 2**level) for side in bucket)
