"""What a trainer that runs inside the test's own process leaves behind, undone."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undone() -> Iterator[None]:
    """Signals, Accelerate's process-wide state and the number of threads are afterwards as they were."""
    import torch

    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    threads = torch.get_num_threads()
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)
    torch.set_num_threads(threads)
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)
