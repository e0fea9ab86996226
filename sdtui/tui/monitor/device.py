"""What the whole device is doing, from NVIDIA's library where it is installed; the trainer reports only its own share."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True, slots=True)
class DeviceTotals:
    """One GPU: memory in MiB, load in percent, temperature in °C."""

    name: str
    used_mib: int
    total_mib: int
    load_percent: int
    celsius: int


class DeviceProbe:
    """Asks NVML about the first device; after one failure it is not asked again."""

    def __init__(self) -> None:
        self._library: ModuleType | None = None
        self._gone = False

    def read(self) -> DeviceTotals | None:
        """The totals now, or None where there is no NVIDIA device or no library for it."""
        if self._gone:
            return None
        try:
            return self._read()
        except Exception:  # noqa: BLE001  the library raises its own classes, a missing driver others: all mean "no figures"
            self._gone = True
            return None

    def _read(self) -> DeviceTotals:
        if self._library is None:
            self._library = importlib.import_module("pynvml")
            self._library.nvmlInit()
        library = self._library
        handle = library.nvmlDeviceGetHandleByIndex(0)
        memory = library.nvmlDeviceGetMemoryInfo(handle)
        name = library.nvmlDeviceGetName(handle)
        return DeviceTotals(
            name=name.decode() if isinstance(name, bytes) else str(name),
            used_mib=int(memory.used) >> 20,
            total_mib=int(memory.total) >> 20,
            load_percent=int(library.nvmlDeviceGetUtilizationRates(handle).gpu),
            celsius=int(library.nvmlDeviceGetTemperature(handle, library.NVML_TEMPERATURE_GPU)),
        )
