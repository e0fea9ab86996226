"""A real terminal for tests: a private tmux server, keys typed into it, the screen read back."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Self

WAIT_SECONDS = 120.0


class Terminal:
    """One program in one tmux window of a server of our own, so that nobody's session is touched."""

    def __init__(
        self, command: list[str], *, width: int = 120, height: int = 36, env: dict[str, str] | None = None
    ) -> None:
        self.socket = f"sdtui-{uuid.uuid4().hex[:8]}"
        settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in (env or {}).items())
        line = f"exec env {settings} {shlex.join(command)}" if settings else f"exec {shlex.join(command)}"
        size = ("-x", str(width), "-y", str(height))
        keep = ("start-server", ";", "set-option", "-g", "remain-on-exit", "on", ";")
        self._tmux("-f", "/dev/null", *keep, "new-session", "-d", *size, line)

    def screen(self) -> str:
        """What is on the screen, as plain text."""
        return self._tmux("capture-pane", "-p").rstrip()

    def coloured(self) -> str:
        """The screen with its colour sequences."""
        return self._tmux("capture-pane", "-p", "-e")

    def press(self, *keys: str) -> None:
        """Send tmux key names (Down, Enter, C-s, a …), one after another."""
        for key in keys:
            self._tmux("send-keys", key)
            time.sleep(0.05)

    def type(self, text: str) -> None:
        """Type `text` as it is."""
        self._tmux("send-keys", "-l", text)

    def resize(self, width: int, height: int) -> None:
        """Change the terminal's size while the program runs."""
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def wait_for(self, *words: str) -> str:
        """Wait until every one of `words` is on the screen, and return it; the screen is in the failure."""
        return self._wait(lambda screen: all(word in screen for word in words), f"{words} not")

    def wait_gone(self, word: str) -> str:
        """Wait until `word` has left the screen, and return it."""
        return self._wait(lambda screen: word not in screen, f"{word!r} still")

    def _wait(self, right: Callable[[str], bool], otherwise: str) -> str:
        screens = [self.screen()]

        def look() -> bool:
            screens[:] = [self.screen()]
            return right(screens[0])

        wait_until(look, lambda: f"{otherwise} on:\n{screens[0]}")
        return screens[0]

    def wait_exit(self) -> int:
        """Wait for the program's end and return its exit code."""
        codes: list[int] = []

        def ended() -> bool:
            codes.extend(self._exit_code())
            return bool(codes)

        wait_until(ended, lambda: f"still running:\n{self.screen()}")
        return codes[0]

    def dead(self) -> bool:
        """Whether the program has ended."""
        return self._state()[0] == "1"

    def pane_pid(self) -> str:
        """The process id of the program."""
        return self._tmux("display-message", "-p", "#{pane_pid}").strip()

    def _exit_code(self) -> list[int]:
        """The exit code, once it is known: from tmux, or from the process while tmux has not asked for it."""
        state = self._state()
        if len(state) == 2:
            return [int(state[1])]
        try:
            return [_code_of_the_ended(self.pane_pid())] if state[0] == "1" else []
        except FileNotFoundError:
            return []  # tmux asked a moment ago, and will tell

    def _state(self) -> list[str]:
        return self._tmux("display-message", "-p", "#{pane_dead} #{pane_dead_status}").split()

    def close(self) -> None:
        """End the program and its server, as when a terminal is closed."""
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], capture_output=True, check=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self.socket, *arguments], capture_output=True, text=True, check=True, env=clean_env()
        )
        return done.stdout


def _code_of_the_ended(pid: str) -> int:
    """The exit code of a process that its parent has not asked for: tmux 3.3 can miss the signal that says to."""
    return int(Path(f"/proc/{pid}/stat").read_text().split()[-1]) >> 8


def clean_env() -> dict[str, str]:
    """This process's environment without the terminal it may itself be running in."""
    hidden = {"TMUX", "TMUX_PANE", "COLORTERM", "COLUMNS", "LINES"}
    return {**{k: v for k, v in os.environ.items() if k not in hidden}, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}


def wait_until(condition: Callable[[], bool], told: Callable[[], str]) -> None:
    """Poll `condition` until it holds; fail with `told()` after two minutes."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(told())
        time.sleep(0.1)


def sdtui(*arguments: str | Path) -> list[str]:
    """The command line of the program under test."""
    return [sys.executable, "-m", "sdtui", *map(str, arguments)]
