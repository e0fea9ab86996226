"""The names in files for real models, against lists that sd-scripts' own model classes gave, not against a reader of ours."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from sdtui.formats.kohya import tensors
from sdtui.profile.schema import Method
from sdtui.training.methods.lora import prepare
from tests.support.real_sizes import lent

HERE = Path(__file__).parent
FAMILIES = ("sd1", "sd2", "sdxl")
LORA = {"lora_down.weight", "lora_up.weight", "alpha"}
# Kind of adapter → its settings, and what stands behind a layer's name.
KINDS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "lora": ({"algorithm": "lora"}, LORA),
    "dora": ({"weight_decompose": True}, LORA | {"dora_scale"}),
    "dora by inputs": ({"weight_decompose": True, "decompose_inputs": True}, LORA | {"dora_scale"}),
    "loha": ({"algorithm": "loha"}, {"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "alpha"}),
    "lokr": ({"algorithm": "lokr"}, {"lokr_w1", "lokr_w2_a", "lokr_w2_b", "alpha"}),
    "ia3": ({"algorithm": "ia3"}, {"weight", "on_input"}),
    "oft": ({"algorithm": "oft"}, {"oft_blocks", "alpha"}),
    "boft": ({"algorithm": "boft"}, {"oft_blocks", "alpha"}),
    "full": ({"algorithm": "full"}, {"diff", "diff_b"}),
}
# Layers without a bias, which the whole difference has no diff_b for.
WITHOUT_BIAS = ("_to_q", "_to_k", "_to_v")
COUNTS = {"sd1": (192, 86, 72), "sd2": (192, 86, 138), "sdxl": (722, 66, 72 + 192)}


def listed(name: str) -> set[str]:
    return set((HERE / f"{name}_names.txt").read_text().split())


def stored(family: str, *, text: bool, convolutions: bool) -> set[str]:
    """The listed names of a family; SD 2's UNet is named as SD 1's."""
    size = "sdxl" if family == "sdxl" else "sd15"
    names = listed(f"{size}_lora") | (listed(f"{size}_conv") if convolutions else set())
    names |= listed("sd2_text") if family == "sd2" else set()
    return {name for name in names if text or name.startswith("lora_unet_")}


def written(family: str, *, text: bool = False, convolutions: bool = False, **settings: Any) -> dict[str, Tensor]:
    """All of a file by name, at rank 2 if nothing else is said: what is random in it takes time."""
    targets = ["attention", "feed-forward", "projection", *(["convolution"] if convolutions else [])]
    method = Method.model_validate({"rank": 2, "targets": targets, "text_encoder": text, **settings})
    with lent(family) as model:
        return tensors(prepare(model, method, 0).export(), "fp16")


def combinations() -> Iterator[Any]:
    """Every kind and family, with and without text encoders and convolutions."""
    for kind, family, text, convolutions in product(KINDS, FAMILIES, (False, True), (False, True)):
        parts = [kind, family, *["text"] * text, *["convolutions"] * convolutions]
        yield pytest.param(kind, family, text, convolutions, id="-".join(parts))


@pytest.mark.parametrize(("kind", "family", "text", "convolutions"), list(combinations()))
def test_every_name_in_a_file_is_listed_and_every_listed_one_is_there(
    kind: str, family: str, text: bool, convolutions: bool
) -> None:
    settings, endings = KINDS[kind]
    layers = stored(family, text=text, convolutions=convolutions)
    unet, more, encoders = COUNTS[family]
    assert len(layers) == unet + more * convolutions + encoders * text
    expected = {
        f"{layer}.{ending}"
        for layer in layers
        for ending in endings
        if ending != "diff_b" or not layer.endswith(WITHOUT_BIAS)
    }
    assert set(written(family, text=text, convolutions=convolutions, **settings)) == expected


@pytest.mark.parametrize("convolutions", [False, True], ids=["linear", "convolutions"])
@pytest.mark.parametrize("family", FAMILIES)
def test_norms_are_those_before_the_trained_layers(family: str, convolutions: bool) -> None:
    """SD 1.5 has 16 transformers of four norms each and 22 residual blocks of two; SDXL's text encoders have none trained."""
    found = written(family, text=True, convolutions=convolutions, norms=True)
    norms = {name for name in found if name.endswith(("w_norm", "b_norm"))}
    layers = listed("sdxl_norm" if family == "sdxl" else "sd15_norm")
    if not convolutions:
        layers = {name for name in layers if "_resnets_" not in name and "_layers_" not in name}
    assert len(layers) == {"sd1": (64, 108), "sd2": (64, 108), "sdxl": (221, 255)}[family][convolutions]
    assert norms == {f"{layer}.{ending}" for layer in layers for ending in ("w_norm", "b_norm")}


