"""How many images a VAE encodes at once on a processor, each by fewer threads: many small ones, one large one."""

from __future__ import annotations

import os

from sdtui.profile.schema import Profile

_PIXELS = 1 << 18
"""Of the images that are encoded at once, which so need no more memory than one of 512 × 512."""


def encoders(pixels: int, threads: int) -> int:
    """How many images of so many pixels are encoded at once; the threads are dealt out to them.

    Threads that share one small image spend much of their time on waiting for each other: beside other work an image of
    128 px took 134 ms of processor time by two threads together, and 50 by one alone.
    """
    return max(1, min(threads, _PIXELS // pixels))


def threads_of(profile: Profile) -> int:
    """How many threads a process of the run will have on the processor, as far as that is known without PyTorch."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return profile.training.threads or max(1, cores // profile.launch.processes)
