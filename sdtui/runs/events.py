"""The event log: one process appends a line per event, any number of others follow it."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

Event = dict[str, Any]

_BACKLOG_LINES = 10_000
_CHUNK_BYTES = 1 << 18


class EventWriter:
    """Appends events, each as one line in one `write` call, so that lines of several threads never mix.

    A line that the disk would not take is kept (up to 10 000 of them) and written before the next one: a full disk
    costs the watchers some minutes, never the run, and `failure` says what stands in the way.
    """

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        self._guard = threading.Lock()
        self._backlog: deque[bytes] = deque(maxlen=_BACKLOG_LINES)
        # Whoever wrote before us may have been killed inside a line.
        self._torn = _ends_inside_a_line(self._handle)
        self.failure: OSError | None = None

    def write(self, kind: str, **fields: Any) -> None:
        """Append one event; `t` (unix seconds) and `kind` come first. Numbers that are not finite become null."""
        line = encode({"t": round(time.time(), 3), "kind": kind, **fields})
        with self._guard:
            self._backlog.append(line)
            self._flush()

    def close(self) -> None:
        """Write what is waiting, if the disk takes it, and close the file."""
        with self._guard:
            if self._handle >= 0:
                self._flush()
                os.close(self._handle)
                self._handle = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _flush(self) -> None:
        while self._backlog:
            # A newline first ends the torn line: readers skip it as garbage, and this one stays whole.
            line = b"\n" + self._backlog[0] if self._torn else self._backlog[0]
            try:
                written = os.write(self._handle, line)
            except OSError as error:
                self.failure = error
                return
            self._torn = written < len(line)
            if self._torn:
                self.failure = OSError("only part of the line was written")
                return
            self._backlog.popleft()
        self.failure = None


class EventReader:
    """Follows an event log from its beginning; `poll` returns what came since the last call.

    It waits for the end of a half-written line, skips lines that are not JSON objects (counted in `skipped`), goes on
    in the new file after a rotation, and starts again after a truncation (counted in `restarts`, because what was
    read before no longer stands).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.skipped = 0
        self.restarts = 0
        self._handle = -1
        self._rest = b""

    def poll(self) -> list[Event]:
        """The events appended since the last call, oldest first; empty when there is nothing new or no file."""
        return list(self.news())

    def news(self) -> Iterator[Event]:
        """The same one by one: a log of 100 000 events is folded without ever being held whole."""
        yield from self._read_on()
        if self._replaced():
            self.close()
        if self._handle < 0 and self._open():
            yield from self._read_on()

    def close(self) -> None:
        """Let go of the file; the next `poll` would read it from the start."""
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1
        self._rest = b""

    def __del__(self) -> None:
        self.close()

    def _open(self) -> bool:
        try:
            self._handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        return True

    def _read_on(self) -> Iterator[Event]:
        if self._handle < 0:
            return
        if os.fstat(self._handle).st_size < os.lseek(self._handle, 0, os.SEEK_CUR):
            os.lseek(self._handle, 0, os.SEEK_SET)
            self._rest = b""
            self.restarts += 1
        while chunk := os.read(self._handle, _CHUNK_BYTES):
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            for line in lines:
                event = decode(line)
                if event is not None:
                    yield event
                elif line:
                    self.skipped += 1

    def _replaced(self) -> bool:
        """Whether the path now names another file than the open one, whose inode cannot be reused while open."""
        if self._handle < 0:
            return False
        try:
            return not os.path.samestat(os.fstat(self._handle), os.stat(self.path))
        except FileNotFoundError:
            return False


def encode(event: Event) -> bytes:
    """One event as a line: compact JSON in UTF-8 with its newline."""
    try:
        return orjson.dumps(event, default=str, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)
    except TypeError:
        # File names may hold bytes that are not UTF-8 (lone surrogates), which orjson refuses.
        return json.dumps(event, default=str).encode("ascii") + b"\n"


def decode(line: bytes) -> Event | None:
    """The event in a line, or None if the line is not a JSON object with a `kind`."""
    try:
        event = orjson.loads(line)
    except ValueError:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            return None
    return event if isinstance(event, dict) and isinstance(event.get("kind"), str) else None


def _ends_inside_a_line(handle: int) -> bool:
    size = os.fstat(handle).st_size
    return size > 0 and os.pread(handle, 1, size - 1) != b"\n"
