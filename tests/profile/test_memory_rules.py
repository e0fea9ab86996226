"""What settings of memory need of the machine."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from sdtui.profile.memory_rules import four_bits
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Profile


def found(**training: Any) -> list[Finding]:
    return list(four_bits(Profile.model_validate({"model": {"base": "x"}, "training": {"steps": 1, **training}})))


@pytest.mark.parametrize("kept", ["same", "8bit", "4bit"])
def test_what_is_installed_is_fine(kept: str) -> None:
    assert found(base_precision=kept) == []


def test_4_bits_know_no_apple_gpu() -> None:
    (finding,) = found(base_precision="4bit", device="mps")
    assert (finding.code, finding.severity) == ("contradiction", "error")
    assert finding.message == 'training.base_precision = "4bit" does not work on an Apple GPU'
    assert found(base_precision="8bit", device="mps") == []


def test_a_missing_package_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    (finding,) = found(base_precision="4bit")
    assert (finding.code, finding.severity) == ("not-installed", "warning")
    assert finding.remedy == 'pip install "sdtui[four-bit]", or set it to "8bit", which needs no package'
    assert found(base_precision="8bit") == []
