"""A finished adapter of kohya, LyCORIS, diffusers or PEFT, as what was learned in the layers of a model.

kohya's names have lost the difference between "." and "_", so a file can only be read beside the list of layers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from sdtui.errors import UserError
from sdtui.formats.learned import Adapter, Learned
from sdtui.formats.peft import SETTINGS
from sdtui.formats.spellings import usual
from sdtui.profile.layer_names import BUNDLE, TEXT_ROOT, split, stems


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
    places = {stem: layer for layer in layers for stem in stems(family, *layer)}
    found: dict[tuple[str, str], dict[str, Tensor]] = {}
    strange: list[str] = []
    for name, tensor in tensors.items():
        if name.startswith(BUNDLE):
            continue  # a word that goes with it: `sdtui.formats.embedding.read_bundle`
        stem, ending = split(name)
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
