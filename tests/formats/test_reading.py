"""Reading adapters as other programs write them, each from a file made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from sdtui.errors import UserError
from sdtui.formats.reading import read

LAYERS = [("unet", "mid_block.attentions.0.proj_in"), ("text_encoder", "encoder.layers.0.mlp.fc1")]
DOWN, UP = torch.full((4, 10), 0.5), torch.full((6, 4), 2.0)
UNET, TEXT = LAYERS


@pytest.mark.parametrize(
    ("family", "unet", "text"),
    [
        ("sd1", "lora_unet_mid_block_attentions_0_proj_in", "lora_te_text_model_encoder_layers_0_mlp_fc1"),
        ("sd1", "lora_unet_mid_block_attentions_0_proj_in", "lora_te_encoder_layers_0_mlp_fc1"),
        ("sd1", "lora_unet_mid_block_attentions_0_proj_in", "lora_te1_text_model_encoder_layers_0_mlp_fc1"),
        ("sdxl", "lora_unet_middle_block_1_proj_in", "lora_te1_text_model_encoder_layers_0_mlp_fc1"),
        ("sdxl", "lora_unet_mid_block_attentions_0_proj_in", "lora_te1_text_model_encoder_layers_0_mlp_fc1"),
    ],
)
def test_kohya_s_names(tmp_path: Path, family: str, unet: str, text: str) -> None:
    path = tmp_path / "x.safetensors"
    tensors = {f"{stem}.{end}": tensor.clone() for stem in (unet, text) for end, tensor in (("lora_down.weight", DOWN), ("lora_up.weight", UP))}  # fmt: skip
    save_file({**tensors, f"{unet}.alpha": torch.tensor(2.0)}, path)
    found = {(layer.component, layer.path): layer for layer in read(path, family, LAYERS).layers}
    assert set(found) == {UNET, TEXT}
    # What says no alpha has the rank for it.
    assert (found[UNET].alpha, found[TEXT].alpha) == (2.0, 4.0)
    assert set(found[UNET].tensors) == {"lora_down.weight", "lora_up.weight"}
    assert torch.equal(found[TEXT].tensors["lora_up.weight"], UP)


@pytest.mark.parametrize(
    ("unet", "text", "ends"),
    [
        ("unet.mid_block.attentions.0.proj_in", "text_encoder.text_model.encoder.layers.0.mlp.fc1", ("lora_A.weight", "lora_B.weight")),
        ("unet.mid_block.attentions.0.proj_in", "text_encoder.encoder.layers.0.mlp.fc1", ("lora_A.weight", "lora_B.weight")),
        ("unet.mid_block.attentions.0.proj_in", "text_encoder.text_model.encoder.layers.0.mlp.fc1", ("lora.down.weight", "lora.up.weight")),
        ("base_model.model.mid_block.attentions.0.proj_in", "text_encoder.text_model.encoder.layers.0.mlp.fc1", ("lora_A.weight", "lora_B.weight")),
    ],
)  # fmt: skip
def test_diffusers_names_and_its_settings(tmp_path: Path, unet: str, text: str, ends: tuple[str, str]) -> None:
    path = tmp_path / "x.safetensors"
    tensors = {f"{stem}.{end}": tensor.clone() for stem in (unet, text) for end, tensor in zip(ends, (DOWN, UP), strict=True)}  # fmt: skip
    settings = {
        "unet.lora_alpha": 8.0,
        "unet.alpha_pattern": {"mid_block.attentions.0.proj_in": 1.0},
        "text_encoder.lora_alpha": 3.0,
    }
    save_file(tensors, path, {"lora_adapter_metadata": json.dumps(settings)})
    found = {(layer.component, layer.path): layer for layer in read(path, "sd1", LAYERS).layers}
    assert (found[UNET].alpha, found[TEXT].alpha) == (1.0, 3.0)
    assert torch.equal(found[UNET].tensors["lora_down.weight"], DOWN)


def test_dora_s_lengths_get_lycoris_shape(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    stem = "unet.mid_block.attentions.0.proj_in"
    lengths = torch.arange(6.0)
    save_file({f"{stem}.lora_A.weight": DOWN, f"{stem}.lora_B.weight": UP, f"{stem}.lora_magnitude_vector": lengths}, path)  # fmt: skip
    (layer,) = read(path, "sd1", LAYERS).layers
    assert layer.tensors["dora_scale"].tolist() == [[value] for value in range(6)]


def test_other_algorithms_keep_their_names(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    stem = "lora_unet_mid_block_attentions_0_proj_in"
    save_file({f"{stem}.diff": torch.ones(6, 10), f"{stem}.diff_b": torch.ones(6)}, path)
    (layer,) = read(path, "sd1", LAYERS).layers
    assert (sorted(layer.tensors), layer.alpha) == (["diff", "diff_b"], None)


def test_a_tensor_for_no_layer_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"lora_unet_conv_in.lora_down.weight": DOWN}, path)
    with pytest.raises(UserError, match=r"lora_unet_conv_in\.lora_down\.weight is for a layer that is not trained"):
        read(path, "sd1", LAYERS)


@pytest.mark.parametrize("content", [None, b"not a file of tensors"])
def test_what_is_no_adapter_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match="cannot be read"):
        read(path, "sd1", LAYERS)
