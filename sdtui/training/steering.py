"""Commands to a running trainer, obeyed between two steps and each answered with one `control` event; and signals."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any, Protocol

from sdtui.runs.control import Command

_IDLE_SECONDS = 0.2
_MAX_RATE_FACTOR = 100.0


class Refused(Exception):  # noqa: N818 - an answer, not an error
    """A command that cannot be obeyed now; the text says why."""


class Inbox(Protocol):
    """Where commands come from."""

    def take(self) -> list[Command]:
        """The commands that came since the last call, oldest first."""


class Nobody:
    """An inbox that no command ever comes to: that of a process that follows another one."""

    def take(self) -> list[Command]:
        """Nothing."""
        return []


class Steering:
    """What the run has been told to do, as flags that the run's loop reads.

    Args:
        inbox: where commands come from.
        answer: writes the `control` event: (command, "done" or "refused", message).
    """

    def __init__(self, inbox: Inbox, answer: Callable[[Command, str, str], None]) -> None:
        self._inbox = inbox
        self._answer = answer
        self._prompts = 0
        self._elsewhere = ""
        self.previews_every = 0
        self.rate_factor = 1.0
        self.rate_is_ours = True
        """Whether the rate follows from learning_rate and schedule; if not, a factor on it would do nothing."""
        self.stopping = ""
        """Why the run should save and end; empty while it should go on."""
        self.paused = False
        self.saves: list[Command] = []
        self.previews: list[Command] = []
        self._handlers: dict[str, Callable[[Command], str]] = {
            "stop": self._stop,
            "pause": self._pause,
            "unpause": self._unpause,
            "save": self._save,
            "preview": self._preview,
            "set": self._set,
        }

    def listen(self) -> None:
        """SIGTERM and SIGINT save and end the run; SIGHUP (a closed terminal) means nothing to it."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def follow(self) -> None:
        """The run is steered on machine 0; here it can only be stopped."""
        self._handlers = {"stop": self._stop}
        self._elsewhere = " here, as the run is steered on machine 0"

    def expect(self, previews_every: int, prompts: int) -> None:
        """What the profile says of previews: the interval in steps, which `set` may change, and how many prompts."""
        self.previews_every = previews_every
        self._prompts = prompts

    def poll(self) -> None:
        """Take what is waiting and obey it; saves and previews are left in their lists, to be answered when done."""
        for command in self._inbox.take():
            try:
                message = self._handlers.get(command.name, self._unknown)(command)
            except Refused as refusal:
                self._answer(command, "refused", str(refusal))
            else:
                if message:
                    self._answer(command, "done", message)

    def wait(self) -> None:
        """A moment of a paused run: sleep, then look what was commanded."""
        time.sleep(_IDLE_SECONDS)
        self.poll()

    def take_saves(self) -> list[Command]:
        """The `save` commands not obeyed yet; the caller saves and answers."""
        taken, self.saves = self.saves, []
        return taken

    def take_previews(self) -> list[Command]:
        """The `preview` commands not obeyed yet; the caller renders and answers."""
        taken, self.previews = self.previews, []
        return taken

    def answer(self, command: Command, message: str, *, done: bool = True) -> None:
        """Acknowledge a command that was left to the caller."""
        self._answer(command, "done" if done else "refused", message)

    def refuse_waiting(self, reason: str) -> None:
        """Answer what can no longer be obeyed, so that no command goes without an answer."""
        for command in [*self.take_saves(), *self.take_previews(), *self._inbox.take()]:
            self.answer(command, reason, done=False)

    def _on_signal(self, number: int, _frame: object) -> None:
        self.stopping = self.stopping or f"signal {signal.Signals(number).name}"

    def _unknown(self, command: Command) -> str:
        raise Refused(f"unknown command {command.name!r}; known{self._elsewhere}: {', '.join(self._handlers)}")

    def _stop(self, _command: Command) -> str:
        if self.stopping:
            raise Refused("the run is ending already")
        self.stopping = "stop command"
        return "saving, then ending"

    def _pause(self, _command: Command) -> str:
        if self.paused:
            raise Refused("the run is paused already")
        self.paused = True
        return "paused"

    def _unpause(self, _command: Command) -> str:
        if not self.paused:
            raise Refused("the run is not paused")
        self.paused = False
        return "going on"

    def _save(self, command: Command) -> str:
        self.saves.append(command)
        return ""

    def _preview(self, command: Command) -> str:
        if not self._prompts:
            raise Refused("the profile has no preview prompts (previews.prompts)")
        self.previews.append(command)
        return ""

    def _set(self, command: Command) -> str:
        key, value = command.args.get("key"), command.args.get("value")
        if key == "previews.every":
            self.previews_every = _whole_number(value)
            return f"previews every {value} steps" if value else "no more previews but on command and at the end"
        if key == "learning_rate_factor" and not self.rate_is_ours:
            raise Refused("the optimizer sets its own rate (optimizer.args.relative_step)")
        if key == "learning_rate_factor":
            self.rate_factor = _factor(value)
            return f"learning rate × {self.rate_factor:g} from the next step"
        raise Refused(f"{key!r} cannot be set while training; previews.every and learning_rate_factor can")


def _whole_number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Refused(f"previews.every must be a whole number of steps, 0 or more, not {value!r}")
    return value


def _factor(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_RATE_FACTOR:
        raise Refused(f"learning_rate_factor must be a number from 0 to {_MAX_RATE_FACTOR:g}, not {value!r}")
    return float(value)
