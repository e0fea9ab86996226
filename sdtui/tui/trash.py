"""Deleting from a screen is moving to the trash: one rename, listed in a small file, undone newest first, also next week."""

from __future__ import annotations

import errno
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from sdtui import paths
from sdtui.errors import SdtuiError, UserError
from sdtui.files import write_atomic, write_failure

BESIDE = ".sdtui-trash"


@dataclass(frozen=True)
class Trashed:
    """One thing in the trash: where it was, where it is, when it went there (unix seconds), and from which workspace."""

    original: str
    kept: str
    time: float
    workspace: str = ""


class Trash:
    """The user's trash; every screen and every sdtui shares it."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or paths.data_dir() / "trash"
        self._index = self.folder / "index.json"

    def put(self, path: Path, workspace: Path) -> Trashed:
        """Move a file or folder to the trash; it need not lie inside the workspace that lists it.

        Raises:
            SdtuiError: it cannot be moved; it is still where it was.
        """
        path = path.absolute()
        stamp = f"{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 1_000_000:06d}-{path.name}"
        kept = self._move(path, stamp)
        entry = Trashed(str(path), str(kept), time.time(), str(workspace))
        self._write([*self._read(), entry])
        return entry

    def restore(self, workspace: Path) -> Trashed | None:
        """Bring back what went last from `workspace`; None when nothing of it is there.

        Raises:
            UserError: something else has taken its place meanwhile.
        """
        entries = self._read()
        wanted = [entry for entry in entries if entry.workspace == str(workspace) and os.path.lexists(entry.kept)]
        if not wanted:
            return None
        entry = wanted[-1]
        if os.path.lexists(entry.original):
            raise UserError(
                "cannot bring it back: its place is taken", where=entry.original, remedy=f"It is in {entry.kept}"
            )
        try:
            os.rename(entry.kept, entry.original)
        except OSError as error:
            raise write_failure(Path(entry.original), error) from error
        self._write([other for other in entries if other != entry])
        return entry

    def _move(self, path: Path, name: str) -> Path:
        """Rename into the trash, or beside the original where that lies on another file system."""
        for folder in (self.folder, path.parent / BESIDE):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                os.rename(path, folder / name)
            except OSError as error:
                if error.errno == errno.EXDEV and folder is self.folder:
                    continue
                raise write_failure(path, error) from error
            return folder / name
        raise SdtuiError("cannot be moved to the trash", where=str(path))  # pragma: no cover

    def _read(self) -> list[Trashed]:
        try:
            return [Trashed(**entry) for entry in json.loads(self._index.read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError):
            return []

    def _write(self, entries: list[Trashed]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomic(self._index, json.dumps([asdict(entry) for entry in entries], indent=1))
