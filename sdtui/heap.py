"""The process's memory: what was freed goes back to the system, which the allocator would keep for later."""

from __future__ import annotations

import sys

# Of glibc's `mallopt`: blocks from which on each is mapped by itself, and how many heaps threads may have.
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
_MAPPED = 256 << 10
_ARENAS = 2


def keep_small() -> None:
    """From now on large blocks go back as soon as they are freed, and threads share heaps; for a process of many threads.

    By default glibc raises the size from which on it does that with the blocks that are freed, and gives each thread a heap,
    whose gaps add up. Costs a page fault for each 4 KiB of a large block, so it is not for training.
    """
    if sys.platform == "linux":
        import ctypes

        set_option = getattr(ctypes.CDLL(None), "mallopt", None)
        if set_option is not None:
            set_option(_MMAP_THRESHOLD, _MAPPED)
            set_option(_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Give freed memory back: glibc keeps it, and what comes later has other sizes. Takes some milliseconds."""
    if sys.platform == "linux":
        import ctypes

        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:  # musl has none, and keeps nothing
            trim(0)
