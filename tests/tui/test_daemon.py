from __future__ import annotations

import asyncio
import threading

import pytest

from sdtui.tui.daemon import in_daemon


async def test_the_result_or_the_failure_comes_back() -> None:
    assert await in_daemon(lambda: threading.current_thread().daemon) is True
    with pytest.raises(ZeroDivisionError):
        await in_daemon(lambda: 1 // 0)


async def test_a_result_nobody_waits_for_is_dropped() -> None:
    go_on, done = threading.Event(), threading.Event()

    def work() -> None:
        go_on.wait(20)
        done.set()

    task = asyncio.create_task(in_daemon(work))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    assert await asyncio.to_thread(done.wait, 20)
