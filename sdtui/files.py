"""Writing files so that a crash, a full disk or a second program never leaves one half written."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sdtui.errors import SdtuiError

if TYPE_CHECKING:
    import ctypes

# File systems take 255 bytes a name, and image boards give their files nearly all of them.
_NAME_BYTES = 200


def write_atomic(path: Path, data: bytes | str, *, sync: bool = True) -> None:
    """Replace `path` with `data` (text as UTF-8) in one step: readers see the old file or the new one.

    The mode of an existing file is kept and a symbolic link is written through, not replaced. With `sync` the file also
    survives a power failure; without, it survives the death of any process, at a tenth of the cost.

    Raises:
        SdtuiError: the disk is full, or the folder or file may not be written; `path` is untouched.
    """
    with open_atomic(path, sync=sync) as stream:
        stream.write(data.encode("utf-8") if isinstance(data, str) else data)


@contextmanager
def open_atomic(path: Path, *, sync: bool = True) -> Iterator[BinaryIO]:
    """A binary stream that becomes `path` when the block ends without an exception, and vanishes otherwise."""
    target = Path(os.path.realpath(path))
    temporary = ""
    try:
        handle, temporary = _create_beside(target)
        with os.fdopen(handle, "wb") as stream:
            _take_mode(handle, target)
            yield stream
            stream.flush()
            if sync:
                os.fsync(stream.fileno())
        os.replace(temporary, target)
        temporary = ""
        if sync:
            sync_folder(target.parent)
    except OSError as error:
        raise write_failure(path, error) from error
    finally:
        if temporary:
            with suppress(OSError):
                os.unlink(temporary)


def make_folder(path: Path) -> None:
    """Make the folder `path` and those above it, as far as they are missing; raises SdtuiError as `write_atomic` does."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_failure(path, error) from error


def temporary_start(name: str) -> str:
    """How the unfinished neighbours of a file called `name` begin; 8 hex digits and `.tmp` follow."""
    raw = os.fsencode(name)
    return f".{name if len(raw) <= _NAME_BYTES else raw[:_NAME_BYTES].decode('utf-8', 'ignore')}."


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` durable; file systems that cannot are left alone."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sync_all(folder: Path) -> None:
    """Make everything written to the file system of `folder` durable; for many files far cheaper than one by one."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # Python has no syncfs; os.sync would also wait for every other disk and network mount.
            _libc().syncfs(handle)
        except AttributeError:
            os.sync()
        finally:
            os.close(handle)


def _libc() -> ctypes.CDLL:
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def write_failure(path: Path, error: OSError) -> SdtuiError:
    """The message for a write that failed, with the remedy that fits its cause."""
    remedies = {
        errno.ENOSPC: ("no space left on the disk", "Free some space and try again; nothing was changed"),
        errno.EDQUOT: ("the disk quota is used up", "Free some space and try again; nothing was changed"),
        errno.EACCES: ("no permission to write here", "Check the folder's owner and mode; nothing was changed"),
        errno.EPERM: ("no permission to write here", "Check the folder's owner and mode; nothing was changed"),
        errno.EROFS: ("the file system is read-only", "Choose a folder that can be written; nothing was changed"),
        errno.ENOENT: ("the folder does not exist", "Create it first"),
    }
    cause, remedy = remedies.get(error.errno or 0, (error.strerror or str(error), "Nothing was changed"))
    return SdtuiError(f"cannot write: {cause}", where=str(path), remedy=remedy)


def _create_beside(target: Path) -> tuple[int, str]:
    """A new, empty file in the folder of `target`: its handle and its path."""
    while True:
        path = os.path.join(target.parent, f"{temporary_start(target.name)}{secrets.token_hex(4)}.tmp")
        try:
            # Not mkstemp, whose mode would have to be widened by a umask that no thread can read without changing it.
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666), path
        except FileExistsError:
            continue


def _take_mode(handle: int, target: Path) -> None:
    """Give the new file the mode of the one it will replace, before anything readable is in it."""
    with suppress(FileNotFoundError):
        os.fchmod(handle, target.stat().st_mode & 0o7777)
