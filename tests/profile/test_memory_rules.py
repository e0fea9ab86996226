"""What settings of memory need of the machine."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from sdtui.profile.memory_rules import four_bits, fused_backward
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


def collisions(**sections: dict[str, Any]) -> list[str]:
    """The keys that do not go with gradients that are applied one by one."""
    data: dict[str, Any] = {
        "model": {"base": "x"},
        "method": {"kind": "full"},
        "training": {"steps": 1, "clip_norm": 0.0, "fused_backward": True},
    }
    for section, values in sections.items():
        data[section] = {**data.get(section, {}), **values}
    findings = list(fused_backward(Profile.model_validate(data)))
    assert all((finding.code, finding.severity) == ("contradiction", "error") for finding in findings)
    return [finding.key for finding in findings]


@pytest.mark.parametrize("name", ["adamw", "adamw8bit", "paged-adamw8bit", "adafactor", "lion", "came"])
def test_gradients_may_be_applied_one_by_one(name: str) -> None:
    assert collisions(optimizer={"name": name}) == []


@pytest.mark.parametrize(
    ("sections", "key"),
    [
        ({"method": {"kind": "lora"}}, "method.kind"),
        ({"training": {"accumulation": 2}}, "training.accumulation"),
        ({"training": {"batch_size": 4, "at_once": 2}}, "training.at_once"),
        ({"training": {"clip_norm": 1.0}}, "training.clip_norm"),
        ({"training": {"precision": "fp16"}}, "training.precision"),
        ({"launch": {"processes": 2}}, "launch.processes"),
        ({"optimizer": {"name": "prodigy"}}, "optimizer.name"),
        ({"optimizer": {"name": "schedule-free-adamw"}}, "optimizer.name"),
        ({"optimizer": {"name": "torch.optim.SGD"}}, "optimizer.name"),
    ],
    ids=["lora", "accumulation", "parts", "clipping", "fp16", "processes", "prodigy", "schedule-free", "own-class"],
)
def test_what_needs_all_gradients_at_once(sections: dict[str, Any], key: str) -> None:
    assert collisions(**sections) == [key]
    sections = {**sections, "training": {**sections.get("training", {}), "fused_backward": False}}
    assert collisions(**sections) == []


def test_the_usual_clipping_says_what_to_set() -> None:
    data = {"model": {"base": "x"}, "method": {"kind": "full"}, "training": {"steps": 1, "fused_backward": True}}
    (finding,) = fused_backward(Profile.model_validate(data))
    assert finding.message == (
        "training.fused_backward does not go with training.clip_norm = 1, the norm of all gradients together"
    )
    assert finding.remedy == "Set training.clip_norm = 0"
