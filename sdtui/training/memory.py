"""How much memory training uses: torch's own figures on a GPU, the process's resident memory elsewhere."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path
from typing import Any

import torch

_MIB = 1 << 20


def usage(device: torch.device) -> dict[str, Any]:
    """`{kind, used_mib, peak_mib, total_mib}`; on a GPU also `parts` with what torch holds but does not use."""
    return _cuda_usage(device) if device.type == "cuda" else _process_usage()


def _cuda_usage(device: torch.device) -> dict[str, Any]:
    allocated, reserved = torch.cuda.memory_allocated(device), torch.cuda.memory_reserved(device)
    return {
        "kind": "cuda",
        "used_mib": round(reserved / _MIB),
        "peak_mib": round(torch.cuda.max_memory_reserved(device) / _MIB),
        "total_mib": round(torch.cuda.get_device_properties(device).total_memory / _MIB),
        "parts": {"allocated": round(allocated / _MIB), "cached": round((reserved - allocated) / _MIB)},
    }


def _process_usage() -> dict[str, Any]:
    # Linux counts the peak in KiB, macOS in bytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "kind": "process",
        "used_mib": round((_resident_bytes() or peak) / _MIB),
        "peak_mib": round(peak / _MIB),
        "total_mib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _MIB),
    }


def _resident_bytes() -> int | None:
    """What Linux says is resident now; elsewhere there is only the peak."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
