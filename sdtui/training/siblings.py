"""The other processes of a run on this machine: started, listened to, and ended with the one that started them.

Each is joined to its starter by a socket pair that only those two hold. The kernel closes a dead process's end, however it
died: a process that reads the end of it ends itself, so nothing of a run outlives the holder of its lock; and the starter
knows at once who is gone. On the way out a process says why it failed. What it prints goes to log.txt under its number.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from sdtui.errors import SdtuiError, UserError
from sdtui.runs.layout import RunFolder
from sdtui.training import place as places
from sdtui.training.failures import BrokenLinkError, LostProcessError
from sdtui.training.place import Place

# How long a process that waits for one that is gone may take to end by itself.
_GRACE_SECONDS = 10.0
# How long after a connection broke it may be unknown who is gone.
_NOTICE_SECONDS = 3.0
# What a process that lost its starter ends with; nobody is left to read it.
_ORPHANED = 3


class Siblings:
    """The processes that this one starts.

    Args:
        run: what they train.
        give_up: tells the world what ended the run and ends this process, when it cannot do so by itself: it may wait
            for ever for a process that is gone.
    """

    def __init__(self, run: RunFolder, give_up: Callable[[SdtuiError], None]) -> None:
        self._run = run
        self._give_up = give_up
        self.place = Place()
        """Of this process; once they are started with the port where all meet."""
        self.listener: socket.socket | None = None
        """That port, bound already so that nobody else gets it; on machine 0."""
        self.tell_far: Callable[[SdtuiError], None] = lambda _problem: None
        """Tells the other machines why this one ends."""
        self._lines: list[socket.socket] = []
        self._needed = True
        self._ending = threading.Lock()
        self._lost = threading.Event()
        self._problem: SdtuiError | None = None

    def start(self, place: Place) -> None:
        """Start those of this process's `place`; each loads its libraries while this process loads its own.

        Raises:
            UserError: another program has the port where they are to meet.
            OSError: the machine has no process left.
        """
        self.place = place
        if place.world > 1 and place.machine == 0:
            self.listener = _listen(place)
            self.place = place._replace(port=self.listener.getsockname()[1])
        for number in range(1, self.place.processes):
            ours, theirs = socket.socketpair()
            theirs_is = self.place._replace(process=number, line=theirs.fileno())
            process = subprocess.Popen(
                [sys.executable, "-m", "sdtui.training", str(self._run.path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=dict(os.environ, PYTHONUNBUFFERED="1", **{places.VARIABLE: theirs_is.written()}),
                pass_fds=(theirs.fileno(),),
            )
            theirs.close()
            self._lines.append(ours)
            threading.Thread(target=_copy, args=(process.stdout, theirs_is.rank), daemon=True).start()
            threading.Thread(target=self._watch, args=(process, ours, theirs_is), daemon=True).start()

    def dismiss(self) -> None:
        """From here on they are not needed, and may end as they like."""
        self._needed = False

    def blame(self, error: Exception) -> Exception:
        """What ended the run, given what this process met: an error of its own, or that another one is gone."""
        if not self._needed or not isinstance(error, BrokenLinkError):
            return error
        # A broken connection is noticed as soon as the death that broke it, or sooner.
        self._lost.wait(_NOTICE_SECONDS)
        return self._problem or error

    def ending(self) -> None:
        """This process tells the world how the run ended, so nobody else does; never returns if that is being done."""
        self._ending.acquire()

    def lose(self, problem: SdtuiError) -> None:
        """A process that the run cannot do without is gone: unless this one ends by itself soon, end it."""
        if not self._needed:
            return
        self._problem = self._problem or problem
        self._lost.set()
        time.sleep(_GRACE_SECONDS)
        if self._needed and self._ending.acquire(blocking=False):
            self._give_up(self._problem)

    def _watch(self, process: subprocess.Popen[bytes], line: socket.socket, place: Place) -> None:
        said = b""
        while part := _receive(line):
            said += part
        code = process.wait()
        if code or said:
            self.lose(LostProcessError(place.told(), code, said.decode(errors="replace")))


class Starter:
    """The process that started this one, as this one sees it."""

    def __init__(self, place: Place) -> None:
        self._line = socket.socket(fileno=place.line)
        os.set_inheritable(place.line, False)
        # Whoever started us decides when to end; a terminal or a batch system signals all processes at once.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        threading.Thread(target=self._end_with_it, daemon=True).start()

    def tell(self, problem: SdtuiError) -> None:
        """Why this process ends; whoever is gone does not hear it."""
        if isinstance(problem, BrokenLinkError):
            # Somebody else's death, most likely: first come those who know more, or the end.
            time.sleep(_NOTICE_SECONDS)
        try:
            self._line.sendall(str(problem).encode(errors="replace"))
        except OSError:
            os._exit(_ORPHANED)

    def _end_with_it(self) -> None:
        while _receive(self._line):
            pass
        # Not sys.exit: the main thread may wait in a library for processes that are gone.
        os._exit(_ORPHANED)


def _listen(place: Place) -> socket.socket:
    """A socket at the port where the processes meet; any free one for a run on one machine.

    Raises:
        UserError: somebody else has that port.
    """
    alone = place.machines == 1
    try:
        return socket.create_server((places.LOCAL if alone else "", place.port), backlog=256)
    except OSError as error:
        raise UserError(
            f"the processes of the run cannot meet at port {place.port}: {os.strerror(error.errno or 0)}",
            where="launch.main_port",
            remedy="Choose another port, the same on all machines, or end what uses it (ss -ltnp)",
        ) from error


def _receive(line: socket.socket) -> bytes:
    try:
        return line.recv(4096)
    except OSError:
        return b""


def _copy(stream: IO[bytes] | None, rank: int) -> None:
    """What a process prints, line by line into our own log, under its number."""
    for line in stream or ():
        # A full disk costs the line; a process whose output is not read would wait for ever.
        with suppress(OSError):
            sys.stderr.write(f"process {rank}: {line.decode(errors='replace').rstrip()}\n")
