"""Samplers by the names they have elsewhere: kohya's `--ss` gives ours, A1111's and ComfyUI's menus others."""

from __future__ import annotations

import difflib
from typing import Literal, get_args

SamplerName = Literal[
    "ddim", "pndm", "euler", "euler_a", "heun", "dpm_2", "dpm_2_a", "dpmsingle", "dpmsolver++", "dpmsolver++_karras",
    "dpmsolver++_sde", "dpmsolver++_sde_karras", "unipc",
]  # fmt: skip
SAMPLER_NAMES: tuple[str, ...] = get_args(SamplerName)

# A1111's names, which are written into pictures, and other programs'; compared in lower case.
_PUBLIC = {
    "ddim": "DDIM", "pndm": "PLMS", "euler": "Euler", "euler_a": "Euler a", "heun": "Heun", "dpm_2": "DPM2",
    "dpm_2_a": "DPM2 a", "dpmsingle": "DPM++ 2S", "dpmsolver++": "DPM++ 2M", "dpmsolver++_karras": "DPM++ 2M Karras",
    "dpmsolver++_sde": "DPM++ 2M SDE", "dpmsolver++_sde_karras": "DPM++ 2M SDE Karras", "unipc": "UniPC",
}  # fmt: skip
_ALSO = {
    "k_euler": "euler", "k_euler_a": "euler_a", "euler_ancestral": "euler_a", "k_dpm_2": "dpm_2", "k_dpm_2_a": "dpm_2_a",
    "dpm_2_ancestral": "dpm_2_a", "dpmpp_2m": "dpmsolver++", "dpmpp_2m_karras": "dpmsolver++_karras",
    "dpmpp_2m_sde": "dpmsolver++_sde", "uni_pc": "unipc", "plms": "pndm",
}  # fmt: skip
_BY_NAME = {name: name for name in SAMPLER_NAMES} | {shown.lower(): name for name, shown in _PUBLIC.items()} | _ALSO

HINTS = tuple((text, f'Write "{name}"') for text, name in _BY_NAME.items() if text != name)
"""What else a profile's value may say, and what to write."""


def sampler_called(text: str) -> str | None:
    """The sampler that some program calls `text`, case ignored; None when it is none of ours."""
    return _BY_NAME.get(text.strip().lower())


def nearest(text: str) -> str:
    """The known name most like `text`, "" when none is."""
    near = difflib.get_close_matches(text.strip().lower(), _BY_NAME, n=1, cutoff=0.5)
    return near[0] if near else ""


def public_name(name: str) -> str:
    """What A1111's web UI calls it, as pictures' parameters say it."""
    return _PUBLIC[name]
