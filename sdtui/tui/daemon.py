"""Long looking that nobody need wait for at the end: in a thread of its own, which the process does not outlive to finish.

Textual's thread workers are joined when the app ends; reading the headers of 100 000 images would keep the shell's prompt
away for half a minute after `q`. For work that only reads.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

Result = TypeVar("Result")


class GivenUpError(Exception):
    """Raised in the thread of work whose result nobody waits for any more."""


async def in_daemon(work: Callable[[], Result]) -> Result:
    """What `work` returns (or raises), from a daemon thread; once cancelled, its result is dropped."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def settle(result: Result | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # without an error it is one

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except Exception as error:  # noqa: BLE001  raised again where it is awaited
            failure = error
        # The app may have ended meanwhile, and its loop with it.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="daemon", daemon=True).start()
    return await future


async def while_wanted(work: Callable[[Callable[[], None]], Result]) -> Result:
    """As `in_daemon`, for work that can end early: what it is given, and calls now and then, raises once cancelled."""
    given_up = threading.Event()

    def go_on() -> None:
        if given_up.is_set():
            raise GivenUpError

    try:
        return await in_daemon(lambda: work(go_on))
    finally:
        given_up.set()
