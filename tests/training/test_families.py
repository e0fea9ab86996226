"""Two steps, a preview and a finished file with models of every family, from the single files that people have."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors import safe_open

from sdtui.runs.layout import RunFolder
from sdtui.training.__main__ import main
from tests.support.families import FAMILIES, original_weights, tiny_file, tiny_folder
from tests.support.hub import hub_model
from tests.support.network import unplugged
from tests.training.workplace import events, make_run

TARGETS = ["attention"]
UNET = "lora_unet_"


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """Whatever the base model is, nothing is asked of the network: configs and tokenizers are sdtui's own."""
    with unplugged():
        yield


def trained(workplace: Path, base: object, training: dict[str, Any] | None = None, **method: Any) -> RunFolder:
    """A run of two steps and one preview that has ended well."""
    run = make_run(
        workplace,
        {
            "model": {"base": str(base)},
            "method": {"rank": 2, "targets": TARGETS, **method},
            "training": {"steps": 2, "batch_size": 2, **(training or {})},
            "previews": {"prompts": ["a red square --w 64 --h 64 --s 2"]},
        },
    )
    assert main([str(run.path)]) == 0, events(run, "error")
    losses = [event["loss"] for event in events(run, "step")]
    assert len(losses) == 2
    assert all(math.isfinite(loss) for loss in losses)
    (preview,) = events(run, "preview")
    assert Image.open(run.path / preview["path"]).size == (64, 64)
    return run


def finished(run: RunFolder) -> tuple[set[str], dict[str, str]]:
    """Which modules the finished file holds, and its metadata."""
    (path,) = run.output_dir.glob("*.safetensors")
    with safe_open(path, framework="pt") as file:
        names = {name.partition(".")[0] for name in file.keys()}  # noqa: SIM118 - not a dict
        return names, file.metadata()


def test_stable_diffusion_1_from_a_single_file(workplace: Path, tmp_path: Path) -> None:
    names, metadata = finished(trained(workplace, tiny_file(tmp_path / "mine.safetensors", "sd1")))
    assert "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q" in names
    assert (metadata["ss_base_model_version"], metadata["ss_sd_model_name"]) == ("sd_v1", "mine.safetensors")
    assert metadata["modelspec.architecture"] == "stable-diffusion-v1/lora"


def test_stable_diffusion_2_from_a_pickle_says_what_it_concluded(workplace: Path, tmp_path: Path) -> None:
    torch.save({"state_dict": original_weights("sd2"), "global_step": 1}, tmp_path / "m.ckpt")
    run = trained(workplace, tmp_path / "m.ckpt")
    # Random weights do not answer noise with itself.
    (warning,) = events(run, "warning")
    assert "by its answer to pure noise it predicts the velocity (v_prediction)" in warning["message"]
    assert warning["remedy"] == "If it is wrong, set objective.prediction"
    _, metadata = finished(run)
    assert (metadata["ss_base_model_version"], metadata["ss_v2"]) == ("sd_v2_v", "True")
    assert metadata["modelspec.architecture"] == "stable-diffusion-v2-768-v/lora"


def test_what_the_profile_says_of_the_prediction_needs_no_conclusion(workplace: Path, tmp_path: Path) -> None:
    file = tiny_file(tmp_path / "m.safetensors", "sd2")
    run = make_run(
        workplace,
        {
            "model": {"base": str(file)},
            "objective": {"prediction": "epsilon"},
            "training": {"steps": 1},
            "previews": {"prompts": []},
        },
    )
    assert main([str(run.path)]) == 0
    assert events(run, "warning") == []
    assert finished(run)[1]["ss_base_model_version"] == "sd_v2"


@pytest.mark.parametrize("folder", [False, True], ids=["file", "folder"])
def test_sdxl_with_both_text_encoders(workplace: Path, tmp_path: Path, folder: bool) -> None:
    base = tiny_folder(tmp_path / "m", "sdxl") if folder else tiny_file(tmp_path / "m.safetensors", "sdxl")
    names, metadata = finished(trained(workplace, base, text_encoder=True))
    assert "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q" in names
    assert "lora_te1_text_model_encoder_layers_0_self_attn_q_proj" in names
    assert "lora_te2_text_model_encoder_layers_0_self_attn_q_proj" in names
    assert metadata["ss_base_model_version"] == "sdxl_base_v1-0"
    assert metadata["modelspec.architecture"] == "stable-diffusion-xl-v1-base/lora"


def test_sdxl_with_frozen_text_encoders_reads_its_cache(workplace: Path, tmp_path: Path) -> None:
    names, _ = finished(trained(workplace, tiny_file(tmp_path / "m.safetensors", "sdxl")))
    assert all(name.startswith(UNET) for name in names)


def test_sdxl_in_half_precision_with_recomputed_activations(workplace: Path, tmp_path: Path) -> None:
    file = tiny_file(tmp_path / "m.safetensors", "sdxl")
    trained(workplace, file, {"precision": "bf16", "gradient_checkpointing": True}, text_encoder=True)


@pytest.mark.parametrize("family", FAMILIES)
def test_recomputed_activations_learn_the_same_in_every_family(workplace: Path, tmp_path: Path, family: str) -> None:
    file = tiny_file(tmp_path / "m.safetensors", family)
    runs = [trained(workplace, file, {"gradient_checkpointing": chosen}) for chosen in (False, True)]
    losses = [[event["loss"] for event in events(run, "step")] for run in runs]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_base_in_8_bits_in_every_family(workplace: Path, tmp_path: Path, family: str) -> None:
    file = tiny_file(tmp_path / "m.safetensors", family)
    kept = {"base_precision": "8bit", "precision": "bf16", "gradient_checkpointing": True}
    plain, quantised = (trained(workplace, file, chosen) for chosen in ({"precision": "bf16"}, kept))
    assert finished(quantised)[0] == finished(plain)[0]
    losses = [[event["loss"] for event in events(run, "step")] for run in (plain, quantised)]
    assert losses[1] == pytest.approx(losses[0], rel=0.1)


def test_a_model_of_the_hub_that_was_downloaded_before(
    workplace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    tiny_folder(hub_model(tmp_path, "owner/small-2"), "sd2")
    run = trained(workplace, "owner/small-2")
    assert events(run, "warning") == []
    assert finished(run)[1]["ss_sd_model_name"] == "small-2"


def test_a_model_that_cannot_be_read_ends_the_run_with_its_reason(workplace: Path, tmp_path: Path) -> None:
    (tmp_path / "m.ckpt").write_bytes(b"\x80\x02cos\nsystem\n.")
    run = make_run(workplace, {"model": {"base": str(tmp_path / "m.ckpt")}})
    assert main([str(run.path)]) == 2
    (error,) = events(run, "error")
    assert "would call os.system" in error["message"]
