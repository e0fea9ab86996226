"""Typed-ahead keys in order: a key is handed over only when all that the one before it did has been done.

Textual forwards a key to whatever has the focus when it arrives, while the effect of the key before it (a line to type in
opened by `/`, a dialog) is still under way. Over a slow line several keys arrive at once, and the rest of a search would be
taken as commands.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from textual import events

if TYPE_CHECKING:
    from textual.app import App
    from textual.message_pump import MessagePump

# An action that takes longer than this (it should not) lets the next key through.
PATIENCE_SECONDS = 2.0
# A key may open a dialog that moves the focus, which may move it again.
ROUNDS = 4


class KeyOrder:
    """Decides, for each key or paste, whether the app may take it now.

    Args:
        app: whose keys they are.
    """

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._waiting: deque[events.Event] = deque()
        self._next: events.Event | None = None
        self._task: asyncio.Task[None] | None = None

    def admit(self, event: events.Event) -> bool:
        """Whether to handle `event` now; if not, it will be posted to the app again when its turn comes."""
        if self._task is not None and event is not self._next:
            self._waiting.append(event)
            return False
        self._next = None
        self._task = asyncio.get_running_loop().create_task(self._go_on())
        return True

    async def _go_on(self) -> None:
        """Wait for the effect of the key that was admitted, then let the next one in."""
        await self._settled()
        if self._waiting:
            self._next = self._waiting.popleft()
            self._app.post_message(self._next)
        else:
            self._task = None

    async def _settled(self) -> None:
        """Until every queue the key passes through, from the focus up to the app, has handled what was in it."""
        for _ in range(ROUNDS):
            before = self._target()
            # The app itself first: it is still busy handing the key over.
            for node in (self._app, *before.ancestors_with_self):
                await _idle(node)
            if self._target() is before:
                return

    def _target(self) -> Any:
        return self._app.focused or self._app.screen


async def _idle(node: MessagePump) -> None:
    done = asyncio.Event()
    if node.is_running and node.call_later(done.set):
        try:
            await asyncio.wait_for(done.wait(), PATIENCE_SECONDS)
        except TimeoutError:
            return
