"""What the programs in the terminals are given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def folders(own_folders: Path) -> dict[str, str]:
    """The per-test SDTUI_ folders, for the environment of the program in the terminal."""
    return {name: value for name, value in os.environ.items() if name.startswith("SDTUI_")}
