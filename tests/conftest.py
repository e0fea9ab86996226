"""No test reads the developer's cache, data, state and settings, or hears what their terminal and shell say."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples at every run, however slow the machine is; others with `pytest --hypothesis-profile explore`.
settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", settings.get_profile("same"), derandomize=False)
settings.load_profile("same")

# What a shell, a terminal or a multiplexer tells the programs in it, and libraries take for wishes.
AMBIENT = {"COLORTERM", "COLUMNS", "EDITOR", "LINES", "NO_COLOR", "STY", "TERM", "TMUX", "TMUX_PANE", "VISUAL"}
# Each of the hundreds of programs that the tests start would compile every module again.
AMBIENT.add("PYTHONDONTWRITEBYTECODE")
AMBIENT_BEGINNINGS = ("HF_", "HUGGINGFACE_", "SDTUI_", "SSH_", "TEXTUAL_", "TRANSFORMERS_", "DIFFUSERS_")

_NUMBERS = itertools.count(1)


def pytest_configure() -> None:
    """Forget what the shell said.

    Under nohup or behind a shell's & signals come ignored, and what the tests start would inherit that.
    """
    for name in [name for name in os.environ if name in AMBIENT or name.startswith(AMBIENT_BEGINNINGS)]:
        del os.environ[name]
    os.environ["TERM"] = "xterm-256color"
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Where a test is about models, do once what each would do again."""
    if "torch" in sys.modules:
        from tests.support.shared import share

        share()


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Point every XDG-like override at a fresh folder; gives that folder."""
    # Not numbered by looking for a free name, which takes longer with each of thousands.
    home = tmp_path_factory.getbasetemp() / "homes" / str(next(_NUMBERS))
    home.mkdir(parents=True)
    # Not the test's own patches: those that a test makes after its `tmp_path` are to end before that is removed.
    with pytest.MonkeyPatch.context() as patch:
        for variable, name in (("CACHE", "cache"), ("DATA", "data"), ("STATE", "state")):
            patch.setenv(f"SDTUI_{variable}", str(home / name))
        patch.setenv("SDTUI_CONFIG", str(home / "config.toml"))
        patch.setenv("HF_HOME", str(home / "hub"))
        yield home
