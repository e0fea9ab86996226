"""Following a run on a terminal or in a pipe: one line that is rewritten, or plain lines now and then."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TextIO

from sdtui.cli import INTERRUPTED, USAGE
from sdtui.errors import SdtuiError
from sdtui.runs import control, registry
from sdtui.runs.figures import Message
from sdtui.runs.layout import RunFolder
from sdtui.runs.view import RunView
from sdtui.runs.watch import Watch

_TERMINAL_SECONDS = 0.5
_PLAIN_SECONDS = 10.0
_LOG_LINES = 15


class ProgressLine:
    """Writes a status to a stream: rewritten in place on a terminal, else a line every ten seconds at most."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._shown = ""
        self._next = 0.0

    def status(self, text: str) -> None:
        """Show how far things are, if the last time is long enough ago and there is something new."""
        if time.monotonic() < self._next or text == self._shown:
            return
        self._next = time.monotonic() + (_TERMINAL_SECONDS if self._terminal else _PLAIN_SECONDS)
        self._shown = text
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            self._write(f"\r{one_line(text)[:width]}\x1b[K")
        else:
            self._write(f"{one_line(text)}\n")

    def note(self, text: str) -> None:
        """Print a line that stays, or several."""
        self.clear()
        self._write("".join(f"{printable(line)}\n" for line in text.splitlines() or [""]))

    def clear(self) -> None:
        """Take the status off the terminal."""
        if self._terminal and self._shown:
            self._write("\r\x1b[K")
        self._shown = ""
        if self._terminal:
            self._next = 0.0

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def printable(text: str) -> str:
    """`text` without what a terminal would obey: file names and prompts may hold escape sequences."""
    return "".join(char if char.isprintable() else "�" for char in text)


