"""Going on from a finished adapter file: its tensors become the initial values, and the change they make stays the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from sdtui.errors import UserError
from sdtui.formats import reading
from sdtui.formats.learned import Learned
from sdtui.models.loading import SingleFile
from sdtui.models.weights import read_contents
from sdtui.profile.factors import FILE_NAMES, RANK_AXES
from sdtui.training.methods.adapters import Adapter

_WHERE = "method.continue_from"


def take_up(path: Path, family: str, layers: Mapping[str, Adapter]) -> None:
    """Fill `layers`, by "component.path", with what the file at `path` holds; those it lacks start as if there were none.

    A file with another alpha is scaled, and one of a smaller rank is filled up, so that what is learned begins as strong as
    the file is.

    Raises:
        UserError: the file cannot be read, is of another algorithm, or has other shapes, with the layer's name.
    """
    source = SingleFile(read_contents(path))
    tensors = {name: source.raw(name).float() for name in source.contents.weights}
    places = [(component, layer) for component, _, layer in (name.partition(".") for name in layers)]
    adapter = reading.read(tensors, source.contents.facts, family, places, str(path))
    for learned in adapter.layers:
        name = f"{learned.component}.{learned.path}"
        _fill(name, layers[name], learned)


@torch.no_grad()
def _fill(name: str, layer: Adapter, learned: Learned) -> None:
    held = _multiplied(layer, learned.tensors)
    own = layer.tensors()
    if own.keys() != held.keys():
        stored, wanted = ", ".join(sorted(held)), ", ".join(sorted(own))
        raise UserError(f"{name} holds {stored} in the file, and the profile trains {wanted}", where=_WHERE)
    for fixed in own.keys() - {FILE_NAMES.get(part, part) for part in layer.learned}:
        if not torch.equal(own[fixed].float(), held[fixed].float()):
            raise UserError(f"{name}: {fixed} is {held[fixed]:g} in the file, and {own[fixed]:g} here", where=_WHERE)
    for part in layer.learned:
        _place(name, layer, part, held[FILE_NAMES.get(part, part)])
    if layer.factors() and layer.file_alpha() is not None:
        layer.factors()[-1].mul_(learned.scale / layer.scale)


def _multiplied(layer: Adapter, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, with products that the profile keeps whole (LoKr's factors) multiplied out."""
    held = dict(tensors)
    for part in layer.learned:
        first, second = f"{part}_a", f"{part}_b"
        if part not in held and {first, second} <= held.keys():
            held[part] = (held.pop(first) @ held.pop(second)).view(layer.plan.shapes[part])
    return held


def _place(name: str, layer: Adapter, part: str, found: Tensor) -> None:
    """Put a stored tensor in its place; beside one of a smaller rank the further ranks stay new, and add nothing yet."""
    if not torch.isfinite(found).all():
        raise UserError(
            f"{name}: {part} holds values that are not finite",
            where=_WHERE,
            remedy="The run that made the file diverged; choose a file from before that",
        )
    parameter = room = layer.get_parameter(part).data
    axis = RANK_AXES.get(part)
    if axis is not None and found.dim() == parameter.dim():
        if part.endswith("w1_a"):
            # In all other products one factor starts as zero, so that new ranks add nothing; here both are random.
            parameter.zero_()
        room = parameter.narrow(axis, 0, min(found.shape[axis], parameter.shape[axis]))
    if found.shape != room.shape:
        raise UserError(
            f"{name}: {part} is {list(found.shape)} in the file, and {list(parameter.shape)} by the profile",
            where=_WHERE,
            remedy="Set rank, conv_rank and factor as they were when the file was made; smaller ranks are filled up",
        )
    room.copy_(found)
