"""Names of a layer in files of adapters: kohya's, which all programs read, and those that other programs write.

kohya's is `<prefix>_<path>`: the path that diffusers or transformers shows (in SDXL's UNet Stability's own), dots replaced by
underscores. transformers 5.6 dropped the `text_model` level from CLIPTextModel; the published names keep it, and readers other
than diffusers insist on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sdtui.profile.unet_names import SDXL

PREFIXES = {"unet": "lora_unet", "text_encoder": "lora_te"}
SDXL_PREFIXES = {"unet": "lora_unet", "text_encoder": "lora_te1", "text_encoder_2": "lora_te2"}
TEXT_ROOT = "text_model."
# Words that an adapter's file brings along, by A1111's `networks.py`.
BUNDLE = "bundle_emb."
# PEFT's name for DoRA's lengths.
MAGNITUDES = "lora_magnitude_vector"

# Endings of diffusers and PEFT, the older ones too, and what they are called here. PEFT may put a name of the adapter's own
# before ".weight".
_ENDINGS = (
    (re.compile(r"\.lora(?:_linear_layer)?\.down\.weight$|\.lora_A(?:\.[^.]+)?\.weight$"), "lora_down.weight"),
    (re.compile(r"\.lora(?:_linear_layer)?\.up\.weight$|\.lora_B(?:\.[^.]+)?\.weight$"), "lora_up.weight"),
    (re.compile(rf"\.{MAGNITUDES}(?:\.[^.]+)?(?:\.weight)?$"), MAGNITUDES),
    (re.compile(r"\.alpha$"), "alpha"),
    (re.compile(r"\.lora_down\.weight$"), "lora_down.weight"),
    (re.compile(r"\.lora_up\.weight$"), "lora_up.weight"),
    (re.compile(r"\.lora_mid\.weight$"), "lora_mid.weight"),
    (re.compile(r"\.dora_scale$"), "dora_scale"),
)
# diffusers before 0.22 named the factors after the attention that held them: "attn1.processor.to_out_lora.up.weight".
_HELD_BY_ATTENTION = re.compile(r"\.(?:processor\.)?to_(q|k|v|out)_lora\.(down|up)\.weight$")
# A PEFT folder's file names no component, nor does what LyCORIS wrote outside of kohya's scripts.
_PEFT_ROOT = "base_model.model."


def key(family: str, component: str, path: str) -> str:
    """The name of a layer in a file for `family`, without the tensor's own ending."""
    prefixes = SDXL_PREFIXES if family == "sdxl" else PREFIXES
    if component == "unet":
        path = SDXL(path) if family == "sdxl" else path
    elif not path.startswith(TEXT_ROOT):
        path = TEXT_ROOT + path
    return f"{prefixes[component]}_{path.replace('.', '_')}"


def stems(family: str, component: str, path: str) -> Iterator[str]:
    """All names that files have for a layer: kohya's with any way of telling encoders apart, diffusers', PEFT's."""
    if component == "unet":
        own = key(family, component, path).removeprefix("lora_unet_")
        for flat in (own, path.replace(".", "_")):
            yield from (f"{prefix}_{flat}" for prefix in ("lora_unet", "oft_unet", "lycoris"))
        yield from (f"{root}{path}" for root in ("unet.", _PEFT_ROOT, ""))
        return
    # Files of trainers under transformers 5.6 may lack the level that its CLIPTextModel lacks.
    bare = path.removeprefix(TEXT_ROOT)
    prefixes = ["lora_te2"] if component == "text_encoder_2" else ["lora_te", "lora_te1"]
    for name in (bare, TEXT_ROOT + bare):
        yield f"{component}.{name}"
        yield from (f"{prefix}_{name.replace('.', '_')}" for prefix in prefixes)


def split(name: str) -> tuple[str, str]:
    """A tensor's name as its layer's and its own."""
    if found := _HELD_BY_ATTENTION.search(name):
        part, way = found.groups()
        in_unet = "to_out.0" if part == "out" else f"to_{part}"
        layer = f"{part}_proj" if name.startswith("text_encoder") else in_unet
        return f"{name[: found.start()]}.{layer}", f"lora_{way}.weight"
    for pattern, ending in _ENDINGS:
        if found := pattern.search(name):
            return name[: found.start()], ending
    stem, _, ending = name.partition(".")
    return stem, ending
