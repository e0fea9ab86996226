"""A part of a base model that is asked now and then: loaded when it is first needed, and out of the way while it is idle.

VAE and text encoders answer before training and for previews; in between they would only take memory that the steps need.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import nn

from sdtui import heap

T = TypeVar("T")


class Part:
    """A frozen module that need not be there all the time.

    Args:
        load: makes it on the device, with the same bits each time.
        device: where it computes.
    """

    def __init__(self, load: Callable[[], nn.Module], device: torch.device) -> None:
        self._load = load
        self._device = device
        self._module: nn.Module | None = None
        self._rests = False
        self._loading = threading.Lock()

    @property
    def present(self) -> nn.Module | None:
        """The module, if it is in memory now."""
        return self._module

    @property
    def module(self) -> nn.Module:
        """The module on its device, for whoever keeps it: it stays."""
        self._rests = False
        return self._ready()

    def ask(self, question: Callable[[Any], T]) -> T:
        """What `question` says of the module on its device, which is there for that long."""
        try:
            return question(self._ready())
        finally:
            if self._rests:
                self._leave()

    def rest(self) -> None:
        """From now on it is there only while it is asked."""
        self._rests = True
        self._leave()

    def _ready(self) -> nn.Module:
        with self._loading:  # those who ask at the same time find the same
            if self._module is None:
                self._module = self._load()
            return self._module.to(self._device)

    def _leave(self) -> None:
        """Off the device: to the machine's memory or, where that is the device, out of it."""
        if self._module is None:
            return
        if self._device.type != "cpu":
            self._module = self._module.to("cpu")
            return
        self._module = None
        heap.give_back()
