"""Typed-ahead keys in order: a key is handed over only when all that the one before it did has been done.

Textual forwards a key to whatever has the focus when it arrives, while the effect of the key before it (a line to type in
opened by `/`, a dialog) is still under way. Over a slow line several keys arrive at once, and the rest of a search would be
taken as commands. The same goes for keys pressed while a screen still opens what it shows: they wait for it, and where it
takes long they are dropped to the last of the burst, as nobody remembers them by then.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from textual import events
from textual.screen import ModalScreen

if TYPE_CHECKING:
    from textual.message_pump import MessagePump

    from sdtui.tui.app import SdtuiApp

# An action that takes longer than this (it should not) lets the next key through.
PATIENCE_SECONDS = 2.0
# How long keys wait for a screen that opens something, and how often it is asked.
OPENING_SECONDS, ASK_SECONDS = 3.0, 0.03
# Keys that follow a dropped one within this time belong to it.
BURST_SECONDS = 0.5
# These are about the program, not about what a screen shows.
AT_ONCE = frozenset({"ctrl+q", "ctrl+c", "ctrl+z", "escape"})
# A key may open a dialog that moves the focus, which may move it again.
ROUNDS = 4


class KeyOrder:
    """Decides, for each key or paste, whether the app may take it now.

    Args:
        app: whose keys they are.
    """

    def __init__(self, app: SdtuiApp) -> None:
        self._app = app
        self._waiting: deque[events.Event] = deque()
        self._next: events.Event | None = None
        self._task: asyncio.Task[None] | None = None
        self._dropped = -BURST_SECONDS

    def admit(self, event: events.Event) -> bool:
        """Whether to handle `event` now; if not, it will be posted to the app again when its turn comes, or is dropped."""
        if event is not self._next:
            if self._belongs_to_dropped(event):
                return False
            if self._task is not None:
                self._waiting.append(event)
                return False
            if not self._takes(event):
                self._waiting.append(event)
                self._task = asyncio.get_running_loop().create_task(self._let_in())
                return False
        self._next = None
        self._task = asyncio.get_running_loop().create_task(self._go_on())
        return True

    def _belongs_to_dropped(self, event: events.Event) -> bool:
        now = time.monotonic()
        if now - self._dropped > BURST_SECONDS or _key(event) in AT_ONCE:
            return False
        self._dropped = now
        return True

    def _takes(self, event: events.Event) -> bool:
        """Whether the screen can act on it; what is bound everywhere asks nothing of what a screen shows."""
        screen = self._app.screen
        if _key(event) in AT_ONCE:
            return True
        if isinstance(screen, ModalScreen):
            return bool(getattr(screen, "takes_keys", True))
        # Before the first of our screens there is an empty one, for which nothing is meant.
        if not hasattr(screen, "takes_keys"):
            return False
        return screen.takes_keys or _key(event) in self._everywhere()

    def _everywhere(self) -> set[str]:
        return {key for row in self._app.keys.rows("everywhere") for key in row.keys.split(",")}

    async def _let_in(self) -> None:
        """Let the next key in, once the screen takes it; keys that waited too long are dropped."""
        began = time.monotonic()
        while self._waiting and not self._takes(self._waiting[0]):
            if any(_key(event) == "escape" for event in self._waiting) or time.monotonic() - began > OPENING_SECONDS:
                self._waiting.clear()
                self._dropped = time.monotonic()
            await asyncio.sleep(ASK_SECONDS)
        if self._waiting:
            self._next = self._waiting.popleft()
            self._app.post_message(self._next)
        else:
            self._task = None

    async def _go_on(self) -> None:
        """Wait for the effect of the key that was admitted, then let the next one in."""
        await self._settled()
        await self._let_in()

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


def _key(event: events.Event) -> str:
    return event.key if isinstance(event, events.Key) else ""


async def _idle(node: MessagePump) -> None:
    done = asyncio.Event()
    if node.is_running and node.call_later(done.set):
        try:
            await asyncio.wait_for(done.wait(), PATIENCE_SECONDS)
        except TimeoutError:
            return
