"""A finished adapter of kohya, LyCORIS, diffusers or PEFT, as what was learned in the layers of a model.

kohya's names have lost the difference between "." and "_", so a file can only be read beside the list of layers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from sdtui.errors import UserError
from sdtui.formats.kohya import BUNDLE, TEXT_ROOT, key
from sdtui.formats.learned import Adapter, Learned
from sdtui.formats.peft import SETTINGS
from sdtui.formats.spellings import MAGNITUDES, usual

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


def read(
    tensors: Mapping[str, Tensor], header: Mapping[str, str], family: str, layers: Iterable[tuple[str, str]], where: str
) -> Adapter:
    """The adapter of `tensors`, for those of `layers`, (component, path) each, that it has something for.

    A layer without an alpha has the rank for it, as all readers agree.

    Args:
        tensors: what the file holds, by its names.
        header: the file's metadata.
        family: the model's, "sd1", "sd2" or "sdxl".
        layers: those that are trained.
        where: the file's name in messages.

    Raises:
        UserError: a tensor is for none of the layers, or of a kind that cannot be trained.
    """
    places = {stem: layer for layer in layers for stem in _stems(family, *layer)}
    found: dict[tuple[str, str], dict[str, Tensor]] = {}
    strange: list[str] = []
    for name, tensor in tensors.items():
        if name.startswith(BUNDLE):
            continue  # a word that goes with it: `sdtui.formats.embedding.read_bundle`
        stem, ending = _split(name)
        if stem in places:
            found.setdefault(places[stem], {})[ending] = tensor
        else:
            strange.append(name)
    if strange:
        raise _strange(strange, where)
    try:
        settings = dict(json.loads(header.get(SETTINGS, "{}")))
    except ValueError as error:
        raise UserError(f"{SETTINGS} in its header cannot be read: {error}", where=where) from error
    return Adapter(family, [_learned(*layer, held, settings, where) for layer, held in found.items()])


class StrangeLayersError(UserError):
    """A file has something for layers that are not among those it was read for; `names` are its tensors."""

    def __init__(self, message: str, names: list[str], *, where: str, remedy: str) -> None:
        super().__init__(message, where=where, remedy=remedy)
        self.names = names


def _strange(names: list[str], where: str) -> UserError:
    """What to say of tensors for none of the layers."""
    more = f" and {len(names) - 1} more are for layers that are" if len(names) > 1 else " is for a layer that is"
    return StrangeLayersError(
        f"{names[0]}{more} not trained here",
        names,
        where=where,
        remedy="Set targets, include, exclude and text_encoder of [method] as they were when the file was made",
    )


def _stems(family: str, component: str, path: str) -> Iterator[str]:
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


def _split(name: str) -> tuple[str, str]:
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


def _learned(component: str, path: str, held: dict[str, Tensor], settings: Mapping[str, Any], where: str) -> Learned:
    stored = held.pop("alpha", None)
    try:
        tensors, alpha = usual(held, None if stored is None else float(stored))
    except (ValueError, KeyError, RuntimeError) as error:
        raise UserError(f"{component}.{path} cannot be read: {error}", where=where) from error
    learned = Learned(component, path, tensors, alpha)
    if alpha is None and learned.rank is not None:
        return replace(learned, alpha=_told_alpha(component, path, learned.rank, settings))
    return learned


def _told_alpha(component: str, path: str, rank: int, settings: Mapping[str, Any]) -> float:
    """The alpha that PEFT's settings in the header say, or else the rank."""
    own = settings.get(f"{component}.alpha_pattern", {})
    bare = path.removeprefix(TEXT_ROOT)
    alpha = float(own.get(bare, own.get(TEXT_ROOT + bare, settings.get(f"{component}.lora_alpha", rank))))
    # What rsLoRA divides by the root of the rank, all readers of the tensors alone divide by the rank.
    return alpha * rank**0.5 if settings.get(f"{component}.use_rslora") else alpha
