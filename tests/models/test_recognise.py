"""Families, recognised by folders' configs and by single files' headers; what else people have, named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sdtui.errors import UserError
from sdtui.models.recognise import plan_parts, recognise, stated_prediction
from sdtui.profile.plan import make_plan
from sdtui.profile.schema import Profile
from sdtui.profile.surveyed import Survey
from tests.support import headers
from tests.support.families import FAMILIES, original_weights, tiny_folder
from tests.support.headers import SD15, SD21, SDXL, L, U, V, contents, hollow_file


def change(path: Path, **entries: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def refusal(base: Path) -> str:
    with pytest.raises(UserError) as caught:
        recognise(base)
    return str(caught.value)


def without(shapes: dict[str, tuple[int, ...]], *prefixes: str) -> dict[str, tuple[int, ...]]:
    return {name: shape for name, shape in shapes.items() if not name.startswith(prefixes)}


@pytest.mark.parametrize("family", FAMILIES)
def test_folders(tmp_path: Path, family: str) -> None:
    found = recognise(tiny_folder(tmp_path, family))
    assert (found.family.name, found.contents) == (family, None)
    assert found.configs()["unet"]["cross_attention_dim"] == {"sd1": 64, "sd2": 64, "sdxl": 192}[family]


@pytest.mark.parametrize(("shapes", "family"), [(SD15, "sd1"), (SD21, "sd2"), (SDXL, "sdxl")])
def test_published_files(tmp_path: Path, shapes: dict[str, tuple[int, ...]], family: str) -> None:
    assert recognise(hollow_file(tmp_path / "m.safetensors", shapes)).family.name == family


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_as_a_pickle(tmp_path: Path, family: str) -> None:
    torch.save({"state_dict": original_weights(family)}, tmp_path / "m.ckpt")
    assert recognise(tmp_path / "m.ckpt").family.name == family


def test_clip_without_its_level_is_still_stable_diffusion_1(tmp_path: Path) -> None:
    bare = {name.replace("transformer.text_model.", "transformer."): shape for name, shape in SD15.items()}
    assert recognise(hollow_file(tmp_path / "m.safetensors", bare)).family.name == "sd1"


def test_a_model_without_its_vae_is_recognised_since_another_may_serve(tmp_path: Path) -> None:
    assert recognise(hollow_file(tmp_path / "m.safetensors", without(SD15, V))).family.name == "sd1"


@pytest.mark.parametrize(
    ("shapes", "what"),
    [
        (SD15 | {f"{U}input_blocks.0.0.weight": (320, 9, 3, 3)}, "an inpainting model"),
        (SD15 | {f"{U}input_blocks.0.0.weight": (320, 8, 3, 3)}, "conditioned on images"),
        (without(SD15, L), "a UNet without its text encoder"),
        (without(SDXL, "conditioner."), "a UNet without its text encoder"),
        ({f"input_blocks.{i}.0.in_layers.2.weight": (1, 1) for i in range(9)}, "a UNet without its text encoder"),
        (without(SD15, U), "a VAE, not a base model"),
        ({name.removeprefix(V): shape for name, shape in headers._VAE.items()}, "a VAE, not a base model"),
        (without(SDXL, "conditioner.") | {f"{headers.XL_G.replace('1', '0')}ln_final.weight": (1280,)}, "the SDXL refiner"),
        (SD21 | {f"{U}label_emb.0.0.weight": (1280, 2048)}, "an image variation model (unCLIP)"),
        (SDXL | {"edm_mean": (1,)}, "a model with a noise schedule of its own (EDM)"),
        ({f"control_model.input_blocks.{i}.0.weight": (1, 1) for i in range(9)}, "a ControlNet"),
        ({f"text_model.encoder.layers.{i}.mlp.fc1.weight": (1, 1) for i in range(9)}, "a text encoder alone"),
        ({f"{U}joint_blocks.{i}.context_block.attn.qkv.weight": (1, 1) for i in range(9)}, "Stable Diffusion 3"),
        ({f"double_blocks.{i}.img_attn.qkv.weight": (1, 1) for i in range(9)}, "Flux"),
        ({f"lora_unet_mid_{i}.lora_down.weight": (4, 8) for i in range(9)}, "a LoRA or LyCORIS"),
        ({"emb_params": (2, 768)}, "an embedding"),
        ({f"down_blocks.{i}.resnets.0.conv1.weight": (1, 1) for i in range(9)}, "one part of a diffusers folder"),
        ({f"layer.{i}": (1,) for i in range(9)}, "of a family that cannot be trained"),
    ],
)  # fmt: skip
def test_other_files_are_named(tmp_path: Path, shapes: dict[str, tuple[int, ...]], what: str) -> None:
    message = refusal(hollow_file(tmp_path / "m.safetensors", shapes))
    assert f"the file is {what}" in message or (what in message and "the file is a" in message)
    assert "Stable Diffusion 1.x, Stable Diffusion 2.x, Stable Diffusion XL" in message


def test_an_inpainting_folder_and_the_refiner_s_are_not_taken(tmp_path: Path) -> None:
    sd1 = tiny_folder(tmp_path / "sd1", "sd1")
    change(sd1 / "unet/config.json", in_channels=9)
    assert "StableDiffusionPipeline of a family that cannot be trained" in refusal(sd1)
    refiner = tiny_folder(tmp_path / "sdxl", "sdxl")
    change(refiner / "model_index.json", text_encoder=[None, None])
    assert "StableDiffusionXLPipeline of a family that cannot be trained" in refusal(refiner)


def test_another_pipeline_is_named(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "FluxPipeline"}')
    assert "the folder holds a FluxPipeline of a family that cannot be trained" in refusal(tmp_path)


def test_a_folder_that_is_no_pipeline_tells_what_it_holds(tmp_path: Path) -> None:
    assert "it holds nothing" in refusal(tmp_path)
    (tmp_path / "holiday.jpg").touch()
    assert "not a pipeline folder (it holds holiday.jpg)" in refusal(tmp_path)
    assert "there is no such" in refusal(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\xfe"])
def test_a_broken_index_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model_index.json").write_bytes(content)
    assert str(tmp_path / "model_index.json") in refusal(tmp_path)


@pytest.mark.parametrize(
    ("facts", "marks", "said"),
    [
        ({}, (), ""),
        ({}, ("v_pred",), "v_prediction"),
        ({"modelspec.prediction_type": "v"}, (), "v_prediction"),
        ({"modelspec.prediction_type": "epsilon"}, (), "epsilon"),
        ({"modelspec.predict_key": "epsilon"}, (), "epsilon"),
        ({"modelspec.architecture": "stable-diffusion-v2-768-v"}, (), "v_prediction"),
        ({"modelspec.architecture": "stable-diffusion-v2-512"}, (), "epsilon"),
        ({"modelspec.architecture": "stable-diffusion-v1"}, (), ""),
        ({"global_step": "875000"}, (), "epsilon"),
        ({"global_step": "110000"}, (), ""),
    ],
)
def test_what_a_file_says_it_predicts(facts: dict[str, str], marks: tuple[str, ...], said: str) -> None:
    assert stated_prediction(contents(SD21 | dict.fromkeys(marks, ()), facts)) == said


def test_it_needs_no_pytorch() -> None:
    code = "import sys\nfrom sdtui.models.recognise import families\nlist(families())\nsys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_plan_counts_what_is_learned_in_a_single_file(tmp_path: Path) -> None:
    file = hollow_file(tmp_path / "m.safetensors", SDXL)
    profile = Profile.model_validate({"model": {"base": str(file)}, "method": {"rank": 16}})
    plan = make_plan(profile, Survey(1, 1, {(64, 64): 1}, captions=1), parts=plan_parts(profile))
    # 722 modules; the count of every trainer at rank 16.
    assert plan.trained_values == 42_557_440
    assert plan.caches[-1].bytes_each == 77 * 2048 * 4


def test_a_plan_reads_a_folder_itself_and_knows_nothing_of_what_cannot_be_read(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "model", "sd2")
    assert plan_parts(Profile.model_validate({"model": {"base": str(folder)}})) is None
    (tmp_path / "m.ckpt").write_bytes(b"")
    assert plan_parts(Profile.model_validate({"model": {"base": str(tmp_path / "m.ckpt")}})) == {}
