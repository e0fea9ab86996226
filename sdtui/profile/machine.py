"""What can be said of this machine without PyTorch: whether there can be a GPU, what the processor does, how much memory."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sdtui.profile.schema import Profile

# Without one of these no driver can be reached: NVIDIA's, its one for Jetson, Windows' for WSL, AMD's.
_GPU_NODES = ("nvidia[0-9]*", "nvhost-*", "nvgpu", "dxg", "kfd")


def has_gpu(devices: Path = Path("/dev")) -> bool:
    """Whether there can be a GPU that PyTorch reaches through CUDA; whether it does, the trainer finds out."""
    return any(next(devices.glob(node), None) for node in _GPU_NODES)


def trains_on_processor(profile: Profile, devices: Path = Path("/dev")) -> bool:
    """Whether the profile's device comes to the processor here."""
    wanted = profile.training.device
    return wanted == "cpu" or (wanted == "auto" and sys.platform != "darwin" and not has_gpu(devices))


def processor_flags(information: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """What the processor can do, in Linux' words; nothing where it is not said."""
    try:
        lines = information.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return next((frozenset(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), frozenset())


def memory_bytes() -> int:
    """The machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def free_bytes(information: Path = Path("/proc/meminfo"), cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Memory that a program could still take here, files that are only cached counted; all of it where Linux is not.

    A container may take no more than its control group (version 2) leaves.
    """
    free = _numbers(information).get("MemAvailable:", 0) * 1024 or memory_bytes()
    try:
        limit = int((cgroup / "memory.max").read_text(encoding="ascii"))
    except (OSError, ValueError):  # none, or "max"
        return free
    used = _numbers(cgroup / "memory.stat")
    return min(free, max(0, limit - used.get("anon", 0) - used.get("kernel", 0) - used.get("shmem", 0)))


def _numbers(file: Path) -> dict[str, int]:
    """The number behind the first word of each line; nothing where there is no such file."""
    try:
        lines = file.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return {}
    rows = [line.split() for line in lines]
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdecimal()}
