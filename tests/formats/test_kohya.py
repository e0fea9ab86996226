"""kohya's names and shapes, against literal lists; a round trip through a tolerant reader would prove nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch
from safetensors import safe_open

from sdtui.formats import FORMATS
from sdtui.formats.kohya import tensors, write
from sdtui.formats.learned import Adapter, Learned
from sdtui.profile.layer_names import key

LINEAR = Learned(
    "unet",
    "mid_block.attentions.0.transformer_blocks.0.attn2.to_out.0",
    {"lora_down.weight": torch.full((4, 10), 0.5), "lora_up.weight": torch.full((6, 4), 2.0)},
    8.0,
)
CONVOLUTION = Learned(
    "unet",
    "up_blocks.3.attentions.2.proj_in",
    {"lora_down.weight": torch.ones(4, 10, 1, 1), "lora_up.weight": torch.ones(6, 4, 1, 1)},
    8.0,
)
STEM = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_out_0"


@pytest.mark.parametrize(
    ("family", "component", "path", "expected"),
    [
        ("sd1", "unet", "down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_q",
         "lora_unet_down_blocks_0_attentions_1_transformer_blocks_0_attn1_to_q"),
        ("sd1", "unet", "mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj",
         "lora_unet_mid_block_attentions_0_transformer_blocks_0_ff_net_0_proj"),
        ("sd2", "unet", "up_blocks.1.attentions.2.proj_out", "lora_unet_up_blocks_1_attentions_2_proj_out"),
        ("sdxl", "unet", "up_blocks.1.attentions.2.proj_out", "lora_unet_output_blocks_5_1_proj_out"),
        ("sd1", "text_encoder", "encoder.layers.11.self_attn.out_proj",
         "lora_te_text_model_encoder_layers_11_self_attn_out_proj"),
        ("sd2", "text_encoder", "text_model.encoder.layers.0.mlp.fc1", "lora_te_text_model_encoder_layers_0_mlp_fc1"),
        ("sdxl", "text_encoder", "encoder.layers.0.mlp.fc1", "lora_te1_text_model_encoder_layers_0_mlp_fc1"),
        ("sdxl", "text_encoder_2", "text_model.encoder.layers.31.mlp.fc2",
         "lora_te2_text_model_encoder_layers_31_mlp_fc2"),
    ],
)  # fmt: skip
def test_names(family: str, component: str, path: str, expected: str) -> None:
    assert key(family, component, path) == expected


def test_what_has_no_scale_has_no_alpha_and_whole_numbers_stay_whole() -> None:
    scaled = Learned("unet", "proj_in", {"weight": torch.ones(6), "on_input": torch.tensor(1)})
    named = tensors(Adapter("sd1", [scaled]), "bf16")
    assert {name: tensor.dtype for name, tensor in named.items()} == {
        "lora_unet_proj_in.weight": torch.bfloat16,
        "lora_unet_proj_in.on_input": torch.int64,
    }


def test_each_module_has_its_three_tensors() -> None:
    named = tensors(Adapter("sd1", [LINEAR, CONVOLUTION]), "fp16")
    shapes = {name: list(tensor.shape) for name, tensor in named.items()}
    assert shapes == {
        f"{STEM}.lora_down.weight": [4, 10],
        f"{STEM}.lora_up.weight": [6, 4],
        f"{STEM}.alpha": [],
        "lora_unet_up_blocks_3_attentions_2_proj_in.lora_down.weight": [4, 10, 1, 1],
        "lora_unet_up_blocks_3_attentions_2_proj_in.lora_up.weight": [6, 4, 1, 1],
        "lora_unet_up_blocks_3_attentions_2_proj_in.alpha": [],
    }
    assert named[f"{STEM}.alpha"].item() == 8.0


@pytest.mark.parametrize(("precision", "dtype"), [("fp16", "F16"), ("bf16", "BF16"), ("fp32", "F32")])
def test_everything_is_in_the_precision_asked_for(tmp_path: Path, precision: str, dtype: str) -> None:
    path = tmp_path / "x.safetensors"
    write(path, Adapter("sd1", [LINEAR]), {}, precision)
    with safe_open(path, "pt") as opened:
        assert {opened.get_slice(name).get_dtype() for name in opened.keys()} == {dtype}  # noqa: SIM118


def test_the_file_has_the_metadata_and_the_hashes(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    size = FORMATS["kohya"](path, Adapter("sd1", [LINEAR]), {"ss_network_dim": "4"}, "fp16")
    assert size == path.stat().st_size
    with safe_open(path, "pt") as opened:
        metadata = opened.metadata()
    assert sorted(metadata) == ["ss_network_dim", "sshs_legacy_hash", "sshs_model_hash"]
    assert torch.equal(
        safetensors.torch.load_file(path)[f"{STEM}.lora_up.weight"], torch.full((6, 4), 2.0, dtype=torch.float16)
    )


def test_equal_adapters_are_equal_files(tmp_path: Path) -> None:
    metadata = {f"ss_{letter}": letter for letter in "qwertyuiop"}
    write(tmp_path / "a", Adapter("sd1", [LINEAR, CONVOLUTION]), metadata, "fp16")
    write(tmp_path / "b", Adapter("sd1", [CONVOLUTION, LINEAR]), dict(reversed(metadata.items())), "fp16")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
