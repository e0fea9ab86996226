"""The user's settings file as tables: `[tui]`, `[keys]` and `[captions]`, each read by the room that it is about."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from sdtui import paths
from sdtui.errors import UserError


def read_config(path: Path | None = None) -> dict[str, Any]:
    """The tables in `path` (the user's settings file unless told); none where there is no file.

    Raises:
        UserError: the file cannot be read or is not TOML.
    """
    path = path or paths.config_file()
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the settings: {error}", where=str(path)) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UserError(f"not valid TOML: {error}", where=str(path)) from error
