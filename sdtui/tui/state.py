"""Where the app was left, per workspace, so that it opens there again: one small JSON file in the state folder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from sdtui import paths
from sdtui.errors import SdtuiError
from sdtui.files import write_atomic


class AppState:
    """A dictionary per screen, loaded at start and written when the app ends, is hung up on, or a screen is left."""

    def __init__(self, workspace: Path) -> None:
        digest = hashlib.sha256(str(workspace.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self.path = paths.state_dir() / "workspaces" / f"{digest}.json"
        self.workspace = workspace
        self._values = _read(self.path)
        self._written = json.dumps(self._values, sort_keys=True)

    def get(self, screen: str) -> dict[str, Any]:
        """What `screen` remembered; empty when it never did."""
        value = self._values.get(screen, {})
        return value if isinstance(value, dict) else {}

    def put(self, screen: str, values: dict[str, Any]) -> None:
        """Remember `values` (JSON types only) for `screen`."""
        self._values[screen] = values

    def save(self) -> bool:
        """Write if anything changed; False where the state folder cannot be written, which never stops the user."""
        self._values["workspace"] = str(self.workspace)
        text = json.dumps(self._values, sort_keys=True)
        if text == self._written:
            return True
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self.path, text)
        except (OSError, SdtuiError):
            return False
        self._written = text
        return True


def _read(path: Path) -> dict[str, Any]:
    """The stored values; a missing, foreign or damaged file is the same as none."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
