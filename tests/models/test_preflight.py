"""What keeps a profile from training on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.models import preflight
from sdtui.profile.schema import Profile


@pytest.mark.parametrize(
    ("nodes", "training", "keys"),
    [
        ((), {"device": "cuda"}, ["training.device"]),
        ((), {"device": "cuda:1", "precision": "fp16"}, ["training.device"]),
        ((), {"precision": "fp16"}, ["training.precision"]),
        ((), {"precision": "bf16"}, []),
        (("nvidia0", "nvidiactl"), {"device": "cuda", "precision": "fp16"}, []),
        (("nvidiactl",), {"device": "cuda"}, ["training.device"]),
        (("dxg",), {"precision": "fp16"}, []),
        (("kfd",), {"device": "cpu", "precision": "fp16"}, ["training.precision"]),
        (("nvidia0",), {"device": "mps"}, ["training.device"]),
    ],
)
def test_a_device_that_cannot_be_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nodes: tuple[str, ...], training: dict[str, str], keys: list[str]
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for node in nodes:
        (tmp_path / node).touch()
    profile = Profile.model_validate(
        {
            "model": {"base": "sd"},
            "dataset": {"folders": [{"path": "images"}]},
            "training": {"steps": 1, **training},
        }
    )
    assert [finding.key for finding in preflight.device_findings(profile, tmp_path)] == keys


@pytest.mark.parametrize(
    ("nodes", "device", "keys"),
    [
        (("nvidia0", "nvidia1", "nvidiactl"), "auto", ["launch.processes"]),
        (("nvidia0", "nvidia1", "nvidia2"), "auto", []),
        (("nvidia0",), "cpu", []),
        ((), "auto", []),
        (("kfd",), "auto", []),
    ],
)
def test_more_processes_than_gpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nodes: tuple[str, ...], device: str, keys: list[str]
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for node in nodes:
        (tmp_path / node).touch()
    profile = Profile.model_validate(
        {"model": {"base": "sd"}, "training": {"steps": 1, "device": device}, "launch": {"processes": 3}}
    )
    assert [finding.key for finding in preflight.device_findings(profile, tmp_path)] == keys
