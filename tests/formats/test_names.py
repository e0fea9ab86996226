"""The names in files for real models, against lists that sd-scripts' own model classes gave, not against a reader of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.formats.kohya import tensors
from sdtui.profile.schema import Method
from sdtui.profile.sections.method import Target
from sdtui.training.methods.lora import prepare
from tests.support.real_sizes import shapes_of

HERE = Path(__file__).parent
WITH_CONVOLUTIONS: tuple[Target, ...] = ("attention", "feed-forward", "projection", "convolution")
# What stands behind a layer's name, for each algorithm.
ENDINGS = {
    "lora": {"lora_down.weight", "lora_up.weight", "alpha"},
    "loha": {"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "alpha"},
    "lokr": {"lokr_w1", "lokr_w2_a", "lokr_w2_b", "alpha"},
    "ia3": {"weight", "on_input"},
    "oft": {"oft_blocks", "alpha"},
    "boft": {"oft_blocks", "alpha"},
    "full": {"diff", "diff_b"},
}


def stored(family: str, *, text: bool, convolutions: bool) -> set[str]:
    """The listed names of a family; SD 2's UNet is named as SD 1's."""
    files = {"sd1": ["sd15_lora"], "sd2": ["sd15_lora", "sd2_text"], "sdxl": ["sdxl_lora"]}[family]
    files += [f"{'sdxl' if family == 'sdxl' else 'sd15'}_conv"] if convolutions else []
    names = {name for file in files for name in (HERE / f"{file}_names.txt").read_text().split()}
    return {name for name in names if text or name.startswith("lora_unet_")}


def layers(family: str, settings: Method) -> dict[str, set[str]]:
    """Layer's name → endings of its tensors."""
    found: dict[str, set[str]] = {}
    for name in tensors(prepare(shapes_of(family), settings, 0).export(), "fp16"):
        layer, _, ending = name.partition(".")
        found.setdefault(layer, set()).add(ending)
    return found


@pytest.mark.parametrize(
    ("family", "text", "convolutions", "count"),
    [
        ("sd1", False, False, 192),
        ("sd1", True, False, 192 + 72),
        ("sd1", False, True, 278),
        ("sd1", True, True, 278 + 72),
        ("sd2", False, False, 192),
        ("sd2", True, False, 192 + 138),
        ("sd2", False, True, 278),
        ("sd2", True, True, 278 + 138),
        ("sdxl", False, False, 722),
        ("sdxl", True, False, 722 + 72 + 192),
        ("sdxl", False, True, 788),
        ("sdxl", True, True, 788 + 72 + 192),
    ],
)
def test_lora_has_kohya_s_names(family: str, text: bool, convolutions: bool, count: int) -> None:
    targets = WITH_CONVOLUTIONS if convolutions else WITH_CONVOLUTIONS[:3]
    found = layers(family, Method(rank=1, targets=targets, text_encoder=text))
    assert set(found) == stored(family, text=text, convolutions=convolutions)
    assert len(found) == count
    assert all(endings == ENDINGS["lora"] for endings in found.values())


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
@pytest.mark.parametrize("algorithm", list(ENDINGS)[1:])
def test_the_other_algorithms_have_the_same_layers(algorithm: str, family: str) -> None:
    settings = Method.model_validate(
        {"algorithm": algorithm, "rank": 8, "targets": WITH_CONVOLUTIONS, "text_encoder": True, "decompose_both": False}
    )
    found = layers(family, settings)
    assert set(found) == stored(family, text=True, convolutions=True)
    # Attention has no bias but at its end.
    without = {"diff_b"} if algorithm == "full" else set()
    assert {frozenset(endings) for endings in found.values()} <= {
        frozenset(ENDINGS[algorithm]),
        frozenset(ENDINGS[algorithm] - without),
    }


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("sd1", "lora_unet_mid_block_attentions_0_transformer_blocks_0_norm3.w_norm"),
        ("sdxl", "lora_unet_middle_block_1_transformer_blocks_9_norm3.w_norm"),
    ],
)
def test_norms_are_those_before_the_trained_layers(family: str, expected: str) -> None:
    """SD 1.5 has 16 transformers of four norms each; SDXL 11 with 70 blocks of three, and one of each transformer."""
    found = layers(family, Method(rank=1, norms=True))
    norms = {name for name, endings in found.items() if endings == {"w_norm", "b_norm"}}
    assert expected.partition(".")[0] in norms
    assert len(norms) == {"sd1": 64, "sdxl": 221}[family]


def test_the_edges_have_names_too() -> None:
    found = layers("sdxl", Method(rank=1, targets=("edges",), norms=True))
    assert {name.removeprefix("lora_unet_") for name in found} == {
        "input_blocks_0_0", "out_0", "out_2", "time_embed_0", "time_embed_2",
    }  # fmt: skip
    found = layers("sd1", Method(rank=1, targets=("edges",)))
    assert {name.removeprefix("lora_unet_") for name in found} == {
        "conv_in", "conv_out", "time_embedding_linear_1", "time_embedding_linear_2",
    }  # fmt: skip


def test_dora_adds_one_tensor_to_a_layer() -> None:
    found = layers("sd1", Method(rank=1, weight_decompose=True, targets=("attention",)))
    assert {frozenset(endings) for endings in found.values()} == {frozenset(ENDINGS["lora"] | {"dora_scale"})}
