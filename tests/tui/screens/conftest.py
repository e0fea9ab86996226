"""What the tests of the profile screen share: a workspace with a profile, planned without the pause for typing."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.tui.screens import planned
from tests.tui.profile.desk import make_desk


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(planned, "PLAN_DELAY", 0.01)
    return make_desk(tmp_path / "work")
