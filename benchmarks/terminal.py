"""A program on a pseudo-terminal, with every byte it writes counted and timed."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path
from typing import Self


class Pty:
    """`command` on a terminal of `width`×`height` cells; what it writes is read, timed and thrown away."""

    def __init__(
        self, command: list[str], width: int = 120, height: int = 36, env: dict[str, str] | None = None
    ) -> None:
        self.started = time.perf_counter()
        self._seen = b""
        self.pid, self.handle = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, {**os.environ, "TERM": "xterm-256color", **(env or {})})
        fcntl.ioctl(self.handle, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read(self, seconds: float) -> bytes:
        """What arrives within `seconds` (one read), or nothing."""
        ready, _, _ = select.select([self.handle], [], [], seconds)
        try:
            return os.read(self.handle, 1 << 20) if ready else b""
        except OSError:
            return b""

    def seconds_until(self, word: bytes, limit: float = 60.0, since: float | None = None) -> float:
        """Seconds from the program's start, or from `since`, until `word` has been written.

        What came after the word is kept for the next call.
        """
        since = self.started if since is None else since
        while word not in self._seen:
            self._seen = (self._seen + self.read(0.05))[-200_000:]
            if time.perf_counter() - since > limit:
                raise TimeoutError(f"{word!r} was not written in {limit} s; last bytes: {self._seen[-400:]!r}")
        self._seen = self._seen.partition(word)[2]
        return time.perf_counter() - since

    def count_for(self, seconds: float) -> int:
        """How many bytes are written in the next `seconds`."""
        end, total = time.perf_counter() + seconds, 0
        while (left := end - time.perf_counter()) > 0:
            total += len(self.read(left))
        return total

    def settle(self, quiet: float = 1.0, limit: float = 60.0) -> None:
        """Read until nothing has been written for `quiet` seconds."""
        end = time.perf_counter() + limit
        while time.perf_counter() < end and self.read(quiet):
            pass

    def type(self, keys: bytes) -> None:
        """Type `keys`."""
        os.write(self.handle, keys)

    def latency(self, key: bytes, limit: float = 5.0) -> float:
        """Seconds from typing `key` to the first byte written in answer."""
        begun = time.perf_counter()
        self.type(key)
        if not self.read(limit):
            raise TimeoutError(f"no answer to {key!r} in {limit} s")
        return time.perf_counter() - begun

    def rss_mib(self) -> float:
        """Resident memory of the program itself, MiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("no VmRSS line")

    def close(self) -> None:
        """Kill the program and wait for it."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def sdtui(*arguments: str | Path) -> list[str]:
    """The command line of the program being measured."""
    return [sys.executable, "-m", "sdtui", *map(str, arguments)]
