"""Where what belongs to a dataset but is not its images and captions lives: one folder, and locks in it.

It is `.sdtui/` inside the dataset, or a folder of the user's data folder when the dataset cannot be written.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from sdtui import locks, paths
from sdtui.dataset.names import printable
from sdtui.errors import SdtuiError

_LOCK_SECONDS = 5.0


def home(root: Path, name: str = "") -> Path:
    """The folder for what belongs to the dataset `root`, or for the part of it called `name`; it need not exist yet."""
    root = Path(os.path.abspath(root))
    inside = root / ".sdtui"
    nearest = next((folder for folder in (inside / name, inside, root) if folder.exists()), root)
    return inside / name if os.access(nearest, os.W_OK) else _elsewhere(root) / name


def both(root: Path, name: str) -> list[Path]:
    """The two folders where the part called `name` may lie, that of `home` last: what can be written today could not always."""
    root, now = Path(os.path.abspath(root)), home(root, name)
    return sorted((root / ".sdtui" / name, _elsewhere(root) / name), key=lambda folder: folder == now)


def _elsewhere(root: Path) -> Path:
    key = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:16]
    return paths.data_dir() / "datasets" / key


@contextlib.contextmanager
def locked(folder: Path, what: str, busy: SdtuiError) -> Iterator[None]:
    """Hold the lock in `folder`, which is made where it is missing.

    Args:
        folder: what is locked.
        what: which thing cannot be opened, for the message.
        busy: raised when another process keeps the lock for more than five seconds.

    Raises:
        SdtuiError: the lock cannot be made (disk full, no permission, a file system without locks), or `busy`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise SdtuiError(
            f"cannot open {what}: {error.strerror}",
            where=printable(folder),
            remedy="Free some space or check the folder's mode; nothing was changed",
        ) from error
    try:
        locks.take(handle, folder / "lock", _LOCK_SECONDS, busy)
        yield
    finally:
        os.close(handle)


def is_free(folder: Path) -> bool:
    """Whether nobody holds the lock in `folder` at this moment."""
    return not locks.is_taken(folder / "lock")
