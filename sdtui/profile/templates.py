"""Starting profiles for `sdtui new`: the settings people change, each with its help, and the ready ones for a task."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from functools import partial
from typing import Any

import tomli_w

from sdtui.errors import UserError
from sdtui.profile import shipped
from sdtui.profile.nearest import choice_hint
from sdtui.profile.schema import SCHEMA
from sdtui.profile.settings import BY_KEY

# What a starting profile gives, in this order; where a value differs from the default, it is the usual choice for LoRA.
_LORA: dict[str, Any] = {
    "model.base": "path/to/stable-diffusion-v1-5",
    "method.kind": "lora",
    "method.rank": 16,
    "method.alpha": 16.0,
    "method.text_encoder": False,
    "dataset.resolution": 512,
    "dataset.folders[].path": "path/to/images",
    "dataset.folders[].repeats": 1,
    "captions.prefix": "",
    "captions.dropout": 0.05,
    "training.steps": 1500,
    "training.batch_size": 2,
    "training.precision": "bf16",
    "training.seed": 0,
    "objective.min_snr_gamma": 5.0,
    "optimizer.name": "adamw",
    "optimizer.learning_rate": 1e-4,
    "schedule.name": "cosine",
    "schedule.warmup": 0.05,
    "previews.every": 250,
    "previews.prompts": ["a photo of a house by a lake --w 512 --h 512 --s 20 --l 7.5 --d 1 --n blurry"],
    "saving.every_minutes": 10.0,
    "saving.keep_last": 2,
    "saving.trigger": "",
}

# A LoRA of the 3×3 convolutions, too, whose ranks are usually half the others'.
_LOCON: dict[str, Any] = {
    **{key: value for key, value in _LORA.items() if key.startswith(("model.", "method."))},
    "method.conv_rank": 8,
    "method.conv_alpha": 8.0,
    "method.targets": ["attention", "feed-forward", "projection", "convolution"],
    **{key: value for key, value in _LORA.items() if not key.startswith(("model.", "method."))},
}

# What only `sdtui demo` can use.
_NOT_OFFERED = "demo"


def _ready() -> dict[str, Callable[[], str]]:
    """The profiles that come with sdtui, by name."""
    return {path.stem: partial(path.read_text, "utf-8") for path in shipped.profiles() if path.stem != _NOT_OFFERED}


KINDS: dict[str, Callable[[], str]] = {
    "lora": lambda: _written("A LoRA for Stable Diffusion 1.x.", _LORA),
    "locon": lambda: _written("A LoCon for Stable Diffusion 1.x: a LoRA of the 3×3 convolutions, too.", _LOCON),
    **_ready(),
}
# What the method is called, without saying of what.
KINDS["textual-inversion"] = KINDS["textual-inversion-character"]


def new_profile(kind: str) -> str:
    """The text of a commented starting profile; its two paths are for the user to fill in.

    Raises:
        UserError: there is no such kind; the message lists those there are.
    """
    if kind not in KINDS:
        there = f"There is: {', '.join(KINDS)}"
        hint = choice_hint(kind, tuple(KINDS))
        raise UserError(f"there is no starting profile {kind!r}", remedy=f"{hint} {there}".strip())
    return KINDS[kind]()


def describe(kind: str) -> str:
    """What a kind trains, in a few words: the first line of its profile; raises UserError as `new_profile`."""
    return new_profile(kind).partition("\n")[0].removeprefix("# ").rstrip(".")


def _written(title: str, values: dict[str, Any]) -> str:
    lines = [
        f"# {title}",
        "# Fill in the two paths, then: sdtui check, sdtui plan, sdtui train.",
        "# Every setting there is: sdtui schema --markdown.",
        "",
        f"schema = {SCHEMA}",
    ]
    section = ""
    for key, value in values.items():
        setting = BY_KEY[key]
        if setting.section != section:
            section = setting.section
            header = f"[[{section.removesuffix('[]')}]]" if section.endswith("[]") else f"[{section}]"
            lines += ["", header]
        unit = f" ({setting.unit})" if setting.unit else ""
        lines += textwrap.wrap(f"{setting.help}{unit}", 100, initial_indent="# ", subsequent_indent="# ")
        lines.append(tomli_w.dumps({setting.name: value}).rstrip("\n"))
    return "\n".join(lines) + "\n"