def one_line(text: str) -> str:
    """A message of several lines, such as a list of files, as one that is harmless to a terminal."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    before = [line if line.endswith(":") else f"{line};" for line in lines[:-1]]
    return printable(" ".join([*before, *lines[-1:]]))


def follow(
    runs: Sequence[RunFolder],
    stream: TextIO,
    *,
    stop_on_interrupt: bool,
    received: list[int] | None = None,
    kept: bool = True,
) -> int:
    """Follow runs, one after another, until the last has ended.

    Ctrl-C and SIGTERM send `stop` to all of them and go on following until the first has saved (`stop_on_interrupt`),
    or only end the following; a second one always ends the following.

    Args:
        runs: in the order in which they run.
        stream: where it is told.
        stop_on_interrupt: whether an interrupt stops the runs.
        received: of the `interrupts` block in which the runs were started; None: from here on.
        kept: whether the runs' folders stay: nobody is told how to go on with a run whose folder does not, and the
            first interrupt leaves it to whoever takes the folder away.

    Returns:
        0 when all finished, the trainer's exit code (1, or 2 for wrong input) when one failed, 130 when interrupted
        or stopped.
    """
    with interrupts() if received is None else nullcontext(received) as heard:
        codes: list[int] = []
        for run in runs:
            codes.append(_Follower(run, runs, stream, heard, stop=stop_on_interrupt, kept=kept).follow())
            if len(heard) > stop_on_interrupt:
                break
    return INTERRUPTED if heard or INTERRUPTED in codes else max(codes, default=0)


class _Follower:
    """One run being followed."""

    def __init__(
        self,
        run: RunFolder,
        runs: Sequence[RunFolder],
        stream: TextIO,
        received: list[int],
        *,
        stop: bool,
        kept: bool,
    ) -> None:
        self._run = run
        self._runs = runs
        self._received = received
        self._stop = stop
        self._kept = kept
        # What came while the runs before this one were followed was sent on to it, too.
        self._heard = len(received) if run is not runs[0] else 0
        self._line = ProgressLine(stream)
        self._view = RunView(run)
        self._told = 0

    def follow(self) -> int:
        self._view.refresh()
        if self._view.step:
            # What happened before we came is history, to be looked up in the log.
            self._told = self._view.said
        files = [self._run.events_file, self._run.run_json]
        with Watch(files, least_seconds=_TERMINAL_SECONDS) as watch:
            while not self._view.over:
                if self._received and self._leave():
                    return INTERRUPTED
                self._tell()
                self._line.status(status(self._view))
                watch.wait(_TERMINAL_SECONDS)
                self._view.refresh()
        self._tell()
        self._line.clear()
        return self._verdict()

    def _leave(self) -> bool:
        """Act on the signals that came since the last time; True to stop following."""
        if len(self._received) == self._heard:
            return False
        first, self._heard = not self._heard, len(self._received)
        name = self._run.name
        if not self._kept:
            self._line.note(f"ending {name}: nothing of it is kept")
            return True
        if not self._stop:
            self._line.note(f"{name} goes on without being watched; stop it with: sdtui stop {name}")
            return True
        if first:
            self._line.note("stopping: the run saves first; Ctrl-C again leaves it to end by itself")
            _stop_all(self._runs)
        if self._heard > 1:
            self._line.note(f"{name} is saving and will end by itself; see it with: sdtui watch {name}")
            return True
        return False

    def _tell(self) -> None:
        """What was said since the last time."""
        messages, said = list(self._view.messages), self._view.said
        for message in messages[max(0, len(messages) - (said - self._told)) :]:
            if message.kind == "finished" or (message.kind == "state" and message.text.startswith("failed")):
                continue  # the verdict says so
            self._line.note(f"{time.strftime('%H:%M:%S', time.localtime(message.t))} {_text(message)}")
        self._told = said

    def _verdict(self) -> int:
        view = self._view
        if view.state == "finished":
            steps = f": {view.step} steps" if view.step or view.steps_total else ""
            self._line.note(f"{self._run.name} finished{steps}")
            return 0
        told = [message.text for message in view.messages if message.kind == "error"] if view.state == "failed" else []
        known = any(view.reason in text for text in told[-1:])
        self._line.note(f"{self._run.name} {view.state}" + (f": {view.reason}" if view.reason and not known else ""))
        if self._kept and view.state in {"stopped", "killed"} and self._run.profile_file.exists():
            self._line.note(f"go on with it: sdtui resume {self._run.name}")
        if view.state == "stopped":
            return INTERRUPTED
        # What is wrong with the user's input was told; of anything else the log may say more.
        if not view.series and view.exit_code != USAGE:
            for line in registry.log_tail(self._run, _LOG_LINES):
                if not (known and view.reason in line):
                    self._line.note(f"  log.txt: {line}")
        return view.exit_code or 1


def status(view: RunView) -> str:
    """One line: what the run does, how far it is, and its figures with their units."""
    # What other long work is at, its progress says.
    phase = view.phase if view.state == "running" and view.steps_total else ""
    parts = [view.run.name, phase or view.state]
    if view.progress:
        parts.append(f"{view.progress.job} {view.progress.done}/{view.progress.total} {view.progress.unit}".rstrip())
        if view.progress.per_second:
            parts.append(f"{view.progress.per_second:.1f} {view.progress.unit}/s")
        if view.progress.note:
            parts.append(view.progress.note)
    if view.step or view.series:
        share = f" ({100 * view.step // view.steps_total} %)" if view.steps_total else ""
        parts.append(f"step {view.step}/{view.steps_total or '?'}{share}")
    if view.series:
        parts.append(f"loss {view.ema()[-1]:.4f}")
    if view.measurements:
        parts.append(f"validation {view.measurements[-1].loss:.4f}")
    if view.images_per_second is not None:
        parts.append(f"{view.images_per_second:.2f} images/s")
    if view.eta_seconds is not None and not view.over and view.step != view.steps_total:
        parts.append(f"ETA {duration(view.eta_seconds)}")
    if view.host:
        parts.append(f"on host {view.host}")
    return "  ".join(parts)


def duration(seconds: float) -> str:
    """`h:mm:ss`, or days and hours when it takes that long."""
    whole = max(0, round(seconds))
    days, rest = divmod(whole, 86400)
    clock = f"{rest // 3600}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{days} d {clock}" if days else clock


@contextmanager
def interrupts() -> Iterator[list[int]]:
    """A list that grows by one with each Ctrl-C or SIGTERM, which do nothing else while the block runs.

    Whatever belongs to the machine is started in such a block: an interrupt halfway would leave it going, and untold.
    """
    received: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda found, _frame: received.append(found)) for number in numbers]
    try:
        yield received
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _stop_all(runs: Sequence[RunFolder]) -> None:
    for run in runs:
        if registry.inspect(run).steerable:
            try:
                control.send(run, "stop")
            except SdtuiError as error:
                sys.stderr.write(f"sdtui: {error}\n")


def _text(message: Message) -> str:
    return message.text if message.level == "info" else f"{message.level}: {message.text}"
