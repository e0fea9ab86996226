"""What no single file tells of a model, said before a run: of a base model that is one, and of a result that would be one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdtui.models.suited import suits
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Profile
from tests.support.headers import SD15, V, hollow_file

STARTER = Path(__file__).parents[2] / "sdtui/starter/model"
FULL = {"method": {"kind": "full"}}


def found(base: Path, **sections: Any) -> list[Finding]:
    data = {
        "model": {"base": str(base), **sections.pop("model", {})},
        "dataset": {"folders": [{"path": "images"}]},
        "training": {"steps": 3},
        **sections,
    }
    return list(suits(Profile.model_validate(data), base))


def published(folder: Path, **changed: dict[str, Any]) -> Path:
    """A folder of Stable Diffusion 1.5's configs, without weights."""
    parts: dict[str, dict[str, Any]] = {
        "unet": {"block_out_channels": [320, 640, 1280, 1280], "attention_head_dim": 8, "norm_num_groups": 32},
        "vae": {"block_out_channels": [128, 256, 512, 512], "norm_num_groups": 32, "scaling_factor": 0.18215},
        "text_encoder": {"hidden_size": 768, "num_attention_heads": 12, "num_hidden_layers": 12},
        "scheduler": {"prediction_type": "epsilon"},
    }
    index = {"_class_name": "StableDiffusionPipeline"}
    for part, config in parts.items():
        (folder / part).mkdir(parents=True)
        name = "scheduler_config.json" if part == "scheduler" else "config.json"
        (folder / part / name).write_text(json.dumps(config | changed.get(part, {})), "utf-8")
        index[part] = "?"
    (folder / "model_index.json").write_text(json.dumps(index), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({}, ""),
        ({"unet": {"attention_head_dim": [8, 8, 8, 8]}}, ""),
        ({"unet": {"attention_head_dim": 4}}, "unet.attention_head_dim"),
        ({"vae": {"norm_num_groups": 8}}, "vae.norm_num_groups"),
        ({"vae": {"scaling_factor": 0.5}}, "vae.scaling_factor"),
        ({"text_encoder": {"num_attention_heads": 8}}, "text_encoder.num_attention_heads"),
    ],
)
def test_what_a_file_of_the_result_would_not_tell(tmp_path: Path, changed: dict[str, Any], named: str) -> None:
    findings = found(published(tmp_path, **changed), **FULL)
    assert [(each.key, each.severity) for each in findings] == ([("saving.formats", "warning")] if named else [])
    assert all(f"does not tell {named}, which" in each.message for each in findings)


@pytest.mark.parametrize(
    "sections",
    [{}, {**FULL, "saving": {"formats": ["folder"]}}],
    ids=["adapter", "folder"],
)
def test_only_a_whole_model_in_a_single_file_is_warned_of(sections: dict[str, Any]) -> None:
    assert found(STARTER, **sections) == []
    (finding,) = found(STARTER, **FULL)
    assert finding.remedy == 'Set saving.formats = ["folder"]'


def test_a_vae_of_ones_own_is_judged_in_place_of_the_models(tmp_path: Path) -> None:
    base = published(tmp_path, vae={"norm_num_groups": 8})
    assert found(base, **FULL, model={"vae": "other"}) == []


def test_a_single_file_of_such_a_make_is_refused(tmp_path: Path) -> None:
    odd = SD15 | {f"{V}encoder.down.0.block.0.conv1.weight": (16, 16, 3, 3)}
    (finding,) = found(hollow_file(tmp_path / "odd.safetensors", odd))
    assert (finding.key, finding.severity) == ("model.base", "error")
    assert "odd.safetensors: the VAE is of a make that no single file tells: 16 channels" in finding.message
