"""Writing files so that a crash, a full disk or a second program never leaves one half written."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sdtui.errors import SdtuiError

if TYPE_CHECKING:
    import ctypes


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
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fchmod(stream.fileno(), _mode_for(target))
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


def _mode_for(target: Path) -> int:
    """The mode of the file being replaced, or what a plain `open` would have given a new one."""
    try:
        return target.stat().st_mode & 0o7777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
