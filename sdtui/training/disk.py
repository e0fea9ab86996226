"""Whether the disk can take a save: a run that would fill it pauses, instead of leaving a broken file or dying."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

_MIB = 1 << 20


@dataclass(frozen=True)
class DiskGuard:
    """Watches the file system of `folder` and keeps `min_free_mib` of it free."""

    folder: Path
    min_free_mib: int

    def shortage(self, save_bytes: int = 0) -> str | None:
        """Why a save of `save_bytes` should wait, or None. Twice its size must fit: old files go only after the new."""
        free = self.free_bytes()
        if free < self.min_free_mib * _MIB:
            return f"{free // _MIB} MiB of disk are free, less than saving.min_free_mib = {self.min_free_mib}"
        if free < 2 * save_bytes:
            return f"{free // _MIB} MiB of disk are free, and two checkpoints of {-(-save_bytes // _MIB)} MiB must fit"
        return None

    def free_bytes(self) -> int:
        """What this user may still write, in bytes."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize


def is_full(error: BaseException | None) -> bool:
    """Whether an exception, or one that caused it, says that the disk or the quota is used up."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return True
        error = error.__cause__
    return False
