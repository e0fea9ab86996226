"""Reading adapters as other programs write them, each from tensors named by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from sdtui.errors import UserError
from sdtui.formats.learned import Learned
from sdtui.formats.reading import read

QUERY = ("unet", "mid_block.attentions.0.transformer_blocks.0.attn1.to_q")
OUT = ("unet", "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0")
LAYERS = [
    ("unet", "mid_block.attentions.0.proj_in"),
    ("text_encoder", "encoder.layers.0.mlp.fc1"),
    QUERY,
    OUT,
    ("text_encoder", "encoder.layers.0.self_attn.out_proj"),
    ("text_encoder_2", "text_model.encoder.layers.0.mlp.fc1"),
]
UNET, TEXT, *_ = LAYERS
DOWN, UP = torch.full((4, 10), 0.5), torch.full((6, 4), 2.0)
STEM = "lora_unet_mid_block_attentions_0_proj_in"


def found(
    tensors: Mapping[str, Tensor], family: str = "sd1", header: Mapping[str, str] | None = None
) -> dict[tuple[str, str], Learned]:
    adapter = read(tensors, header or {}, family, LAYERS, "x.safetensors")
    return {(layer.component, layer.path): layer for layer in adapter.layers}


def pair(stem: str, ends: tuple[str, str] = ("lora_down.weight", "lora_up.weight")) -> dict[str, Tensor]:
    return {f"{stem}.{ends[0]}": DOWN, f"{stem}.{ends[1]}": UP}


@pytest.mark.parametrize(
    ("family", "stem", "layer"),
    [
        ("sd1", "lora_unet_mid_block_attentions_0_proj_in", UNET),
        ("sdxl", "lora_unet_middle_block_1_proj_in", UNET),
        ("sdxl", "lora_unet_mid_block_attentions_0_proj_in", UNET),
        ("sd1", "oft_unet_mid_block_attentions_0_proj_in", UNET),
        ("sdxl", "oft_unet_middle_block_1_proj_in", UNET),
        ("sd1", "lycoris_mid_block_attentions_0_proj_in", UNET),
        ("sd1", "lora_te_text_model_encoder_layers_0_mlp_fc1", TEXT),
        ("sd1", "lora_te_encoder_layers_0_mlp_fc1", TEXT),
        ("sd1", "lora_te1_text_model_encoder_layers_0_mlp_fc1", TEXT),
        ("sdxl", "lora_te1_text_model_encoder_layers_0_mlp_fc1", TEXT),
        ("sdxl", "lora_te2_text_model_encoder_layers_0_mlp_fc1", LAYERS[5]),
        ("sd1", "unet.mid_block.attentions.0.proj_in", UNET),
        ("sd1", "mid_block.attentions.0.proj_in", UNET),
        ("sd1", "base_model.model.mid_block.attentions.0.proj_in", UNET),
        ("sd1", "text_encoder.text_model.encoder.layers.0.mlp.fc1", TEXT),
        ("sd1", "text_encoder.encoder.layers.0.mlp.fc1", TEXT),
        ("sdxl", "text_encoder_2.text_model.encoder.layers.0.mlp.fc1", LAYERS[5]),
    ],
)
def test_names_of_a_layer(family: str, stem: str, layer: tuple[str, str]) -> None:
    (learned,) = found(pair(stem), family).values()
    assert (learned.component, learned.path) == layer
    assert set(learned.tensors) == {"lora_down.weight", "lora_up.weight"}
    assert torch.equal(learned.tensors["lora_up.weight"], UP)
    # What says no alpha has the rank for it.
    assert (learned.alpha, learned.rank, learned.scale) == (4.0, 4, 1.0)


@pytest.mark.parametrize(
    ("stem", "ends", "layer"),
    [
        ("unet.mid_block.attentions.0.proj_in", ("lora_A.weight", "lora_B.weight"), UNET),
        ("unet.mid_block.attentions.0.proj_in", ("lora.down.weight", "lora.up.weight"), UNET),
        ("base_model.model.mid_block.attentions.0.proj_in", ("lora_A.default.weight", "lora_B.default.weight"), UNET),
        (
            "unet.mid_block.attentions.0.transformer_blocks.0.attn1.processor",
            ("to_q_lora.down.weight", "to_q_lora.up.weight"),
            QUERY,
        ),
        (
            "mid_block.attentions.0.transformer_blocks.0.attn1.processor",
            ("to_out_lora.down.weight", "to_out_lora.up.weight"),
            OUT,
        ),
        (
            "text_encoder.text_model.encoder.layers.0.mlp.fc1",
            ("lora_linear_layer.down.weight", "lora_linear_layer.up.weight"),
            TEXT,
        ),
        (
            "text_encoder.text_model.encoder.layers.0.self_attn",
            ("to_out_lora.down.weight", "to_out_lora.up.weight"),
            LAYERS[4],
        ),
    ],
    ids=["peft", "diffusers 0.22", "adapter's name", "processor", "processor without unet", "linear layer", "patched"],
)
def test_names_of_the_factors(stem: str, ends: tuple[str, str], layer: tuple[str, str]) -> None:
    learned = found(pair(stem, ends))[layer]
    assert torch.equal(learned.tensors["lora_down.weight"], DOWN)
    assert torch.equal(learned.tensors["lora_up.weight"], UP)


def test_alpha_is_the_file_s() -> None:
    learned = found({**pair(STEM), f"{STEM}.alpha": torch.tensor(2.0)})[UNET]
    assert (learned.alpha, learned.scale) == (2.0, 0.5)


def test_without_alpha_it_is_the_rank() -> None:
    learned = found(pair(STEM))[UNET]
    assert (learned.alpha, learned.scale) == (4.0, 1.0)


@pytest.mark.parametrize(("rslora", "expected"), [(False, (1.0, 3.0)), (True, (2.0, 6.0))])
def test_diffusers_settings_tell_alpha(rslora: bool, expected: tuple[float, float]) -> None:
    """rsLoRA's α/√r is α·√r over r to whoever divides by the rank: at rank 4 it is doubled."""
    settings = {
        "unet.lora_alpha": 8.0,
        "unet.alpha_pattern": {"mid_block.attentions.0.proj_in": 1.0},
        "text_encoder.lora_alpha": 3.0,
        "unet.use_rslora": rslora,
        "text_encoder.use_rslora": rslora,
    }
    ends = ("lora_A.weight", "lora_B.weight")
    tensors = pair("unet.mid_block.attentions.0.proj_in", ends) | pair("text_encoder.encoder.layers.0.mlp.fc1", ends)
    layers = found(tensors, header={"lora_adapter_metadata": json.dumps(settings)})
    assert (layers[UNET].alpha, layers[TEXT].alpha) == expected


