"""What keeps a profile from training on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

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


@pytest.mark.parametrize(
    ("names", "method", "told"),
    [
        (["lora_unet_x.lora_down.weight"], {}, ""),
        (["lora_unet_x.lora_down.weight", "lora_te_x.alpha"], {"text_encoder": True}, ""),
        (["lora_unet_x.lora_down.weight", "lora_te_x.alpha"], {}, "x.safetensors holds layers of a text encoder"),
        (["unet.x.lora_A.weight", "text_encoder_2.x.lora_A.weight"], {}, "holds layers of a text encoder"),
        (["model.diffusion_model.out.0.weight"], {}, "x.safetensors is a whole model, not an adapter"),
        (None, {}, "x.safetensors: a web page, not a file of weights"),
    ],
    ids=["unet", "both", "text without", "diffusers text without", "a model", "a page"],
)
def test_a_file_that_cannot_be_gone_on_from_is_told(
    tmp_path: Path, names: list[str] | None, method: dict[str, bool], told: str
) -> None:
    path = tmp_path / "x.safetensors"
    if names is None:
        path.write_bytes(b"<!DOCTYPE html>")
    else:
        save_file({name: torch.ones(1) for name in names}, path)
    profile = Profile.model_validate(
        {"model": {"base": "sd"}, "training": {"steps": 1}, "method": {"continue_from": str(path), **method}}
    )
    findings = list(preflight.adapter_findings(profile))
    assert [finding.key for finding in findings] == (["method.continue_from"] if told else [])
    assert all(told in finding.message for finding in findings)


@pytest.mark.parametrize("given", ["", "/none.safetensors"])
def test_no_file_to_go_on_from_is_not_looked_into(given: str) -> None:
    profile = Profile.model_validate(
        {"model": {"base": "sd"}, "training": {"steps": 1}, "method": {"continue_from": given}}
    )
    assert list(preflight.adapter_findings(profile)) == []
