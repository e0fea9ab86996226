"""Device totals from a stand-in for NVIDIA's library."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from sdtui.tui.monitor.device import DeviceProbe, DeviceTotals

ANSWERS: dict[str, Any] = {
    "nvmlDeviceGetHandleByIndex": lambda index: index,
    "nvmlDeviceGetMemoryInfo": lambda _handle: SimpleNamespace(used=18637 << 20, total=143771 << 20),
    "nvmlDeviceGetName": lambda _handle: b"NVIDIA H200",
    "nvmlDeviceGetUtilizationRates": lambda _handle: SimpleNamespace(gpu=97),
    "nvmlDeviceGetTemperature": lambda _handle, _sensor: 71,
}


class Library(ModuleType):
    """What is used of pynvml, for one H200."""

    NVML_TEMPERATURE_GPU = 0

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__("pynvml")
        self.starts = 0
        self._fails = fails

    def start(self) -> None:
        self.starts += 1
        if self._fails:
            raise RuntimeError("NVML: driver not loaded")

    def __getattr__(self, name: str) -> Any:
        return {"nvmlInit": self.start, **ANSWERS}[name]


def test_totals_of_the_first_device(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library()
    monkeypatch.setitem(sys.modules, "pynvml", library)
    probe = DeviceProbe()
    assert probe.read() == DeviceTotals("NVIDIA H200", 18637, 143771, 97, 71)
    assert probe.read() is not None
    assert library.starts == 1


def test_without_a_driver_it_asks_once_only(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library(fails=True)
    monkeypatch.setitem(sys.modules, "pynvml", library)
    probe = DeviceProbe()
    assert (probe.read(), probe.read(), library.starts) == (None, None, 1)


def test_without_the_library_there_are_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert DeviceProbe().read() is None
