"""Which number format a run on the processor computes in when the profile leaves it to the machine; no PyTorch needed.

Halving the frozen model's numbers halves what must be read from memory and doubles what the processor multiplies at once,
where it can multiply bf16 at all. Small models spend their time between the products, and there the conversions cost more
than the products save.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Literal

from sdtui.profile.schema import Profile
from sdtui.profile.size import Parts, unet_values

# What Linux calls the instructions that multiply bf16 without converting it first.
_MULTIPLIES_BF16 = frozenset({"avx512_bf16", "amx_bf16"})
_WINS_FROM = 2e12
"""Weights × pixels of an image from which bf16 is faster, measured on a Zen 4 with one thread: ms a step of a LoRA in fp32
and bf16, 3.2 M weights at 128 px 98 and 157, 35 M at 128 px 222 and 261, 13 M at 256 px 424 and 413, 35 M at 256 px 637
and 499, Stable Diffusion 1.5 at 256 px 5300 and 3062. Larger batches of small images gain nothing: 12 M, 16 images of
128 px, 644 and 1060. Below Stable Diffusion's width little is won either way."""


def on_processor(profile: Profile, parts: Parts | None, flags: AbstractSet[str]) -> Literal["fp32", "bf16"]:
    """What "auto" means on a processor that has `flags`, for a base model of these configs (`size.trained`).

    A model that cannot be counted, as it is yet to be downloaded, is taken for a large one.
    """
    if not _MULTIPLIES_BF16 & flags:
        return "fp32"
    values = unet_values(profile, parts)
    return "bf16" if values is None or values * profile.dataset.resolution**2 >= _WINS_FROM else "fp32"
