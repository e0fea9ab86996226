"""How much memory a run will need at its peak, counted from the base model's configs before anything is loaded.

A run has its peak while it steps, or before: while the model is loaded to be quantised, or while VAE or text encoder, which
rest later, encode. What autograd keeps is counted op by op (`sdtui.profile.kept`); the rest is measured: what the libraries
take, and how much more than is in use at once the allocator holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from sdtui.profile.bits import BLOCK, is_quantised
from sdtui.profile.factors import Site
from sdtui.profile.folder_rules import captions_of, is_settled
from sdtui.profile.kept import Kept, heads_of
from sdtui.profile.machine import free_bytes, processor_flags, trains_on_processor
from sdtui.profile.precision import on_processor
from sdtui.profile.prior_rules import asks_frozen
from sdtui.profile.schema import Profile
from sdtui.profile.side_by_side import encoders, threads_of
from sdtui.profile.sites import text_sites, text_tables, unet_sites
from sdtui.profile.size import Parts, folder_parts, trained, values_of

_MIB = 1 << 20
# Python, PyTorch for the processor, diffusers and transformers, once a step was taken.
_PROGRAMS = 480 * _MIB
# Values kept of a transformer block's states for each of them, with LoRA.
_BLOCK = 28
# Gradients of GEGLU's 8 and of what it is made from, at the widest place.
_GRADIENTS = 20
# In ops' working space and in gaps of the heap, in units of what the widest block keeps; on the processor only.
_HEAP = 4
# Values that a frozen text encoder keeps of each state of a layer, and states of 75 tokens between their marks.
_TEXT, _TOKENS = 14, 77
# Feature maps of a VAE that live at once without gradients.
_MAPS = 3
# Of the memory that is free, what a run may count on: the estimate may be a tenth too low.
_SHARE = 0.9
_STATES = {"adamw": 8, "schedule-free-adamw": 8, "adamw8bit": 2, "paged-adamw8bit": 2, "lion": 4, "prodigy": 16,
           "dadapt-adam": 12, "dadapt-lion": 8, "adafactor": 0, "came": 4}  # fmt: skip
_BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes at the peak of a run.

    Args:
        device: "processor", where it is the whole process, or "GPU", where it is what PyTorch allocates there.
        programs: the libraries; 0 on a GPU.
        frozen: weights of the UNet, and of text encoders that steps ask.
        trained: what is learned, its gradient, average and the optimizer's moments.
        activations: what the heaviest batch keeps for its backward pass.
        working: what is held besides while it is computed, or before the first step if that is more.
        images: how many images of the heaviest batch are taken at once.
    """

    device: str
    programs: int
    frozen: int
    trained: int
    activations: int
    working: int
    images: int = 1

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.programs + self.frozen + self.trained + self.activations + self.working


def estimate(
    profile: Profile, buckets: Sequence[tuple[int, int]], parts: Parts | None = None, *, images: int | None = None
) -> Memory | None:
    """What a run on images of these buckets (width, height in px) needs; None when the model's configs cannot be read.

    `parts` are the base model's configs, as for `size.trained`. `images` are taken at once; a whole batch if not given.
    """
    found = folder_parts(profile) if parts is None else parts
    unet, values = dict(found.get("unet", {})), trained(profile, parts)
    sites = unet_sites(unet)
    if not sites or values is None or not buckets:
        return None
    training, processor = profile.training, trains_on_processor(profile)
    width = _BYTES[_precision(profile, found, processor=processor)]
    bucket = max(buckets, key=prod)
    heads = heads_of(unet) if processor and width == 4 else ()
    kept = Kept.of(sites, bucket, len(unet["block_out_channels"]), profile.method, heads)
    images = training.batch_size if images is None else images
    rows = images * (2 if profile.prior.keeps_class else 1)
    activations = _activations(kept, rows, width, checkpointed=training.gradient_checkpointing)
    activations += _text_activations(profile, found, rows)
    each = 4 + _STATES.get(profile.optimizer.name, 8) + (4 if training.ema_decay else 0)
    # Gradients: of all that learns, or one at a time.
    largest = max(prod(site.shape) for site in sites if not site.norm)
    gradients = 4 * (min(largest, values.values) if training.fused_backward else values.values)
    base, text = _base_bytes(sites, training.base_precision, width), 4 * text_values(found)
    own, casts = 4 * values.values, 0
    if profile.method.kind == "full":
        # The weights that learn are the base's own, all in fp32; a step keeps them as cast, and perhaps as they were.
        base, own = 4 * values_of(sites), 0
        casts = width * values.values if width < _BYTES["fp32"] else 0
        each += 4 if asks_frozen(profile) else 0
    frozen = base + (text if _asks_text(profile) else 0) + own - 4 * values.values
    steps = frozen + values.values * each + gradients + activations
    step = _working(profile, kept, rows, width, processor=processor) + _restored(sites, training.base_precision, width)
    step += casts
    at_once = max(prod(each) * encoders(prod(each), threads_of(profile) if processor else 1) for each in buckets)
    vae = 4 * vae_values(found.get("vae", {})) + _vae_working(found.get("vae", {}), at_once)
    before = max(base + vae, base + text, _loading(sites, training.base_precision, width) if processor else 0)
    return Memory(
        device="processor" if processor else "GPU",
        programs=_PROGRAMS if processor else 0,
        frozen=frozen,
        trained=values.values * each + gradients,
        activations=activations,
        working=max(step, before + own - steps),
        images=images,
    )


