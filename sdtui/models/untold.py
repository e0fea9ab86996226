"""What no single file tells of a model: its weights are there, but not in how many groups and heads they are used.

Programs that open one take what the published models have. A model of another make is whole as a folder only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sdtui.models.configs import read_config
from sdtui.models.recognise import Found
from sdtui.profile.naming import LAYOUTS
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Profile

Configs = Mapping[str, Mapping[str, Any]]
_FILE, _KEY = "single-file", "saving.formats"
_PARTS = {"unet": "UNet", "vae": "VAE"}


def make_findings(profile: Profile, found: Found, configs: Configs) -> Iterator[Finding]:
    """A base model that is such a file, and a whole model that would be written as one."""
    if found.contents is not None:
        yield from _of_file(found, configs)
    elif profile.method.kind == "full" and _FILE in (profile.saving.formats or LAYOUTS["full"][:1]):
        own = {name: config for name, config in configs.items() if name != "vae" or not profile.model.vae}
        odd = ", ".join(untold(found, own))
        message = f"{_KEY}: a single file does not tell {odd}, which are not the usual ones in this base model: no program can open it"
        if odd:
            yield Finding("untold", _KEY, message, f'Set {_KEY} = ["folder"]', severity="warning")


def untold(found: Found, configs: Configs) -> Iterator[str]:
    """Settings of a model's `configs`, "unet.norm_num_groups", that are others than those taken for a single file."""
    unet = configs.get("unet", {})
    widths = list(unet.get("block_out_channels") or [])
    heads = unet.get("num_attention_heads") or unet.get("attention_head_dim")
    if widths and heads and _each(heads, len(widths)) != _each(found.family.heads(widths), len(widths)):
        yield "unet.attention_head_dim"
    for part, names in (("unet", ("norm_num_groups",)), ("vae", ("norm_num_groups", "scaling_factor"))):
        config, published = configs.get(part, {}), read_config(found.family.name, part)
        yield from (f"{part}.{name}" for name in names if config.get(name, published[name]) != published[name])
    for encoder in found.family.encoders:
        config = configs.get(encoder.component, {})
        width, count = config.get("hidden_size"), config.get("num_attention_heads")
        if width and count and count != max(width // 64, 1):
            yield f"{encoder.component}.num_attention_heads"


def _of_file(found: Found, configs: Configs) -> Iterator[Finding]:
    """The trainer finds the same, when it makes the part."""
    for part, title in _PARTS.items():
        config = configs[part]
        groups = config.get("norm_num_groups") or 1
        odd = next((width for width in config.get("block_out_channels", ()) if width % groups), None)
        if odd is not None:
            message = (
                f"model.base: {found.base.name}: the {title} is of a make that no single file tells: "
                f"{odd} channels are not to be had in {groups} groups"
            )
            yield Finding("bad-model", "model.base", message, "Take the model as a folder")


def _each(value: Any, count: int) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value] * count
