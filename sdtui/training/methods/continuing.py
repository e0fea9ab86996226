"""Going on from a finished adapter file: its tensors become the initial values, and the change they make stays the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from sdtui.errors import UserError
from sdtui.formats import reading
from sdtui.formats.learned import Learned
from sdtui.training.methods.adapters import Adapter

_WHERE = "method.continue_from"


def take_up(path: Path, family: str, layers: Mapping[str, Adapter]) -> None:
    """Fill `layers`, by "component.path", with what the file at `path` holds; those it lacks start as if there were none.

    A file with another alpha is scaled, so that what is learned begins as strong as the file is.

    Raises:
        UserError: the file cannot be read, is of another algorithm, or has other shapes, with the layer's name.
    """
    split = [tuple(name.split(".", 1)) for name in layers]
    adapter = reading.read(path, family, [(component, layer) for component, layer in split])
    for learned in adapter.layers:
        _fill(layers[f"{learned.component}.{learned.path}"], learned)


@torch.no_grad()
def _fill(layer: Adapter, learned: Learned) -> None:
    name = f"{learned.component}.{learned.path}"
    own = layer.tensors()
    if own.keys() != learned.tensors.keys():
        held, wanted = ", ".join(sorted(learned.tensors)), ", ".join(sorted(own))
        raise UserError(f"{name} holds {held} in the file, and the profile trains {wanted}", where=_WHERE)
    for part in layer.learned:
        found = learned.tensors[layer.FILE_NAMES.get(part, part)]
        parameter = layer.get_parameter(part)
        if found.shape != parameter.shape:
            raise UserError(
                f"{name}: {part} is {list(found.shape)} in the file, and {list(parameter.shape)} by the profile",
                where=_WHERE,
                remedy="Set rank, conv_rank and factor as they were when the file was made",
            )
        parameter.copy_(found)
    _keep_strength(name, layer, learned.alpha)


def _keep_strength(name: str, layer: Adapter, alpha: float | None) -> None:
    own, factors = layer.file_alpha(), layer.factors()
    if own is None or alpha is None or alpha == own:
        return
    if not factors:
        raise UserError(f"{name} has its rotation limited (alpha {alpha:g}), which is not known here", where=_WHERE)
    factors[-1].mul_(alpha / own)
