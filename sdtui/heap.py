"""The process's memory: what was freed goes back to the system, which the allocator would keep for later."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Of glibc's `mallopt`: blocks from which on each is mapped by itself, and how many heaps threads may have.
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
_MAPPED = 256 << 10
_ARENAS = 2

# The largest block that glibc's own rule counts, which is 32 MiB with the block's head.
_LARGEST = (32 << 20) - (64 << 10)


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


def keep_large() -> None:
    """From now on blocks of up to 32 MiB are kept when they are freed, for those that are asked for next.

    By glibc's own rule, which keeps what is at most as large as a mapped block that was freed before, and of such blocks twice
    as much as one takes. Else a process whose tensors are of a few MiB gives each back and has it again page by page:
    a small VAE's pass takes 31 ms of processor time instead of 41. The block that teaches it is never written to, so it takes no memory.
    """
    if sys.platform == "linux":
        import ctypes

        libc = ctypes.CDLL(None)
        libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
        libc.free.restype, libc.free.argtypes = None, [ctypes.c_void_p]
        libc.free(libc.malloc(_LARGEST))


@contextmanager
def importing() -> Iterator[None]:
    """Look for no garbage meanwhile, and from then on never among what is there: nearly nothing that modules make is any.

    Looking takes a quarter of the import of PyTorch and what belongs to it, then half a second in all until Python holds those
    400 000 objects to be old, and 0.4 s each time that it looks at them again.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.freeze()
            gc.enable()
