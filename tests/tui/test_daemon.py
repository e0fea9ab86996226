from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from sdtui.tui.daemon import GivenUpError, in_daemon, while_wanted


async def test_the_result_or_the_failure_comes_back() -> None:
    assert await in_daemon(lambda: threading.current_thread().daemon) is True
    with pytest.raises(ZeroDivisionError):
        await in_daemon(lambda: 1 // 0)


async def test_a_result_nobody_waits_for_is_dropped() -> None:
    go_on, done = threading.Event(), threading.Event()

    def work() -> None:
        go_on.wait(120)
        done.set()

    task = asyncio.create_task(in_daemon(work))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    assert await asyncio.to_thread(done.wait, 20)


async def test_work_that_asks_ends_as_soon_as_nobody_waits() -> None:
    ended = threading.Event()

    def work(go_on: Callable[[], None]) -> None:
        with pytest.raises(GivenUpError):
            while True:
                go_on()
        ended.set()

    task = asyncio.create_task(while_wanted(work))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(ended.wait, 20)


async def test_work_that_somebody_waits_for_comes_to_its_end() -> None:
    def work(go_on: Callable[[], None]) -> int:
        go_on()
        return 3

    assert await while_wanted(work) == 3
