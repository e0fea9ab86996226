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
        self._away = False  # from its device, though in memory
        self._rests = False
        self._asking = 0
        self._moving = threading.Lock()  # held while it comes and goes

    @property
    def present(self) -> nn.Module | None:
        """The module, if it is in memory now."""
        return self._module

    @property
    def module(self) -> nn.Module:
        """The module on its device, for whoever keeps it: it stays."""
        with self._moving:
            self._rests = False
            return self._come()

    def ask(self, question: Callable[[Any], T]) -> T:
        """What `question` says of the module on its device, which is there for that long; any number of threads may ask."""
        with self._moving:
            module = self._come()
            self._asking += 1
        try:
            return question(module)
        finally:
            with self._moving:
                self._asking -= 1
                self._leave_if_idle()

    def rest(self) -> None:
        """From now on it is there only while it is asked."""
        with self._moving:
            self._rests = True
            self._leave_if_idle()

    def _come(self) -> nn.Module:
        if self._module is None or self._away:
            # Only then: to ask each weight of a VAE where it is takes a tenth of the time that encoding a small image does.
            self._module = (self._load() if self._module is None else self._module).to(self._device)
            self._away = False
        return self._module

    def _leave_if_idle(self) -> None:
        """Off the device once nobody asks: to the machine's memory or, where that is the device, out of it."""
        if not self._rests or self._asking or self._module is None:
            return
        if self._device.type != "cpu":
            self._module = self._module.to("cpu")
            self._away = True
            return
        self._module = None
        heap.give_back()
