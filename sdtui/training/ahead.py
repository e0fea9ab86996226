"""Work done by threads ahead of its use, so that one part of the machine need not wait for another."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def ahead(
    work: Callable[[Item], Made], items: Iterable[Item], threads: int, begin: Callable[[], None] = lambda: None
) -> Iterator[Made]:
    """What `work` makes of each item, in their order; each thread calls `begin` first.

    While the caller uses one, the next are made: no more than twice as many as there are `threads` are kept, so that
    memory does not grow with the number of items.
    """
    waiting: deque[Future[Made]] = deque()
    pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="ahead", initializer=begin)
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        # Also when the caller has had enough, or an item failed: what was not begun is not done.
        pool.shutdown(wait=True, cancel_futures=True)