@pytest.mark.parametrize("ending", ["lora_magnitude_vector", "lora_magnitude_vector.weight", "lora_magnitude_vector.default.weight"])  # fmt: skip
def test_dora_s_lengths_get_lycoris_shape(ending: str) -> None:
    stem = "unet.mid_block.attentions.0.proj_in"
    tensors = {**pair(stem, ("lora_A.weight", "lora_B.weight")), f"{stem}.{ending}": torch.arange(6.0)}
    assert found(tensors)[UNET].tensors["dora_scale"].tolist() == [[value] for value in range(6)]


def test_lycoris_lengths_by_input_stay() -> None:
    tensors = {**pair(STEM), f"{STEM}.dora_scale": torch.arange(10.0).view(1, 10)}
    assert found(tensors)[UNET].tensors["dora_scale"].shape == (1, 10)


def test_other_algorithms_keep_their_names() -> None:
    learned = found({f"{STEM}.diff": torch.ones(6, 10), f"{STEM}.diff_b": torch.ones(6)})[UNET]
    assert (sorted(learned.tensors), learned.alpha) == (["diff", "diff_b"], None)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["lora_unet_conv_in.lora_down.weight"], r"lora_unet_conv_in\.lora_down\.weight is for a layer that is not"),
        (["lora_unet_conv_in.alpha", "lora_te_x.alpha"], r"lora_unet_conv_in\.alpha and 1 more are for layers that"),
    ],
    ids=["one", "several"],
)
def test_a_tensor_for_no_layer_is_named(names: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        found({**pair(STEM), **dict.fromkeys(names, DOWN)})


def test_words_of_a_bundle_are_passed_over() -> None:
    assert found({**pair(STEM), "bundle_emb.cat.string_to_param.*": DOWN}).keys() == {UNET}


def test_a_layer_that_cannot_be_read_is_named() -> None:
    with pytest.raises(
        UserError, match=r"unet\.mid_block\.attentions\.0\.proj_in cannot be read: its rotations are str"
    ):
        found({f"{STEM}.oft_diag": 2 * torch.eye(3).repeat(2, 1, 1)})


def test_settings_that_cannot_be_read_are_told() -> None:
    with pytest.raises(UserError, match="lora_adapter_metadata in its header cannot be read"):
        found(pair(STEM), header={"lora_adapter_metadata": "{"})
