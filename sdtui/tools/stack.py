"""Adapters on a base model: written into its weights, several on top of each other, and taken off again without a trace.

A model with adapters in its weights draws as fast as without, whatever their algorithm, and whoever compares strengths
only pays for the layers that change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sdtui.errors import UserError
from sdtui.formats import reading
from sdtui.formats.change import Parameters, applied
from sdtui.formats.learned import Learned
from sdtui.models.family import Model
from sdtui.models.loading import SingleFile
from sdtui.models.weights import read_contents
from sdtui.tools.vocabulary import Vocabulary

_OTHER = "It is no adapter, or one for another base model"
_KINDS = (nn.Linear, nn.Conv2d, nn.GroupNorm, nn.LayerNorm)


class Worn(NamedTuple):
    """An adapter file and how strongly it acts on the UNet and on the text encoders."""

    file: Path
    unet: float = 1.0
    text: float = 1.0


@dataclass
class Stack:
    """What a model wears and reads; `wear` puts on what is asked and takes off the rest.

    Args:
        model: whose weights are written to.
    """

    model: Model
    worn: tuple[Worn, ...] = ()
    _bare: dict[str, Parameters] = field(default_factory=dict)
    _read: dict[Path, list[Learned]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """The model's words follow from what it wears, too."""
        self._vocabulary = Vocabulary(self.model)

    def wear(self, worn: Sequence[Worn], said: Mapping[str, Path] | None = None) -> None:
        """Have exactly these adapters on, in this order, and these words known; none of them: the base model, bit for bit.

        Words that an adapter's file brings along are known besides.

        Raises:
            UserError: a file cannot be read, or does not fit the model; the model is as it was before any adapter.
        """
        self._wear(tuple(worn))
        self._vocabulary.teach(said or {}, [one.file for one in worn])

    def _wear(self, wanted: tuple[Worn, ...]) -> None:
        if wanted == self.worn:
            return
        self._take_off()
        try:
            for one in wanted:
                self._put_on(one)
        except BaseException:
            self._take_off()
            raise
        self.worn = wanted
        # A sheet over checkpoints would else keep all of them in memory.
        self._read = {one.file: self._read[one.file] for one in wanted}

    @cached_property
    def _layers(self) -> dict[str, nn.Module]:
        """All layers that something can have been learned in, by "component.path"."""
        return {
            f"{component}.{path}": layer
            for component, module in self.model.components.items()
            for path, layer in module.named_modules()
            if isinstance(layer, _KINDS)
        }

    def _put_on(self, one: Worn) -> None:
        for learned in self._learned(one.file):
            strength = one.unet if learned.component == "unet" else one.text
            if not strength:
                continue
            name = f"{learned.component}.{learned.path}"
            layer = self._layers[name]
            now = _parameters(layer)
            try:
                changed = applied(learned, now, strength)
            except ValueError as error:
                raise UserError(str(error), where=str(one.file), remedy=_OTHER) from error
            if name not in self._bare:
                self._bare[name] = _copied(now)
            _write(layer, changed)

    def _take_off(self) -> None:
        for name, bare in self._bare.items():
            _write(self._layers[name], bare)
        self._bare.clear()
        self.worn = ()

    def _learned(self, file: Path) -> list[Learned]:
        if file not in self._read:
            source = SingleFile(read_contents(file))
            tensors = {name: source.raw(name).to(self.model.device) for name in source.contents.weights}
            places = list(_places(self._layers))
            try:
                adapter = reading.read(tensors, source.contents.facts, self.model.family, places, str(file))
            except reading.StrangeLayersError as error:
                message = f"it is for layers that {self.model.name} has not, the first {error.names[0]}"
                raise UserError(message, where=str(file), remedy=_OTHER) from error
            if not adapter.layers:
                raise UserError("the file holds no adapter", where=str(file))
            self._read[file] = list(adapter.layers)
        return self._read[file]


def _places(names: dict[str, nn.Module]) -> Iterator[tuple[str, str]]:
    for name in names:
        component, _, path = name.partition(".")
        yield component, path


def _parameters(layer: nn.Module) -> Parameters:
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, Tensor)
    return Parameters(weight, bias if isinstance(bias, Tensor) else None)


def _copied(values: Parameters) -> Parameters:
    bias = values.bias
    return Parameters(values.weight.detach().clone(), None if bias is None else bias.detach().clone())


@torch.no_grad()
def _write(layer: nn.Module, values: Parameters) -> None:
    """In place: whoever holds the layer sees it."""
    own = _parameters(layer)
    own.weight.copy_(values.weight)
    if own.bias is not None and values.bias is not None:
        own.bias.copy_(values.bias)
