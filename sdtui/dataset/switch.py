"""Many files replaced together: all of them written beside the old ones first, then switched.

A disk that is full is noticed while nothing has changed yet, and so is, at the last moment before each switch, what another
program wrote since the file was looked at: of many files that is seconds ago. What is written is on the disk before the first switch, so
each file is the old one or the new one even after a power failure. Several threads do it: on network disks, and on those
that wait whenever blocks become free, nearly all of the time is waiting.
"""

from __future__ import annotations

import itertools
import os
import secrets
import stat
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from sdtui.dataset.expected import ABSENT, Expected
from sdtui.files import sync_all, temporary_start, write_failure

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_THREADS = 8
# Files that a thread takes at a time: few enough for ctrl+c to be heard at once.
_CHUNK = 32
# So many times that are handed out and not done: what is in memory of all the files.
_AHEAD = 4 * _THREADS

Item = TypeVar("Item")
# Hears the share of the work that is done, 0 to 1; whatever it raises ends the work.
Progress = Callable[[float], None]


def unheard(_share: float) -> None:
    """The progress that nobody wants to know."""


def switch_all(
    files: Iterable[tuple[Path, bytes | None]],
    count: int,
    root: Path,
    progress: Progress = unheard,
    expected: Expected | None = None,
) -> None:
    """Give each of the `count` files its bytes; None deletes it. They are asked for as they are written.

    Modes are kept and symbolic links written through. `root` is a folder of their file system, which is synced before the
    first switch and after the last one. Whatever ends it early, no unfinished file is left behind.

    Raises:
        ChangedError: a file is not as `expected` (in the order of the files) says; some may have been switched.
        SdtuiError: the disk is full, or a file may not be written; the same.
    """
    token = secrets.token_hex(4)
    # Where the new file lies (None: there is none), what it is to replace, and the stamp of that.
    ready: list[tuple[str | None, str, int]] = []

    def prepare(item: tuple[tuple[Path, bytes | None], int]) -> None:
        (path, data), stamp = item
        try:
            plain = os.fspath(path)
            ready.append((*((None, plain) if data is None else _written_beside(plain, data, token)), stamp))
        except OSError as error:
            raise write_failure(path, error) from error

    def switch(file: tuple[str | None, str, int]) -> None:
        temporary, target, stamp = file
        if expected is not None:
            expected.check(target, stamp)
        _switch(temporary, target)

    stamps = expected.stamps if expected is not None else itertools.repeat(ABSENT)
    switched = False
    try:
        _in_threads(prepare, zip(files, stamps, strict=False), count, lambda share: progress(share / 2))
        sync_all(root)
        _in_threads(switch, ready, count, lambda share: progress((1 + share) / 2))
        switched = True
    finally:
        for temporary, _, _ in () if switched else ready:
            if temporary:
                with suppress(OSError):
                    os.unlink(temporary)
    sync_all(root)


def _in_threads(work: Callable[[Item], None], items: Iterable[Item], count: int, progress: Progress) -> None:
    """Do `work` with every item, in any order; the first failure ends it, and is raised once all threads rest."""
    chunks = -(-count // _CHUNK)
    source = iter(items)

    def some(chunk: list[Item]) -> None:
        for item in chunk:
            work(item)

    with ThreadPoolExecutor(_THREADS) as pool:
        under_way: deque[Future[None]] = deque()
        try:
            for number in range(1, chunks + _AHEAD + 1):
                if number <= chunks:
                    under_way.append(pool.submit(some, list(itertools.islice(source, _CHUNK))))
                if number > _AHEAD and under_way:
                    under_way.popleft().result()
                    progress((number - _AHEAD) / chunks)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _switch(temporary: str | None, target: str) -> None:
    try:
        if temporary:
            os.replace(temporary, target)
        else:
            with suppress(FileNotFoundError):
                os.unlink(target)
    except OSError as error:
        raise write_failure(Path(target), error) from error


def _written_beside(target: str, data: bytes, token: str) -> tuple[str, str]:
    """A file with these bytes beside `target` and with its mode; where it lies, and what it is to replace."""
    mode = _mode(target)
    if mode is not None and stat.S_ISLNK(mode):
        target = os.path.realpath(target)
        mode = _mode(target)
    handle, temporary = _create_beside(target, token)
    try:
        if mode is not None:
            os.fchmod(handle, stat.S_IMODE(mode))
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
    except BaseException:
        os.unlink(temporary)
        raise
    finally:
        os.close(handle)
    return temporary, target


def _mode(path: str) -> int | None:
    try:
        return os.lstat(path).st_mode
    except FileNotFoundError:
        return None


def _create_beside(target: str, token: str) -> tuple[int, str]:
    folder, name = os.path.split(target)
    while True:
        temporary = os.path.join(folder, f"{temporary_start(name)}{token}.tmp")
        try:
            return os.open(temporary, _NEW, 0o666), temporary
        except FileExistsError:
            # Long names are cut, so two of them may ask for the same neighbour.
            token = secrets.token_hex(4)
