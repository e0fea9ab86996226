"""The process's memory: what was freed goes back to the system, which the allocator would keep for later."""

from __future__ import annotations

import sys


def give_back() -> None:
    """Give freed memory back: glibc keeps it, and what comes later has other sizes. Takes some milliseconds."""
    if sys.platform == "linux":
        import ctypes

        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:  # musl has none, and keeps nothing
            trim(0)
