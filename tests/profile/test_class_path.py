"""Classes by their dotted paths, found without importing what they are in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sdtui.profile.class_path import MissingClassError, require_class


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package that would end the tests if it were imported."""
    folder = tmp_path / "optims9"
    (folder / "late").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit\nfrom .rules import Good as Better\n")
    (folder / "rules.py").write_text("class Good: ...\nMade = type('Made', (), {})\nif Made:\n    class Perhaps: ...\n")
    (folder / "late" / "__init__.py").write_text("def __getattr__(name): return name\n")
    monkeypatch.syspath_prepend(tmp_path)
    return "optims9"


@pytest.mark.parametrize("path", ["Better", "rules.Good", "rules.Made", "rules.Perhaps", "late.Anything"])
def test_what_is_there(package: str, path: str) -> None:
    require_class(f"{package}.{path}")


@pytest.mark.parametrize(
    ("path", "message", "near"),
    [
        ("Beter", "optims9 has no Beter", "optims9.Better"),
        ("rules.Goood", "optims9.rules has no Goood", "optims9.rules.Good"),
        ("ruls.Good", "optims9 has no module ruls", "optims9.rules.Good"),
        ("rules.deeper.Good", "optims9.rules has no module deeper", ""),
        ("rules.Xyz", "optims9.rules has no Xyz", ""),
    ],
)
def test_what_is_not(package: str, path: str, message: str, near: str) -> None:
    with pytest.raises(MissingClassError) as caught:
        require_class(f"{package}.{path}")
    assert (str(caught.value), caught.value.near, caught.value.package) == (message, near, "")


def test_a_package_that_is_not_installed() -> None:
    with pytest.raises(MissingClassError, match="the package nowhere9 is not installed here") as caught:
        require_class("nowhere9.Some")
    assert caught.value.package == "nowhere9"


def test_pytorch_is_not_imported_for_it() -> None:
    code = (
        "import sys\nfrom sdtui.profile.class_path import require_class\n"
        "require_class('torch.optim.RAdam')\nsys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
