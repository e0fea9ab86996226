"""How much memory a run will need at its peak, counted from the base model's configs before anything is loaded.

What autograd keeps for the backward pass is counted op by op, as diffusers' UNet and this package's LoRA layers keep it.
The counts are exact to 2 % for Stable Diffusion 1.x and 2.x at fp32 and bf16 (against PyTorch's own bookkeeping, see
`benchmarks.memory_estimate`); the rest is measured: what the libraries take, and how much more than is in use at once the
allocator holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, prod
from typing import Any

from sdtui.profile.factors import Site
from sdtui.profile.machine import processor_flags, trains_on_processor
from sdtui.profile.precision import on_processor
from sdtui.profile.schema import Profile
from sdtui.profile.sites import text_sites, unet_sites
from sdtui.profile.size import Parts, folder_parts, trained, values_of

_MIB = 1 << 20
# Python, PyTorch for the processor, diffusers and transformers, once a step was taken.
_PROGRAMS = 480 * _MIB
# Kept per value of a transformer block's states: three norms' inputs, three products' inputs, q, k, v and answer of the
# first attention, q and answer of the second, 8 + 4 of GEGLU and 4 into its last product.
_BLOCK = 28
# Around the blocks: the norm's, proj_in's and proj_out's input.
_AROUND = 3
# Of a residual block, for its inputs as for its outputs: what norm, SiLU and convolution read.
_RESIDUAL = 3
# Gradients of GEGLU's 8 and of what it is made from, at the widest place.
_GRADIENTS = 20
# In ops' working space and in gaps of the heap, in units of what the widest block keeps; on the processor only.
_HEAP = 4
# Feature maps of a VAE that live at once without gradients.
_MAPS = 3
_STATES = {"adamw": 8, "schedule-free-adamw": 8, "adamw8bit": 2, "paged-adamw8bit": 2, "lion": 4, "prodigy": 16,
           "dadapt-adam": 12, "dadapt-lion": 8, "adafactor": 0, "came": 4}  # fmt: skip
_BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes at the peak of a run.

    Args:
        device: "processor", where it is the whole process, or "GPU", where it is what PyTorch allocates there.
        programs: the libraries; 0 on a GPU.
        frozen: weights of UNet, text encoders and VAE.
        trained: what is learned, its gradient, average and the optimizer's moments.
        activations: what the heaviest batch keeps for its backward pass.
        working: what is held besides while it is computed, or while images are encoded if that is more.
    """

    device: str
    programs: int
    frozen: int
    trained: int
    activations: int
    working: int

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.programs + self.frozen + self.trained + self.activations + self.working


def estimate(profile: Profile, buckets: Sequence[tuple[int, int]], parts: Parts | None = None) -> Memory | None:
    """What a run on images of these buckets (width, height in px) needs; None when the model's configs cannot be read.

    `parts` are the base model's configs, as for `size.trained`. Activations are those of a LoRA; algorithms that write
    their change out keep up to two copies of the adapted weights besides.
    """
    found = folder_parts(profile) if parts is None else parts
    unet, values = dict(found.get("unet", {})), trained(profile, parts)
    sites = unet_sites(unet)
    if not sites or values is None or not buckets:
        return None
    processor = trains_on_processor(profile)
    width = _BYTES[_precision(profile, found, processor=processor)]
    rows = profile.training.batch_size * (2 if profile.prior.keeps_class else 1)
    checkpointed = profile.training.gradient_checkpointing
    bucket = max(buckets, key=prod)
    kept = Kept.of(sites, bucket, len(unet["block_out_channels"]))
    activations = rows * width * (kept.checkpointed if checkpointed else kept.all)
    widest = rows * width * kept.widest
    step = round(widest * (_GRADIENTS / _BLOCK + checkpointed + (_HEAP if processor else 0)))
    images = _vae_working(found.get("vae", {}), bucket)
    others = _text_values(found) + vae_values(found.get("vae", {}))
    each = 8 + _STATES.get(profile.optimizer.name, 8) + (4 if profile.training.ema_decay else 0)
    return Memory(
        device="processor" if processor else "GPU",
        programs=_PROGRAMS if processor else 0,
        frozen=values_of(sites) * width + others * 4,
        trained=values.values * each,
        activations=activations,
        # Images are encoded before there are activations.
        working=max(step, images - activations),
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """Values that one image keeps for the backward pass: all, those with gradient checkpointing, those of the widest block."""

    all: int
    checkpointed: int
    widest: int

    @classmethod
    def of(cls, sites: Sequence[Site], bucket: tuple[int, int], levels: int) -> Kept:
        """Counted over the UNet's layers for a bucket in px."""
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
        every = _BLOCK * blocks + _AROUND * around + _RESIDUAL * (inputs + outputs) + samplers
        return cls(every, blocks + _AROUND * around + inputs + samplers, _BLOCK * widest)


def vae_values(config: Mapping[str, Any]) -> int:
    """Weights of an AutoencoderKL, its convolutions counted; 0 when its config is not known."""
    channels, layers = config.get("block_out_channels"), config.get("layers_per_block", 1)
    if not channels:
        return 0
    total, before = 0, channels[0]
    for size in channels:
        total += _residuals(before, size, layers)
        before = size
    for size in reversed(channels):
        total += _residuals(before, size, layers + 1)
        before = size
    # Down- and upsampling between the levels; in the middle, of both halves, two residual blocks and an attention.
    total += sum(9 * size * size for size in (*channels[:-1], *channels[1:]))
    return int(total + 2 * (2 * 18 + 4) * channels[-1] ** 2)


def _residuals(before: int, size: int, layers: int) -> int:
    """Residual blocks of one level, the first of which changes the channels."""
    first = 9 * before * size + 9 * size * size + (before * size if before != size else 0)
    return first + (layers - 1) * 18 * size * size


def _vae_working(config: Mapping[str, Any], bucket: tuple[int, int]) -> int:
    """Bytes of feature maps while one image is encoded, in fp32."""
    channels = config.get("block_out_channels") or [0]
    return int(_MAPS * 4 * channels[0] * prod(bucket))


def _text_values(parts: Parts) -> int:
    """Weights of the text encoders: their layers, and the tables of words and places."""
    total = 0
    for name in ("text_encoder", "text_encoder_2"):
        config = parts.get(name, {})
        table = (config.get("vocab_size", 0) + config.get("max_position_embeddings", 0)) * config.get("hidden_size", 0)
        total += values_of(text_sites(dict(config), name)) + table
    return total


def _precision(profile: Profile, parts: Parts, *, processor: bool) -> str:
    chosen = profile.training.precision
    if chosen != "auto":
        return chosen
    return on_processor(profile, parts, processor_flags()) if processor else "bf16"


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