Q, CONVOLUTION = "attentions_0_transformer_blocks_0_attn1_to_q", "resnets_0_conv1"
# A layer of 640 by 640, a 3×3 convolution of 320 to 640, and CLIP-L's first linear layer of 768 to 3072, at rank 8.
# LoKr splits 640 into 20 · 32, 320 into 16 · 20, 3072 into 48 · 64 and 768 into 24 · 32.
SHAPES: dict[str, tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]] = {
    "lora": (
        {"lora_down.weight": (8, 640), "lora_up.weight": (640, 8), "alpha": ()},
        {"lora_down.weight": (8, 320, 3, 3), "lora_up.weight": (640, 8, 1, 1), "alpha": ()},
        {"lora_down.weight": (8, 768), "lora_up.weight": (3072, 8), "alpha": ()},
    ),
    "dora": ({"dora_scale": (640, 1)}, {"dora_scale": (640, 1, 1, 1)}, {"dora_scale": (3072, 1)}),
    "dora by inputs": ({"dora_scale": (1, 640)}, {"dora_scale": (1, 320, 1, 1)}, {"dora_scale": (1, 768)}),
    "loha": (
        {"hada_w1_a": (640, 8), "hada_w1_b": (8, 640), "hada_w2_a": (640, 8), "hada_w2_b": (8, 640)},
        {"hada_w1_a": (640, 8), "hada_w1_b": (8, 2880), "hada_w2_a": (640, 8), "hada_w2_b": (8, 2880)},
        {"hada_w1_a": (3072, 8), "hada_w1_b": (8, 768), "hada_w2_a": (3072, 8), "hada_w2_b": (8, 768)},
    ),
    "lokr": (
        {"lokr_w1": (20, 20), "lokr_w2_a": (32, 8), "lokr_w2_b": (8, 32)},
        {"lokr_w1": (20, 16), "lokr_w2_a": (32, 8), "lokr_w2_b": (8, 180)},
        {"lokr_w1": (48, 24), "lokr_w2_a": (64, 8), "lokr_w2_b": (8, 32)},
    ),
    "ia3": ({"weight": (640,), "on_input": ()}, {"weight": (1, 640, 1, 1), "on_input": ()}, {"weight": (3072,)}),
    "oft": ({"oft_blocks": (80, 8, 8), "alpha": ()}, {"oft_blocks": (80, 8, 8)}, {"oft_blocks": (384, 8, 8)}),
    "boft": ({"oft_blocks": (7, 64, 10, 10)}, {"oft_blocks": (7, 64, 10, 10)}, {"oft_blocks": (10, 512, 6, 6)}),
    "full": (
        {"diff": (640, 640)},
        {"diff": (640, 320, 3, 3), "diff_b": (640,)},
        {"diff": (3072, 768), "diff_b": (3072,)},
    ),
}


@pytest.mark.parametrize(
    ("kind", "family"), [(kind, "sd1") for kind in KINDS] + [("lora", "sdxl"), ("lokr", "sdxl"), ("dora", "sdxl")]
)
def test_shapes_and_types_of_layers_of_each_sort(kind: str, family: str) -> None:
    found = written(family, text=True, convolutions=True, rank=8, **KINDS[kind][0])
    stems = {
        "sd1": (
            f"lora_unet_down_blocks_1_{Q}",
            f"lora_unet_down_blocks_1_{CONVOLUTION}",
            "lora_te_text_model_encoder_layers_0_mlp_fc1",
        ),
        "sdxl": (
            "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q",
            "lora_unet_input_blocks_4_0_in_layers_2",
            "lora_te1_text_model_encoder_layers_0_mlp_fc1",
        ),
    }[family]
    for stem, shapes in zip(stems, SHAPES[kind], strict=True):
        for ending, shape in shapes.items():
            assert tuple(found[f"{stem}.{ending}"].shape) == shape, (stem, ending)
    types = {name.rpartition(".")[2]: value.dtype for name, value in found.items()}
    assert types.pop("on_input", torch.int64) == torch.int64
    assert set(types.values()) == {torch.float16}


@pytest.mark.parametrize(
    ("kind", "settings", "alpha"),
    [
        ("lora", {"alpha": 4.0}, 4.0),
        ("lora", {"alpha": 4.0, "rs_lora": True}, 4.0 * 8**0.5),
        ("loha", {"alpha": 4.0}, 4.0),
        ("lokr", {"alpha": 4.0}, 4.0),
        ("lokr", {"full_matrix": True}, 8.0),
        ("oft", {}, 0.0),
        ("boft", {}, 0.0),
    ],
)
def test_alphas(kind: str, settings: dict[str, Any], alpha: float) -> None:
    """What is scaled by alpha / rank; the limit of rotations is 0 for none; of two whole factors it is the rank (LyCORIS)."""
    method = Method.model_validate({"rank": 8, "targets": ["projection"], **KINDS[kind][0], **settings})
    unet = torch.nn.ModuleDict({"block": torch.nn.ModuleDict({"proj_in": torch.nn.Linear(640, 640)})})
    fake: Any = SimpleNamespace(family="sd1", unet=unet, components={"unet": unet})
    held = tensors(prepare(fake, method, 0).export(), "fp32")
    assert float(held["lora_unet_block_proj_in.alpha"]) == pytest.approx(alpha)


def test_the_edges_have_names_too() -> None:
    found = {name.partition(".")[0] for name in written("sdxl", norms=True, targets=["edges"])}
    assert {name.removeprefix("lora_unet_") for name in found} == {
        "input_blocks_0_0", "out_0", "out_2", "time_embed_0", "time_embed_2",
    }  # fmt: skip
    found = {name.partition(".")[0] for name in written("sd1", targets=["edges"])}
    assert {name.removeprefix("lora_unet_") for name in found} == {
        "conv_in", "conv_out", "time_embedding_linear_1", "time_embedding_linear_2",
    }  # fmt: skip
