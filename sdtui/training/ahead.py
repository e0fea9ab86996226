"""Work done by threads ahead of its use, so that one part of the machine need not wait for another."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, TypeVar

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)
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


class Beforehand(Generic[Key, Made]):
    """What `work` makes of an item, for some of them before anyone asks."""

    def __init__(self, work: Callable[[Key], Made]) -> None:
        self._work = work
        self._begun: dict[Key, Future[Made]] = {}

    @contextmanager
    def making(self, items: Iterable[Key]) -> Iterator[None]:
        """Meanwhile one thread makes the `items`, which are all kept until they are asked for.

        One, so that it can only take from a single-threaded caller what another core has to spare. Items that it did not
        come to are left.
        """
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="beforehand")
        try:
            self._begun = {item: pool.submit(self._work, item) for item in items}
            yield
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def make(self, item: Key) -> Made:
        """What was made of it before, once; else it is made now. What its making raised is raised here."""
        begun = self._begun.pop(item, None)
        return self._work(item) if begun is None or begun.cancelled() else begun.result()

    def forget(self) -> None:
        """Let go of what nobody asked for."""
        self._begun.clear()
