"""diffusers' names, shapes and settings, against literal ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from sdtui.errors import UserError
from sdtui.formats import FORMATS
from sdtui.formats.learned import Adapter, Learned


def lora(component: str, path: str, rank: int, alpha: float, kernel: tuple[int, ...] = ()) -> Learned:
    ones = (1,) * len(kernel)
    down, up = torch.ones(rank, 10, *kernel), torch.ones(6, rank, *ones)
    return Learned(component, path, {"lora_down.weight": down, "lora_up.weight": up}, alpha)


ADAPTER = Adapter(
    "sdxl",
    [
        lora("unet", "mid_block.attentions.0.proj_in", 4, 2.0),
        lora("unet", "mid_block.attentions.0.proj_out", 4, 2.0),
        lora("unet", "mid_block.resnets.0.conv1", 8, 1.0, (3, 3)),
        lora("text_encoder", "encoder.layers.0.mlp.fc1", 4, 4.0),
        lora("text_encoder_2", "text_model.encoder.layers.0.mlp.fc1", 4, 4.0),
    ],
)


def test_names_shapes_and_settings(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    assert FORMATS["diffusers"](path, ADAPTER, {"ss_v2": "False"}, "fp16") == path.stat().st_size
    with safe_open(path, "pt") as opened:
        shapes = {name: list(opened.get_tensor(name).shape) for name in opened.keys()}  # noqa: SIM118
        metadata = opened.metadata()
    layers = {
        "unet.mid_block.attentions.0.proj_in": ([4, 10], [6, 4]),
        "unet.mid_block.attentions.0.proj_out": ([4, 10], [6, 4]),
        "unet.mid_block.resnets.0.conv1": ([8, 10, 3, 3], [6, 8, 1, 1]),
        "text_encoder.text_model.encoder.layers.0.mlp.fc1": ([4, 10], [6, 4]),
        "text_encoder_2.text_model.encoder.layers.0.mlp.fc1": ([4, 10], [6, 4]),
    }
    ends = ("lora_A.weight", "lora_B.weight")
    assert shapes == {f"{layer}.{end}": shape for layer, both in layers.items() for end, shape in zip(ends, both, strict=True)}  # fmt: skip
    told = json.loads(metadata["lora_adapter_metadata"])
    assert (told["unet.r"], told["unet.lora_alpha"]) == (4, 2.0)
    assert told["unet.rank_pattern"] == {"mid_block.resnets.0.conv1": 8}
    assert told["unet.alpha_pattern"] == {"mid_block.resnets.0.conv1": 1.0}
    assert told["text_encoder_2.target_modules"] == ["encoder.layers.0.mlp.fc1"]
    assert metadata["ss_v2"] == "False"


@pytest.mark.parametrize(("scale", "stored"), [(torch.ones(6, 1), [6]), (torch.ones(6, 1, 1, 1), [1, 6, 1, 1])])
def test_dora_s_lengths_have_peft_s_shape(tmp_path: Path, scale: torch.Tensor, stored: list[int]) -> None:
    kernel = (3, 3) if scale.dim() == 4 else ()
    plain = lora("unet", "mid_block.resnets.0.conv1", 4, 4.0, kernel)
    layer = Learned(plain.component, plain.path, {**plain.tensors, "dora_scale": scale}, 4.0)
    path = tmp_path / "x.safetensors"
    FORMATS["diffusers"](path, Adapter("sd1", [layer]), {}, "fp32")
    with safe_open(path, "pt") as opened:
        name = "unet.mid_block.resnets.0.conv1.lora_magnitude_vector.weight"
        assert list(opened.get_tensor(name).shape) == stored
        assert json.loads(opened.metadata()["lora_adapter_metadata"])["unet.use_dora"] is True


@pytest.mark.parametrize(
    ("tensors", "named"),
    [({"diff": torch.ones(6, 10)}, "diff"), ({"dora_scale": torch.ones(1, 10)}, "dora_scale by input")],
    ids=["a difference", "lengths by input"],
)
def test_what_has_no_place_is_refused(tmp_path: Path, tensors: dict[str, torch.Tensor], named: str) -> None:
    layer = Learned("unet", "mid_block.attentions.0.proj_in", tensors)
    with pytest.raises(UserError, match=rf"no place for {named} of unet\.mid_block\.attentions\.0\.proj_in"):
        FORMATS["diffusers"](tmp_path / "x.safetensors", Adapter("sd1", [layer]), {}, "fp32")
    assert not (tmp_path / "x.safetensors").exists()
