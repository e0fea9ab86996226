"""Adapters' files that cannot be gone on from, told from headers written down here: names and shapes as programs have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from sdtui.models.going_on import adapter_findings
from sdtui.models.suited import suits
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Profile
from tests.support.headers import SD15, SD21, SDXL, hollow_file

Shapes = dict[str, tuple[int, ...]]
KEY = "method.continue_from"
BASES = {"sd1": SD15, "sd2": SD21, "sdxl": SDXL}
K = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
K_PATH = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"
CONV = "lora_unet_down_blocks_0_resnets_0_conv1"
XL_K = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k"


def profile(file: str, base: str = "sd", **method: Any) -> Profile:
    return Profile.model_validate(
        {"model": {"base": base}, "training": {"steps": 1}, "method": {"continue_from": file, **method}}
    )


def pair(stem: str, rank: int, outputs: int, inputs: int) -> Shapes:
    return {f"{stem}.lora_down.weight": (rank, inputs), f"{stem}.lora_up.weight": (outputs, rank), f"{stem}.alpha": ()}


def told(
    folder: Path, shapes: Shapes, family: str = "sd1", facts: dict[str, str] | None = None, **method: Any
) -> list[Finding]:
    """What is said of a file of these shapes beside a base model of the family as it was published."""
    base = hollow_file(folder / "base.safetensors", BASES[family])
    file = hollow_file(folder / "x.safetensors", shapes, facts)
    return list(suits(profile(str(file), str(base), **{"rank": 8, **method}), base))


@pytest.mark.parametrize(
    ("names", "method", "said"),
    [
        (["lora_unet_x.lora_down.weight"], {}, ""),
        (["lora_unet_x.lora_down.weight", "lora_te_x.alpha"], {"text_encoder": True}, ""),
        (["lora_unet_x.lora_down.weight", "lora_te_x.alpha"], {}, "x.safetensors holds layers of a text encoder"),
        (["unet.x.lora_A.weight", "text_encoder_2.x.lora_A.weight"], {}, "holds layers of a text encoder"),
        (["model.diffusion_model.out.0.weight"], {}, "x.safetensors is a whole model, not an adapter"),
        (["emb_params"], {}, "x.safetensors is an embedding, not an adapter"),
        (["clip_l", "clip_g"], {}, "x.safetensors is an embedding, not an adapter"),
        (["lora_unet_x.a1.weight", "lora_unet_x.b1.weight"], {}, "x.safetensors is a GLoRA"),
        (["lora_unet_x.oft_blocks", "lora_unet_x.rescale"], {}, ""),
        (None, {}, "x.safetensors: a web page, not a file of weights"),
    ],
    ids=[
        "unet", "both", "text without", "diffusers text without", "a model", "an embedding", "an embedding of XL",
        "GLoRA", "rotations that are not stretched", "a page",
    ],
)  # fmt: skip
def test_what_the_file_itself_tells(tmp_path: Path, names: list[str] | None, method: dict[str, Any], said: str) -> None:
    path = tmp_path / "x.safetensors"
    if names is None:
        path.write_bytes(b"<!DOCTYPE html>")
    else:
        save_file({name: torch.ones(1) for name in names}, path)
    findings = list(adapter_findings(profile(str(path), **method)))
    assert [finding.key for finding in findings] == ([KEY] if said else [])
    assert all(said in finding.message and finding.remedy for finding in findings)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=["fp32", "fp16", "bf16"])
@pytest.mark.parametrize(("factor", "stretched"), [(1.0, False), (1.5, True)], ids=["ones", "stretched"])
def test_stretched_rotations(tmp_path: Path, dtype: torch.dtype, factor: float, *, stretched: bool) -> None:
    path = tmp_path / "x.safetensors"
    rescale = torch.ones(4, 1)
    rescale[2] = factor
    save_file({"lora_unet_x.oft_blocks": torch.zeros(2, 2, 2), "lora_unet_x.rescale": rescale.to(dtype)}, path)
    assert ["stretched" in each.message for each in adapter_findings(profile(str(path)))] == [True] * stretched


@pytest.mark.parametrize("given", ["", "/none.safetensors"])
def test_no_file_to_go_on_from_is_not_looked_into(given: str) -> None:
    assert list(adapter_findings(profile(given))) == []


@pytest.mark.parametrize(
    ("family", "shapes", "method"),
    [
        ("sd1", pair(K, 8, 320, 768), {}),
        ("sd1", pair(K, 4, 320, 768), {}),
        ("sd1", pair("unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k", 8, 320, 768), {}),
        ("sd1", pair("lora_te_text_model_encoder_layers_11_mlp_fc1", 8, 3072, 768), {"text_encoder": True}),
        ("sd1", pair("lora_te_encoder_layers_11_mlp_fc1", 8, 3072, 768), {"text_encoder": True}),
        ("sd1", {f"{K}.hada_w1_a": (320, 8), f"{K}.hada_w1_b": (8, 768), f"{K}.hada_w2_a": (320, 4), f"{K}.hada_w2_b": (4, 768)}, {"algorithm": "loha"}),
        ("sd1", {f"{K}.lokr_w1": (16, 24), f"{K}.lokr_w2_a": (20, 1), f"{K}.lokr_w2_b": (1, 32)}, {"algorithm": "lokr", "full_matrix": True}),
        ("sd1", {f"{CONV}.lora_down.weight": (8, 320, 1, 1), f"{CONV}.lora_mid.weight": (8, 8, 3, 3), f"{CONV}.lora_up.weight": (320, 8, 1, 1)}, {"targets": ["convolution"]}),
        ("sd1", {f"{K}.weight": (320,), f"{K}.on_input": ()}, {"algorithm": "ia3"}),
        ("sd1", {**pair(K, 8, 320, 768), f"{K}.dora_scale": (320, 1)}, {"weight_decompose": True}),
        ("sd1", {**pair(K, 8, 320, 768), "bundle_emb.w.string_to_param.*": (1, 768)}, {}),
        ("sd2", pair(K, 8, 320, 1024), {}),
        ("sdxl", pair(XL_K, 8, 640, 2048), {}),
        ("sdxl", pair("lora_te2_text_model_encoder_layers_31_mlp_fc2", 8, 1280, 5120), {"text_encoder": True}),
    ],
    ids=[
        "kohya", "a smaller rank", "diffusers", "text", "text without its level", "LoHa", "a product of LoKr", "Tucker",
        "IA3", "DoRA", "a bundle", "SD 2", "SDXL", "the second text encoder",
    ],
)  # fmt: skip
def test_what_can_be_gone_on_from(tmp_path: Path, family: str, shapes: Shapes, method: dict[str, Any]) -> None:
    assert told(tmp_path, shapes, family, **method) == []


@pytest.mark.parametrize(
    ("family", "shapes", "method", "said"),
    [
        ("sd1", pair(K, 16, 320, 768), {}, f"{K_PATH}: lora_down.weight is [16, 768] in the file, and [8, 768] by the profile"),
        ("sd1", pair(K, 8, 320, 1024), {}, f"{K_PATH}: lora_down.weight is [8, 1024] in the file, and [8, 768] by the profile"),
        ("sd1", pair(K, 8, 320, 768), {"algorithm": "loha"}, f"{K_PATH} holds lora_down.weight, lora_up.weight in the file, and the profile trains hada_w1_a,"),
        ("sd1", pair(K, 8, 320, 768), {"weight_decompose": True}, "the profile trains dora_scale, lora_down.weight, lora_up.weight"),
        ("sd1", pair(XL_K, 8, 640, 2048), {}, f"{XL_K}.lora_down.weight and 2 more are for layers that are not trained here"),
        ("sd1", pair(CONV, 8, 320, 320), {}, f"{CONV}.lora_down.weight and 2 more are for layers that are not trained here"),
        ("sdxl", pair("lora_unet_down_blocks_0_attentions_0_proj_in", 8, 320, 320), {}, "are for layers that are not trained here"),
    ],
    ids=["a larger rank", "another width", "another algorithm", "lengths", "SDXL's layers", "a convolution", "SD 1's layers"],
)  # fmt: skip
def test_what_does_not_fit_is_told_with_its_cause(
    tmp_path: Path, family: str, shapes: Shapes, method: dict[str, Any], said: str
) -> None:
    (finding,) = told(tmp_path, shapes, family, **method)
    assert (finding.key, finding.code) == (KEY, "bad-model")
    assert finding.message.startswith(f"{KEY}: x.safetensors: ")
    assert said in finding.message
    assert finding.remedy.startswith("Set ")


def test_the_factors_of_lokr_are_split_as_the_profile_says(tmp_path: Path) -> None:
    whole: Shapes = {f"{K}.lokr_w1": (16, 24), f"{K}.lokr_w2": (20, 32)}
    (finding,) = told(tmp_path, whole, "sd1", algorithm="lokr")
    assert "the profile trains lokr_w1, lokr_w2_a, lokr_w2_b" in finding.message
    assert "rank, factor, decompose_both and full_matrix of [method]" in finding.remedy


@pytest.mark.parametrize(
    ("family", "shapes", "version"),
    [
        ("sd1", pair(XL_K, 8, 640, 2048), "sdxl_base_v1-0"),
        ("sd1", pair(K, 8, 320, 1024), "sd_v2_v"),
        ("sd2", pair(K, 8, 320, 768), "sd_1.5"),
        ("sdxl", pair("lora_unet_double_blocks_0_img_attn_qkv", 8, 9216, 3072), "flux1"),
    ],
    ids=["SDXL", "SD 2", "SD 1", "Flux"],
)
def test_a_file_that_says_its_family(tmp_path: Path, family: str, shapes: Shapes, version: str) -> None:
    (finding,) = told(tmp_path, shapes, family, {"ss_base_model_version": version})
    assert f'x.safetensors was made for another family of models ("{version}")' in finding.message


def test_one_cause_is_told_once(tmp_path: Path) -> None:
    """What the file itself tells is not said again beside the base model, and another method reads no adapter."""
    assert told(tmp_path, {"emb_params": (1, 768)}) == []
    words = {"kind": "textual-inversion", "words": [{"name": "my-cat"}]}
    assert told(tmp_path, pair(XL_K, 8, 640, 2048), "sd1", None, **words) == []
