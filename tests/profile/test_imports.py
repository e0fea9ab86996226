"""What the room pulls in: the first frame must not wait for validation libraries, and nothing here for numbers."""

from __future__ import annotations

import subprocess
import sys

import pytest


def _loaded(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_the_package_alone_imports_nothing_heavy() -> None:
    assert not _loaded("import sdtui.profile") & {"pydantic", "tomlkit", "tomli_w", "PIL"}


@pytest.mark.parametrize("module", ["document", "load", "plan", "reference", "templates"])
def test_no_numerics_and_no_screen(module: str) -> None:
    heavy = {"torch", "numpy", "diffusers", "transformers", "peft", "accelerate", "textual", "rich", "PIL"}
    assert not _loaded(f"import sdtui.profile.{module}") & heavy