def images_at_once(
    profile: Profile, bucket: tuple[int, int], parts: Parts | None = None, room: int | None = None
) -> int:
    """How many images of a batch of that bucket are taken at once: what the profile says, else as many as are known to fit.

    `room` are the bytes that all processes of this machine may take; what is free on it, if not given. On a GPU it is the
    run that finds out, and where nothing can be counted: a whole batch.
    """
    training = profile.training
    if training.at_once or not trains_on_processor(profile):
        return min(training.batch_size, training.at_once or training.batch_size)
    each = (free_bytes() if room is None else room) * _SHARE / profile.launch.processes

    def fits(images: int) -> bool:
        needed = estimate(profile, [bucket], parts, images=images)
        return needed is None or needed.bytes <= each

    least, most = 1, training.batch_size
    while least < most:
        middle = -(-(least + most) // 2)
        least, most = (middle, most) if fits(middle) else (least, middle - 1)
    return least


def _activations(kept: Kept, rows: int, width: int, *, checkpointed: bool) -> int:
    """Bytes kept for the backward pass, and weights that the algorithm writes out beside them."""
    if checkpointed:
        return rows * width * kept.checkpointed
    return rows * width * kept.all + 4 * kept.products + width * kept.sums


def _text_activations(profile: Profile, parts: Parts, rows: int) -> int:
    """Bytes that frozen text encoders keep so that gradients reach words; nothing where none learns."""
    if not profile.method.words:
        return 0
    sizes = [parts.get(name, {}) for name in ("text_encoder", "text_encoder_2")]
    states = sum(int(size.get("hidden_size", 0)) * int(size.get("num_hidden_layers", 0)) for size in sizes)
    return 4 * rows * _TEXT * _TOKENS * (profile.captions.max_tokens // 75) * states


def _working(profile: Profile, kept: Kept, rows: int, width: int, *, processor: bool) -> int:
    """Bytes of a step besides: gradients of the widest block, which is made anew with checkpointing, and the heap's gaps."""
    checkpointed = profile.training.gradient_checkpointing
    widest = rows * width * kept.widest
    written = 4 * kept.widest_written
    return round(
        widest * (_GRADIENTS / _BLOCK + (_HEAP if processor else 0)) + checkpointed * (widest + written) + written
    )


def _asks_text(profile: Profile) -> bool:
    """Whether steps ask the text encoders: they or words learn, or each step draws its own texts."""
    rules = [captions_of(profile, row) for row in range(len(profile.dataset.folders))] or [profile.captions]
    learns = profile.method.text_encoder or bool(profile.method.words)
    return learns or not all(map(is_settled, rules))


def _base_bytes(sites: Sequence[Site], storage: str, width: int) -> int:
    """Bytes of the UNet's weights as they are kept."""
    total = values_of(list(sites)) * width
    for weight, rows in _quantised(sites, storage):
        # 8 bits and a scale for each output, or 4 bits and a scale in fp32 for each 64 values.
        total += (weight + rows * width if storage == "8bit" else weight // 2 + 4 * weight // BLOCK) - weight * width
    return total


def _restored(sites: Sequence[Site], storage: str, width: int) -> int:
    """Bytes of the largest weight that is put together for a product."""
    return max((weight * width for weight, _ in _quantised(sites, storage)), default=0)


def _loading(sites: Sequence[Site], storage: str, width: int) -> int:
    """Bytes held when the last and largest weight is quantised: as it lies in the file, as it is read, and in fp32, scaled."""
    largest = max((values for values, _ in _quantised(sites, storage)), default=0)
    return _base_bytes(sites, storage, width) + largest * (4 + width + 2 * 4) if largest else 0


def _quantised(sites: Sequence[Site], storage: str) -> list[tuple[int, int]]:
    """Values and outputs of each weight that is kept in fewer bits (`sdtui.models.quantised`)."""
    layers = [site for site in sites if storage != "same" and not site.norm]
    sized = [(prod(site.shape), site) for site in layers]
    return [(values, site.outputs) for values, site in sized if is_quantised(site.path, values)]


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


def _vae_working(config: Mapping[str, Any], pixels: int) -> int:
    """Bytes of feature maps while images of so many pixels together are encoded, in fp32."""
    channels = config.get("block_out_channels") or [0]
    return int(_MAPS * 4 * channels[0] * pixels)


def text_values(parts: Parts) -> int:
    """Weights of the text encoders."""
    total = 0
    for name in ("text_encoder", "text_encoder_2"):
        config = parts.get(name, {})
        total += values_of([*text_sites(dict(config), name), *text_tables(dict(config), name)])
    return total


def _precision(profile: Profile, parts: Parts, *, processor: bool) -> str:
    chosen = profile.training.precision
    if chosen != "auto":
        return chosen
    return on_processor(profile, parts, processor_flags()) if processor else "bf16"
